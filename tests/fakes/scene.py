"""A scene: the sandbox's world with the bot's own objects in this process; commands are typed as people type them.

Everything is real but the services on the other side of the sockets, which are the sandbox's stand-ins. There is no web
server: what a browser would bring to it is given to the link flow.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.app import App, build_app, fresh_client
from bot.discord.client import WORK, PledgekeeperBot
from bot.domain.audit_entry import AuditAction, AuditEntry, AuditFilter
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import TryLater
from bot.domain.model import AuditId, DiscordUserId, GrantState, GuildId, RoleId, Secret
from bot.process import end_work
from bot.runtime.clock import SystemClock
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.sqlite import database_file
from bot.storage.vault import Vault
from cogs import add_cogs
from cogs.events import EventsCog
from sandbox.discord import DiscordStandIn, Interaction, Message
from sandbox.discord.changes import Actor
from sandbox.discord.model import Overwrite
from sandbox.main import Options
from sandbox.page.messages import flat_components
from tests.fakes.files import make_file
from tests.fakes.stage import Stage, words

SOON = 20.0
EVENT = "NOTHING_HAPPENED"  # events come in order: whoever hears of it has heard of all before
MANAGE_ROLES = 1 << 28
GOLD_PATRON = "Gerda Nilsson"
MEMBER = "bramble.fox"
ADMIN = "ash.keeper"


@dataclass
class Scene:
    """The stage, and the bot that runs on it."""

    stage: Stage
    app: App
    bot: PledgekeeperBot
    waited_for: dict[DiscordUserId, AuditId] = field(default_factory=dict)  # the last row of the audit, by person

    @property
    def discord(self) -> DiscordStandIn:
        return self.stage.sandbox.discord

    @property
    def guild_id(self) -> GuildId:
        return GuildId(int(self.stage.sandbox.world.guild.id))

    def person(self, username: str) -> DiscordUserId:
        return DiscordUserId(int(self.stage.user_id(username)))

    def role(self, name: str) -> RoleId:
        return RoleId(int(self.stage.role_id(name)))

    def allow_in(self, channel: str, role: str, bits: int) -> None:
        """Set what a channel's own permissions allow a role."""
        guild = self.stage.sandbox.world.guild
        place = next(one for one in guild.channels.values() if one.name == channel)
        allowed = Overwrite(self.stage.role_id(role), allow=bits)
        overwrites = place.overwrites | {allowed.id: allowed}
        self.discord.changes.update_channel(guild, place, Actor(guild.owner_id), overwrites=overwrites)

    async def make_low_admin(self) -> str:
        """Let a member manage roles by the lowest role of all; return their name."""
        low = self.discord.create_role("Low", permissions=MANAGE_ROLES)
        self.discord.move_role(low.id, 1)
        self.discord.give_role(self.stage.user_id(MEMBER), low.id)
        guild = self.bot.get_guild(self.guild_id)
        assert guild is not None
        await self.until(lambda: getattr(guild.get_role(int(low.id)), "position", 0) == 1, "the role is moved")
        return MEMBER

    async def type(self, username: str, path: str, *, place: str | None = None, **options: Any) -> Interaction:
        """Type a command and wait for its answer; `place` "dm" is the bot's direct messages."""
        typed = await self.discord.run_command(self.stage.user_id(username), path, options, channel_id=place)
        assert await typed.answered(SOON), f"/{path} was not answered: {typed.state}"
        assert all(message.ephemeral for message in typed.messages), "an answer is for its asker alone"
        return typed

    async def say(self, username: str, path: str, **options: Any) -> str:
        """Type a command and return what the answer says."""
        return words((await self.type(username, path, **options)).messages)

    async def press(self, username: str, message: Message, prefix: str) -> str:
        """Press a button and return what is said then, in a new message or in place of the old one."""
        pressed = await self.stage.press(username, message, prefix)
        return words([*pressed.messages, message])

    async def link(self, username: str = MEMBER, patron: str = GOLD_PATRON) -> None:
        """Go the whole way from /link to Yes, and wait for what follows."""
        url = await self.stage.authorize_url(username)
        callback = await self.stage.browser().callback_url(url, self.stage.patron_id(patron))
        answer = parse_qs(urlsplit(callback).query)
        flow = self.app.linking
        landing = await flow.finish_callback(
            state=Secret(answer["state"][0]), code=Secret(answer["code"][0]), error=None
        )
        view = await flow.show(landing.cookie)
        assert view.question is not None
        await flow.confirm(landing.cookie, view.question.token)
        await flow.close()

    async def add_rule(self, role: str = "Gold", tier: str | None = "Gold") -> str:
        """Write a rule as an admin; without a tier for any paid pledge."""
        options = {"kind": "paying"} if tier is None else {"kind": "tier", "tier": tier}
        return await self.say(ADMIN, "patreon rule add", role=str(self.role(role)), **options)

    async def written(self, username: str, action: AuditAction, outcome: Outcome | None = None) -> AuditEntry:
        """Wait until a row of the audit on this person says so: it comes after the role.

        The newest one, or one that came since the last row that was waited for: another may follow at once.
        """
        person, audit = self.person(username), self.app.storage.audit
        theirs = AuditFilter(guild_id=self.guild_id, discord_user_id=person)
        async with asyncio.timeout(SOON):
            while True:
                rows = await audit.page(theirs, limit=1)
                if person in self.waited_for:
                    rows += await audit.page(theirs, after=self.waited_for[person], limit=20)
                for row in rows:
                    if (row.entry.action, row.entry.outcome) == (action, outcome):
                        self.waited_for[person] = row.audit_id
                        return row.entry
                await asyncio.sleep(0.02)

    async def suppressed(self, username: str = MEMBER) -> None:
        """Wait until the ledger says that a hand took someone's role; it is written after the audit."""
        async with asyncio.timeout(SOON):
            while True:
                grants = await self.app.storage.ledger.load_member(self.guild_id, self.person(username))
                if any(one.state is GrantState.SUPPRESSED for one in grants.values()):
                    return
                await asyncio.sleep(0.02)

    async def at_rest(self) -> None:
        """Wait until the bot has heard what happened at Discord so far, and nobody is planned or written any more.

        A command may go on after its answer.
        """
        reconciler, written = self.app.reconciler, -1
        while written != len(self.stage.role_writes):  # a write is followed by an event
            written = len(self.stage.role_writes)
            heard = asyncio.create_task(self.bot.wait_for("socket_event_type", check=EVENT.__eq__))
            await asyncio.sleep(0)
            self.discord.gateway.dispatch(EVENT, {})
            await asyncio.wait_for(heard, SOON)
            await self.until(
                lambda: (
                    not (_is_at_work() or reconciler.is_planning(self.guild_id))
                    and not (reconciler.backlog()[0] or reconciler._served)
                ),
                "nobody has a turn",
            )

    async def until(self, is_so: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(SOON):
                while not is_so():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {SOON:.0f} s: {what}") from None


@contextlib.asynccontextmanager
async def set_stage() -> AsyncIterator[Stage]:
    """Open the sandbox without a bot; discord.py gets its own addresses back afterwards."""
    rest, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    try:
        async with Stage(Options(with_bot=False, interval=3600)) as stage:
            yield stage
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = rest, gateway


@contextlib.asynccontextmanager
async def serve(stage: Stage) -> AsyncIterator[App]:
    """Build the bot's objects for this world, without a Discord client."""
    told: dict[str, Any] = {name.lower(): value for name, value in stage.sandbox.bot.environment.items()}
    settings = Settings(**told)
    if (path := database_file(settings.database_url)) is not None and not path.exists():
        make_file(path)
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(storage.close)
        app = await build_app(settings=settings, clock=SystemClock(), storage=storage)
        for close in (app.http.close, app.keeper.close, app.notifier.close):
            stack.push_async_callback(close)
        stack.push_async_callback(end_work, app)
        yield app


@contextlib.asynccontextmanager
async def connect(
    app: App, *, has_members_intent: bool = True, may_speak: Callable[[], bool] = lambda: True
) -> AsyncIterator[PledgekeeperBot]:
    """Connect a client until the end of the block; what its start plans is planned before that begins."""
    bot = quick(fresh_client(app, add_cogs=add_cogs, has_members_intent=has_members_intent, may_speak=may_speak))
    life = asyncio.create_task(bot.start(app.settings.discord_token.reveal(), reconnect=False))
    ready = asyncio.create_task(app.holder.wait_ready(SOON))
    try:
        await asyncio.wait({life, ready}, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            await life
        await ready
        await _start_now(app, bot)
        yield bot
    finally:
        ready.cancel()
        app.holder.lose(bot)
        await bot.close()
        await asyncio.gather(life, ready, return_exceptions=True)


async def _start_now(app: App, bot: PledgekeeperBot) -> None:
    """Let the plan of the start be over: a second later it would come into the midst of what a test does."""
    cog = bot.get_cog("EventsCog")
    assert isinstance(cog, EventsCog)
    for waiting in list(cog._considering):
        waiting.cancel()
        await asyncio.wait({waiting})
    for guild in bot.guilds:
        if not guild.unavailable:
            with contextlib.suppress(TryLater):
                await app.reconciler.consider(GuildId(guild.id), None, trigger=Trigger.START)


def quick(bot: PledgekeeperBot) -> PledgekeeperBot:
    """Let a client be ready at once: discord.py waits two seconds for further guilds."""
    bot._connection.guild_ready_timeout = 0.05
    return bot


def _is_at_work() -> bool:
    """Tell whether anything is done about an event, a command or a button."""
    return any(task.get_name().startswith(WORK) for task in asyncio.all_tasks())


def buttons(message: Message) -> dict[str, str]:
    """Return the labels of a message's buttons, each with its custom_id or address."""
    return {one["label"]: one["custom_id"] or one["url"] for one in flat_components(message.components)}
