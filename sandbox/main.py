"""Start the sandbox: build the world, serve the two stand-ins and the page, run the bot between them.

`Sandbox` is the same thing for tests: `async with Sandbox(Options()) as sandbox: sandbox.page_url …`.
"""

import asyncio
import gc
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.botprocess import BotProcess
from sandbox.bots import Bots
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordStandIn
from sandbox.front import Front
from sandbox.options import Options, bot_environment, read_options
from sandbox.page import PageServer, Parts
from sandbox.page.live import Live
from sandbox.page.roster import Rosters
from sandbox.page.timeline import Timeline
from sandbox.patreon import PatreonStandIn
from sandbox.ports import PortTaken, check_bot_port, port_named, quiet_port
from sandbox.postgres import NoPostgres, running_postgres
from sandbox.saved import BadWorldFile, read_world
from sandbox.weather import Weather
from sandbox.world import World, build_world

__all__ = ["Options", "Sandbox", "main"]


class Sandbox:
    """One world, served; everything that it opened is closed again in reverse."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.clock = SandboxClock()
        self.weather = Weather()
        self.bot_url = f"http://127.0.0.1:{self.options.bot_port or quiet_port()}"
        self.world: World = self._opening_world()
        self.discord = DiscordStandIn(self.world.discord, clock=self.clock, weather=self.weather)
        self.discord.gateway.shards = self.options.shards
        self.patreon = PatreonStandIn(self.world.patreon, clock=self.clock, weather=self.weather)
        self.bots = Bots(self.options.layout, port=int(self.bot_url.rpartition(":")[2]), command=self.options.command)
        self._live = Live()
        self._parts = Parts(
            clock=self.clock,
            weather=self.weather,
            world=self.world,
            discord=self.discord,
            patreon=self.patreon,
            bots=self.bots,
            bot_url=self.bot_url,
            live=self._live,
            timeline=Timeline(
                clock=self.clock, discord=self.discord, patreon=self.patreon, bots=self.bots, live=self._live
            ),
            rosters=Rosters(self.discord),
        )
        self._page = PageServer(self._parts)
        self._stack = AsyncExitStack()

    def _opening_world(self) -> World:
        options = self.options
        redirect_uris = [*options.redirect_uris, f"{self.bot_url}/oauth/callback"]
        if options.load is not None:
            return read_world(options.load, clock=self.clock, redirect_uris=redirect_uris)
        return build_world(
            clock=self.clock,
            seed=options.seed,
            redirect_uris=redirect_uris,
            api_version=1 if options.env.get("PATREON_API_VERSION") == "v1" else 2,
            size=options.world,
        )

    @property
    def bot(self) -> BotProcess:
        """The bot's process, or the first of several."""
        return self.bots.first

    @property
    def page_url(self) -> str:
        """The page's address, once it is served."""
        return self._page.url

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            await self._open(opening)
            self._stack = opening.pop_all()
        return self

    async def _open(self, stack: AsyncExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pledgekeeper-sandbox-")))
        for part, name, port in (
            (self.discord, "discord", self.options.discord_port),
            (self.patreon, "patreon", self.options.patreon_port),
            (self._page, "page", self.options.port),
        ):
            stack.push_async_callback(part.stop)
            with port_named(name, port):
                await part.start(port)
        if self.options.with_bot:
            check_bot_port(self.options.bot_port)
        self._tell_the_page()
        self._parts.rosters.warm(self.world.guild)
        environment = bot_environment(self._parts, self.options, page_url=self.page_url, directory=directory)
        if self.bots.are_several:
            await self._open_cluster(stack, environment)
        self.bots.prepare(environment)
        stack.push_async_callback(self.bots.stop)
        if self.options.with_bot:
            await self.bots.start()

    async def _open_cluster(self, stack: AsyncExitStack, environment: dict[str, str]) -> None:
        """Put one address before all that serve pages, and a database under all, unless one is named."""
        front = Front(lambda: [one.port for one in self.bots.members if one.answers])
        stack.push_async_callback(front.stop)
        port = int(self.bot_url.rpartition(":")[2])
        with port_named("bot", port):
            await front.start(port)
        if "DATABASE_URL" not in self.options.env:
            environment["DATABASE_URL"] = stack.enter_context(running_postgres()).url("postgres")

    def _tell_the_page(self) -> None:
        for source in (self.discord, self.patreon, self.bots):
            source.on_change(self._live.tell)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def main(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    options = read_options(argv)
    try:
        asyncio.run(_serve(options))
    except PortTaken as error:
        sys.stderr.write(f"The sandbox could not start: {error}\n")
        return 1
    except NoPostgres as error:
        sys.stderr.write(f"The sandbox could not start: {error}\n")
        return 1
    except BadWorldFile as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _serve(options: Options) -> None:
    stopped = asyncio.Event()
    _set_at_signals(stopped)
    gc.disable()  # a large world is made of millions of records, none of which is garbage, now or later
    sandbox = Sandbox(options)
    gc.freeze()
    gc.enable()
    async with sandbox:
        _greet(sandbox)
        await stopped.wait()
        _say("Stopping …")


def _set_at_signals(stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # on Windows; there the loop is waked by whatever signal.signal handles
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))


def _greet(sandbox: Sandbox) -> None:
    bot = sandbox.bot_url if sandbox.options.with_bot else "not started (--no-bot)"
    _say(
        f"Open {sandbox.page_url}\n",
        f"  Discord stand-in  {sandbox.discord.url}",
        f"  Patreon stand-in  {sandbox.patreon.url}",
        f"  the bot           {bot}\n",
        "Ctrl-C stops everything.",
    )


def _say(*lines: str) -> None:
    """Speak to whoever started us, at once even into a pipe."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
