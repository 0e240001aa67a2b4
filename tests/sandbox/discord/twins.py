"""The same small bot in two Discords: `simcord`'s, in this process, and our stand-in's, over real sockets.

A twin says what people do and what they then see, in the same words for both; neither knows what ought to happen.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import discord
import simcord
from discord.http import Route
from simcord.backend.errors import SetupError

from sandbox.discord import ActionError, DiscordStandIn
from tests.sandbox.discord.conftest import SOON, World

Json = dict[str, Any]
Answer = Callable[[discord.Interaction], Awaitable[Any]]
REFUSED = "refused to the person"
DO: Json = {"name": "do", "description": "Do it"}
PEOPLE = ("ada", "bob")


class TinyBot(discord.Client):
    """Answers every interaction by `answer`, and keeps what that returned or what error code it met."""

    def __init__(self, **options: Any) -> None:
        super().__init__(intents=discord.Intents(guilds=True, members=True), **options)
        self.answer: Answer
        self.met: asyncio.Queue[Any] = asyncio.Queue()
        self.is_up = asyncio.Event()

    async def on_ready(self) -> None:
        self.is_up.set()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Answer what was begun."""
        self.met.put_nowait(await code_of(self.answer(interaction)))

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the REST API past the library's own checks."""
        return await self.http.request(Route(method, path), **({} if body is None else {"json": body}))

    async def respond(self, interaction: discord.Interaction, kind: int, data: Any = None) -> Any:
        """Send a first response past the library's own checks."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await self.ask("POST", path, {"type": kind, "data": data or {}})


async def code_of(wanted: Awaitable[Any]) -> Any:
    """Return the code that Discord refused something with; None if it was done."""
    try:
        await wanted
    except discord.HTTPException as refused:
        return refused.code
    return None


@dataclass(frozen=True, slots=True)
class Shown:
    """What Ada sees of her latest interaction and of its messages; `private` where Bob does not see the message."""

    state: str
    texts: tuple[str, ...] = ()
    private: tuple[bool, ...] = ()


class Twin(Protocol):
    """One of the two Discords: the bot, Ada and Bob in #general, a role Gold below the bot's and another above.

    Who acts brings the bot's answer along; what comes back is the code that the bot met, or REFUSED.
    """

    bot: TinyBot
    ids: dict[str, int]
    begun: Any
    offered: list[str]

    async def register(self, *commands: Json) -> Any: ...
    async def run(self, answer: Answer, path: str = "do", *, who: str = "ada", **options: Any) -> Any: ...
    async def complete(self, answer: Answer, typed: str) -> Any: ...
    async def press(self, answer: Answer, custom_id: str, *values: str, who: str = "ada") -> Any: ...
    async def send_form(self, answer: Answer, fields: Json) -> Any: ...
    async def pass_seconds(self, seconds: float) -> None: ...
    def leave(self) -> None: ...
    def shown(self) -> Shown: ...


class Simcord:
    """The bot in simcord."""

    def __init__(self, env: simcord.Env, bot: TinyBot) -> None:
        self.bot, self.env = bot, env
        self.guild = env.create_guild("Lighthouse")
        self.channel = self.guild.create_text_channel("general")
        me = self.guild.me
        assert me
        manager = self.guild.create_role("Manager", permissions=discord.Permissions(manage_roles=True), position=5)
        env.backend.add_member_role(self.guild.id, me.id, manager.id)
        gold, above = self.guild.create_role("Gold", position=1), self.guild.create_role("Above", position=9)
        self.people = {name: self.guild.add_member(env.create_user(name)) for name in PEOPLE}
        self.ids = {"guild": self.guild.id, "channel": self.channel.id, "bot": me.id, "gold": gold.id}
        self.ids |= {"above": above.id} | {name: member.id for name, member in self.people.items()}
        self.begun: Any = None
        self.offered: list[str] = []

    async def register(self, *commands: Json) -> Any:
        path = f"/applications/{self.env.backend.application_id}/commands"
        return await code_of(self.bot.ask("PUT", path, list(commands)))

    async def run(self, answer: Answer, path: str = "do", *, who: str = "ada", **options: Any) -> Any:
        return await self._begin(answer, self.people[who].slash(self.channel, path, **options))

    async def complete(self, answer: Answer, typed: str) -> Any:
        self.bot.answer = answer
        offered = await self.people["ada"].autocomplete(self.channel, "do", "tier", typed)
        self.offered = [choice["name"] for choice in offered]
        return self.bot.met.get_nowait()

    async def press(self, answer: Answer, custom_id: str, *values: str, who: str = "ada") -> Any:
        message, person = self._messages("ada")[-1], self.people[who]
        if values:
            return await self._begin(answer, person.select(message, list(values), custom_id=custom_id))
        return await self._begin(answer, person.click(message, custom_id=custom_id))

    async def send_form(self, answer: Answer, fields: Json) -> Any:
        return await self._begin(answer, self.people["ada"].submit_modal(self.begun, fields))

    async def pass_seconds(self, seconds: float) -> None:
        await self.env.advance_time(seconds)

    def leave(self) -> None:
        self.guild.remove_member(self.people["ada"])

    async def _begin(self, answer: Answer, acting: Awaitable[Any]) -> Any:
        self.bot.answer = answer
        try:
            self.begun = await acting
        except SetupError:
            return REFUSED
        return self.bot.met.get_nowait()

    def _messages(self, viewer: str) -> list[discord.Message]:
        return self.channel.history(viewer=self.people[viewer])

    def shown(self) -> Shown:
        for_bob = {message.id for message in self._messages("bob")}
        seen = [(m.content, m.id not in for_bob, m.flags.loading) for m in self._messages("ada")]
        return _shown(seen, acknowledged=self.begun.acknowledged)


class OverSockets:
    """The bot on our stand-in."""

    def __init__(self, standin: DiscordStandIn, world: World, bot: TinyBot) -> None:
        self.standin, self.bot = standin, bot
        self.application = world.state.application.id
        bob = world.state.add_user("bob", "Bob")
        world.state.add_member(world.guild, bob)
        ids = {"guild": world.guild.id, "channel": world.channel.id, "bot": world.state.bot.id}
        ids |= {"gold": world.gold.id, "above": world.above.id, "ada": world.ada.id, "bob": bob.id}
        self.ids = {name: int(number) for name, number in ids.items()}
        self.begun: Any = None
        self.offered: list[str] = []

    async def register(self, *commands: Json) -> Any:
        return await code_of(self.bot.ask("PUT", f"/applications/{self.application}/commands", list(commands)))

    async def run(self, answer: Answer, path: str = "do", *, who: str = "ada", **options: Any) -> Any:
        return await self._begin(answer, self.standin.run_command(self.ids[who], path, options))

    async def complete(self, answer: Answer, typed: str) -> Any:
        self.bot.answer = answer
        asking = asyncio.ensure_future(self.standin.autocomplete(self.ids["ada"], "do", {"tier": typed}, "tier"))
        async with asyncio.timeout(SOON):
            met = await self.bot.met.get()
        if met is None:
            self.offered = [choice["name"] for choice in await asking]
        asking.cancel()  # a person would wait for the rest of the three seconds
        return met

    async def press(self, answer: Answer, custom_id: str, *values: str, who: str = "ada") -> Any:
        message = self.standin.messages_for(self.ids["ada"])[-1]
        return await self._begin(answer, self.standin.press(self.ids[who], message.id, custom_id, values))

    async def send_form(self, answer: Answer, fields: Json) -> Any:
        return await self._begin(answer, self.standin.submit_modal(self.ids["ada"], self.begun.id, fields))

    async def pass_seconds(self, seconds: float) -> None:
        for interaction in self.standin.interactions.by_id.values():
            interaction.began -= seconds

    def leave(self) -> None:
        self.standin.leave(self.ids["ada"])

    async def _begin(self, answer: Answer, acting: Awaitable[Any]) -> Any:
        self.bot.answer = answer
        try:
            self.begun = await acting
        except ActionError:
            return REFUSED
        async with asyncio.timeout(SOON):
            return await self.bot.met.get()

    def shown(self) -> Shown:
        for_bob = {message.id for message in self.standin.messages_for(self.ids["bob"])}
        messages = self.standin.messages_for(self.ids["ada"])
        seen = [(m.content, m.id not in for_bob, m.loading) for m in messages]
        return _shown(seen, acknowledged=self.begun.acknowledged)


def _shown(seen: list[tuple[str, bool, bool]], *, acknowledged: bool) -> Shown:
    """Sum up messages of (text, private, loading)."""
    loading = any(is_loading for *_, is_loading in seen)
    state = ("deferred" if loading else "answered") if acknowledged else "waiting"
    done = [(text, private) for text, private, is_loading in seen if not is_loading]
    return Shown(state, tuple(text for text, _ in done), tuple(private for _, private in done))
