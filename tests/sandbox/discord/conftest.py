"""A small server on a running stand-in, a bare HTTP client for it, and the real discord.py connected to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from sandbox.clock import SandboxClock
from sandbox.discord import Channel, DiscordStandIn, DiscordState, Guild, Limit, Role, User
from sandbox.weather import Fault, Weather

SOON = 40.0
AMPLE = Limit(10_000, 1.0)


@dataclass
class World:
    """A server with the bot, its owner, Ada, and a role on each side of the bot's."""

    state: DiscordState
    guild: Guild
    channel: Channel
    owner: User
    ada: User
    gold: Role
    above: Role

    @property
    def member(self) -> str:
        return f"/guilds/{self.guild.id}/members/{self.ada.id}"


@dataclass
class Reply:
    status: int
    headers: Any
    body: Any

    @property
    def code(self) -> int:
        return int(self.body["code"])


Api = Callable[..., Coroutine[Any, Any, Reply]]


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
def world(clock: SandboxClock) -> World:
    state = DiscordState(clock=clock)
    guild = state.add_guild("Lighthouse", "keeper")
    ada = state.add_user("ada", "Ada")
    state.add_member(guild, ada)
    gold = state.add_role(guild, "Gold", colour=0xFFD700)
    above = state.add_role(guild, "Above the bot", position=50)
    channel = next(iter(guild.channels.values()))
    return World(state, guild, channel, state.users[guild.owner_id], ada, gold, above)


@pytest.fixture
async def standin(world: World, clock: SandboxClock, weather: Weather) -> AsyncIterator[DiscordStandIn]:
    standin = DiscordStandIn(world.state, clock=clock, weather=weather)
    standin.limits.limits = dict.fromkeys(standin.limits.limits, AMPLE)
    standin.limits.global_a_second = None
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
def strike(weather: Weather) -> Callable[[str, str], None]:
    """Switch a fault on for the next request to a route."""
    return lambda route, fault: weather.set(Fault("discord", route, fault, times=1))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def api(standin: DiscordStandIn, http: aiohttp.ClientSession) -> Api:
    """Ask the REST API as the bot: `await api("GET", "/users/@me")`."""

    async def ask(method: str, path: str, *, token: str | None = None, **kwargs: Any) -> Reply:
        own = f"Bot {standin.state.bot_token}" if token is None else token
        headers = {"Authorization": own} | kwargs.pop("headers", {})
        url = yarl.URL(standin.url + path, encoded=True)
        async with http.request(method, url, headers=headers, **kwargs) as answer:
            body = await answer.json() if answer.content_type == "application/json" else await answer.text()
            return Reply(answer.status, answer.headers, body)

    return ask


class Bot(discord.Client):
    """The real client library, with a command tree and a list of what it heard."""

    def __init__(self, **options: Any) -> None:
        super().__init__(guild_ready_timeout=0.05, **options)
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.heard.put_nowait((event, args))

    async def hear(self, wanted: str, *, within: float = SOON) -> Any:
        """Wait for the next event of this name."""
        async with asyncio.timeout(within):
            while True:
                event, args = await self.heard.get()
                if event == wanted:
                    return args


RunBot = Callable[[Bot], AbstractAsyncContextManager[Bot]]


@pytest.fixture
def library(standin: DiscordStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point discord.py's two addresses at the stand-in, for this test only."""
    monkeypatch.setattr(Route, "BASE", standin.url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(standin.gateway.url))


@pytest.fixture
def run_bot(standin: DiscordStandIn, library: None) -> RunBot:
    """Connect a bot until the end of the block; its commands are synced first."""

    @contextlib.asynccontextmanager
    async def run(bot: Bot) -> AsyncIterator[Bot]:
        running = asyncio.create_task(bot.start(standin.state.bot_token))
        try:
            ready = asyncio.create_task(bot.hear("ready", within=SOON))
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                ready.cancel()
                await running
            await ready
            if bot.tree.get_commands():
                await bot.tree.sync()
            yield bot
        finally:
            await bot.close()
            await asyncio.wait({running})

    return run


@pytest.fixture
def intents() -> discord.Intents:
    return discord.Intents(guilds=True, members=True)


@pytest.fixture
def bot(intents: discord.Intents) -> Bot:
    return Bot(intents=intents)
