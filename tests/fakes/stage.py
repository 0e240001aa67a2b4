"""A stage for journeys: the sandbox with the whole bot as a process on it, and the verbs of the people who play.

Knows the outside only: commands, messages, pages, roles on members. It never looks into the bot.
"""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from types import TracebackType
from typing import Any, ClassVar, Self

import aiohttp
import psycopg
from yarl import URL

from sandbox.discord import ActionError
from sandbox.discord.interaction import Interaction
from sandbox.discord.model import Message
from sandbox.main import Options, Sandbox
from sandbox.page.messages import flat_components, words_of
from sandbox.patreon.model import Webhook
from sandbox.weather import Fault, Service

PATIENCE = 40.0  # what is waited for comes sooner: this is for a machine with too much to do
START_SECONDS = 90.0
ADMIN = "ash.keeper"


@dataclass(frozen=True)
class Page:
    """A page of the bot's as a browser got it."""

    status: int
    text: str
    url: str

    @property
    def result(self) -> str:
        """The word on its body."""
        found = re.search(r'<body[^>]*data-result="([a-z]+)"', self.text)
        return found.group(1) if found else ""

    @property
    def language(self) -> str:
        """The language that it says it is in."""
        found = re.search(r'<html lang="([^"]+)">', self.text)
        return found.group(1) if found else ""

    @property
    def words(self) -> str:
        """What a person reads."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<(style|title).*?</\1>|<[^>]+>", " ", self.text, flags=re.DOTALL)))

    def form(self, form_id: str) -> tuple[str, dict[str, str]]:
        """Return where a form goes and its hidden fields."""
        found = re.search(rf'<form[^>]*id="{form_id}"[^>]*>(.*?)</form>', self.text, re.DOTALL)
        assert found, f"no form {form_id} on {self.words[:300]}"
        action = re.search(r'action="([^"]*)"', found.group(0))
        inputs = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', found.group(1))
        return (unescape(action.group(1)) if action else ""), {name: unescape(value) for name, value in inputs}


@dataclass(frozen=True)
class RoleWrite:
    """One PUT or DELETE of a role that reached Discord."""

    method: str
    username: str
    role: str
    status: int


class Browser:
    """One person's browser: its cookies, and forms it can send."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def open(self, url: str, **options: Any) -> Page:
        """Follow an address to its page."""
        async with self._session.get(url, **options) as response:
            return Page(response.status, await response.text(), str(response.url))

    async def ask(self, method: str, url: str, **options: Any) -> Page:
        """Send any other request, as no page of ours does."""
        async with self._session.request(method, url, **options) as response:
            return Page(response.status, await response.text(), str(response.url))

    async def send(self, page: Page, form_id: str) -> Page:
        """Press the button of a form."""
        action, fields = page.form(form_id)
        url = str(URL(page.url).join(URL(action)))
        origin = str(URL(page.url).origin())
        async with self._session.post(url, data=fields, headers={"Origin": origin}) as response:
            return Page(response.status, await response.text(), str(response.url))

    async def consent(self, authorize_url: str, person_id: str, answer: str = "allow") -> Page:
        """Answer Patreon's consent page as this person, and land on the bot's page."""
        async with self._session.post(authorize_url, data={"user": person_id, "answer": answer}) as response:
            return Page(response.status, await response.text(), str(response.url))

    async def callback_url(self, authorize_url: str, person_id: str) -> str:
        """Answer Patreon's consent page and return where it leads, without going there."""
        form = {"user": person_id, "answer": "allow"}
        async with self._session.post(authorize_url, data=form, allow_redirects=False) as response:
            return response.headers["Location"]


class Stage:
    """One sandbox, one bot, and everybody on it."""

    database_url: ClassVar[str | None] = None  # of every bot that is started, instead of a file of its own

    def __init__(self, options: Options | None = None) -> None:
        options = options or Options(interval=1)
        if self.database_url is not None:
            options.env["DATABASE_URL"] = self.database_url
        options.env.setdefault("LOG_LEVEL", "DEBUG")  # each round is a line, also one in which nothing is new
        self.sandbox = Sandbox(options)
        self._sessions: list[aiohttp.ClientSession] = []

    async def __aenter__(self) -> Self:
        await self.sandbox.__aenter__()
        try:
            if self.sandbox.options.with_bot:
                await self.ready()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions:
            await session.close()
        await self.sandbox.__aexit__(kind, error, trace)

    # --- the bot ----------------------------------------------------------------------------------------------

    async def health(self, port: int | None = None) -> dict[str, Any]:
        """Return /healthz, of one of several processes where its port is named; {} while nobody answers."""
        url = self.sandbox.bot_url if port is None else f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"{url}/healthz") as response:
                    return {**(await response.json()), "http": response.status}
            except aiohttp.ClientError:
                return {}

    async def ready(self) -> None:
        """Wait until every part of every process of the bot works, and the shards are somebody's."""
        await self._well()
        if any(not one.roles or "gateway" in one.roles for one in self.sandbox.bots.members):
            await self.until(self.sandbox.discord.gateway.connected, "a process is at Discord", START_SECONDS)
            await self._well()

    async def _well(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        for one in self.sandbox.bots.members:
            while (health := await self.health(one.port)).get("http") != 200:
                assert one.process.running, f"{one.name} ended:\n" + self.log()
                late = f"{one.name} is not ready: {health}\n{self.log()[-6000:]}"
                assert asyncio.get_running_loop().time() < deadline, late
                await asyncio.sleep(0.1)

    def log(self) -> str:
        """Return the bot's log so far."""
        return "\n".join(self.sandbox.bots.lines)

    async def restart(self) -> None:
        """Stop the bot where it still runs, start it again on the same database, and wait until it works."""
        await self.sandbox.bots.stop()
        await self.sandbox.bots.start()
        await self.ready()

    @property
    def database(self) -> str:
        """The path of the bot's database."""
        return self.sandbox.bot.environment["DATABASE_URL"].partition(":///")[2]

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what stands in the bot's database; `?` stands for a value."""
        if self.database_url is None:
            with contextlib.closing(sqlite3.connect(self.database)) as file:
                return file.execute(statement, values).fetchall()
        with psycopg.connect(self.database_url) as server:
            return server.execute(statement.replace("?", "%s").encode(), values).fetchall()

    async def until(self, is_so: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{self.log()[-6000:]}") from None

    async def rounds(self, count: int = 2) -> None:
        """Wait until so many more whole rounds have ended: `count` of 2 includes one that began after now."""
        await asyncio.sleep(0.05)  # what is logged by now is read now, and no round of before counts
        seen = self.count_rounds()
        await self.until(lambda: self.count_rounds() >= seen + count, f"{count} more rounds", PATIENCE + 10 * count)

    def count_rounds(self) -> int:
        """Return how many whole rounds have ended."""
        return sum(bool(re.search(r"\bround\b.*trigger", line)) for line in self.sandbox.bots.lines)

    async def until_held(self, role: str, *usernames: str) -> None:
        """Wait until the bot has seen the role that it gave: whoever takes it away from then on is a person."""
        held = "SELECT discord_user_id FROM grants WHERE role_id = ? AND state = 'held'"
        people = {int(self.user_id(username)) for username in usernames}
        role_id = int(self.role_id(role))
        await self.until(
            lambda: people <= {person for (person,) in self.query(held, role_id)}, f"{role} is seen on {usernames}"
        )

    async def until_noted(self, *notes: str) -> None:
        """Wait until /healthz shows these notes, and no others."""
        shown: object = None
        try:
            async with asyncio.timeout(PATIENCE):
                while (shown := (await self.health()).get("notes")) != [*notes]:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the notes are {shown}, and not {notes}\n{self.log()[-6000:]}") from None

    async def move(self, step: timedelta) -> None:
        """Move the sandbox's time, and wait until the bot has followed."""
        clock = self.sandbox.clock
        clock.move(step)
        self.sandbox.patreon.state.catch_up(clock.now())
        before = clock.asked.copy()

        def have_asked_twice() -> bool:  # whoever asks again has taken the answer
            now, running = clock.asked - before, [one.process for one in self.sandbox.bots.members]
            return all(now[one.pid] + now[None] >= 2 for one in running if one.running and not one.paused)

        await self.until(have_asked_twice, "the bot's clock has followed")

    def weather(
        self, service: Service, route: str, fault: str, *, times: int | None = None, after: int = 0, above: int = 0
    ) -> None:
        """Switch a fault on."""
        self.sandbox.weather.set(Fault(service, route, fault, times, after, above))

    # --- Discord ----------------------------------------------------------------------------------------------

    def user_id(self, username: str) -> str:
        """Return the id of a Discord user."""
        return next(user.id for user in self.sandbox.world.discord.users.values() if user.username == username)

    def role_id(self, name: str) -> str:
        """Return the id of a role of the guild."""
        return next(role.id for role in self.sandbox.world.guild.roles.values() if role.name == name)

    def roles(self, username: str) -> set[str]:
        """Return the names of the roles that a member has now."""
        guild = self.sandbox.world.guild
        return {guild.roles[role_id].name for role_id in guild.members[self.user_id(username)].role_ids}

    async def command(self, username: str, path: str, **options: Any) -> Interaction:
        """Run a slash command and wait for its answer."""
        interaction = await self.sandbox.discord.run_command(self.user_id(username), path, options)
        assert await interaction.answered(PATIENCE), f"/{path}: {interaction.state}\n{self.log()[-6000:]}"
        return interaction

    async def say(self, username: str, path: str, **options: Any) -> str:
        """Run a slash command and return all words of its answer."""
        return words((await self.command(username, path, **options)).messages)

    async def until_said(self, said: str, username: str, path: str, seconds: float = PATIENCE, **options: Any) -> str:
        """Run a slash command again until its answer says something, and return all of its words."""
        last = ""
        try:
            async with asyncio.timeout(seconds):
                while said not in (last := await self.say(username, path, **options)):
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"/{path} does not say {said!r}, but: {last}\n{self.log()[-6000:]}") from None
        return last

    async def press(self, username: str, message: Message, prefix: str, seconds: float = PATIENCE) -> Interaction:
        """Press the button whose custom_id begins so."""
        buttons = [one["custom_id"] for one in flat_components(message.components) if one["custom_id"]]
        custom_id = next((one for one in buttons if one.startswith(prefix)), None)
        assert custom_id, f"no button {prefix}* among {buttons} on {words([message])}"
        interaction = await self.sandbox.discord.press(self.user_id(username), message.id, custom_id)
        assert await interaction.answered(seconds), f"{custom_id}: {interaction.state}\n{self.log()[-6000:]}"
        return interaction

    def direct_messages(self, username: str) -> list[Message]:
        """Return the bot's direct messages to someone."""
        channels = self.sandbox.world.discord.channels
        seen = self.sandbox.discord.messages_for(self.user_id(username))
        return [message for message in seen if channels[message.channel_id].guild_id is None]

    async def add_rule(
        self, role: str = "Gold", tier: str | None = "Gold", kind: str = "tier", who: str = ADMIN
    ) -> str:
        """Write a rule as an admin."""
        options = {"role": self.role_id(role), "kind": kind}
        if tier is not None:
            options["tier"] = self.tier_id(tier)
        return await self.say(who, "patreon rule add", **options)

    @property
    def role_writes(self) -> list[RoleWrite]:
        """Every write of a role so far, in the order in which Discord answered."""
        found = [(call, re.search(r"/members/(\d+)/roles/(\d+)$", call.path)) for call in self.sandbox.discord.calls]
        users, roles = self.sandbox.world.discord.users, self.sandbox.world.guild.roles
        return [
            RoleWrite(call.method, users[at[1]].username, roles[at[2]].name if at[2] in roles else "", call.status)
            for call, at in found
            if at is not None
        ]

    def logged(self, text: str) -> int:
        """Count the messages in the server's channels that hold these words."""
        seen = self.sandbox.discord.messages_for(self.user_id(ADMIN))
        return sum(text in words_of(message) for message in seen if not message.ephemeral)

    async def choose_log_channel(self) -> None:
        """Let the bot tell what it does in #bot-log."""
        channels = self.sandbox.world.discord.channels.values()
        channel = next(one.id for one in channels if one.name == "bot-log")
        await self.say(ADMIN, "patreon settings", log_channel=channel)

    # --- Patreon ----------------------------------------------------------------------------------------------

    def patron_id(self, name: str) -> str:
        """Return the id of a person on Patreon."""
        return next(one.id for one in self.sandbox.world.patreon.people.values() if one.full_name == name)

    def add_named_patron(self, username: str, tier: str = "Gold", **joined: Any) -> None:
        """Add a member who is a patron of the same name, and whom Patreon names by itself."""
        world = self.sandbox.world
        user = world.discord.add_user(username)
        world.discord.add_member(world.guild, user, **joined)
        of = next(one for one in world.campaign.tiers if one.title == tier)
        world.patreon.add_member(world.patreon.add_patron(username, discord_user_id=user.id), of)

    def count_refreshes(self) -> int:
        """Return how often the bot asked for a token."""
        return sum(call.route == "POST /api/oauth2/token" for call in self.sandbox.patreon.calls)

    async def webhook(self) -> Webhook:
        """Return the webhook that the bot made, once it knows the secret."""
        await self.until(lambda: self.query("SELECT 1 FROM webhooks"), "a webhook that the bot made")
        (webhook,) = self.sandbox.patreon.state.webhooks.values()
        return webhook

    def tier_id(self, title: str) -> str:
        """Return the id of a tier."""
        return next(tier.id for tier in self.sandbox.world.campaign.tiers if tier.title == title)

    # --- linking ----------------------------------------------------------------------------------------------

    def browser(self, languages: str = "en-GB,en;q=0.9") -> Browser:
        """Open a browser of its own, whose user reads these languages."""
        headers = {"Accept-Language": languages}
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers)
        self._sessions.append(session)
        return Browser(session)

    async def authorize_url(self, username: str) -> str:
        """Type /link and return the address on its button, wherever that button came."""
        interaction = await self.command(username, "link")
        direct = self.direct_messages(username)[-1:]
        for message in [*direct, *interaction.messages]:
            for one in flat_components(message.components):
                if one["url"]:
                    return str(one["url"])
        raise AssertionError(f"no link button in {words([*direct, *interaction.messages])}")

    async def link_when_back(self, username: str, patron: str) -> Page:
        """Link, once the bot answers commands again."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    return await self.link(username, patron)
                except (AssertionError, ActionError):
                    await asyncio.sleep(0.5)

    async def link(self, username: str, patron: str) -> Page:
        """Go the whole way from /link to the page after Yes."""
        browser = self.browser()
        page = await browser.consent(await self.authorize_url(username), self.patron_id(patron))
        return await browser.send(page, "confirm") if page.result == "confirm" else page


def words(messages: list[Message]) -> str:
    """Return all visible words of messages."""
    return "\n".join(words_of(message) for message in messages)
