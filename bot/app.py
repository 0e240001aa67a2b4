"""Runs what `build.py` built, and closes it in reverse. The only module that joins the bot with its commands."""

import asyncio
import contextlib
import math
import os
import signal
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from bot.build import build
from bot.discord.client import build_client
from bot.discord.supervisor import DiscordSupervisor, supervise
from bot.domain.errors import SettingsInvalid, Setup
from bot.ops.metrics import CONTENT_TYPE_LATEST
from bot.ops.scrape import scrape
from bot.patreon.client import Http
from bot.runtime.clock import Clock, FollowedClock, SystemClock
from bot.services import Services
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import Vault
from bot.sync.deliveries.desk import WebhookDesk
from bot.web.deliveries import webhook_routes
from bot.web.metrics import metrics_routes
from bot.web.server import WebServer
from cogs import add_cogs

log = structlog.get_logger(__name__)

DATABASE_WATCH_SECONDS = 5.0
SWEEP_SECONDS = 60.0
RESUME_SECONDS = 60.0
READS_KEPT = timedelta(days=30)


def run(settings: Settings) -> int:
    """Run the bot until SIGINT or SIGTERM; return the exit code. Raises NeedsOwner where it cannot start.

    That may come late: a token that Discord refuses is asked for twice.
    """
    os.umask(0o077)  # what we write holds who is linked to whom
    asyncio.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    stopped = asyncio.Event()
    _set_at_signals(stopped)
    async with contextlib.AsyncExitStack() as stack:
        clock = await _start_clock(stack, settings)
        vault = Vault(settings.encryption_keys)
        storage = await Storage.open(settings.database_url, vault)
        stack.push_async_callback(storage.close)
        http = await stack.enter_async_context(Http())
        services = await build(settings=settings, clock=clock, storage=storage, http=http)
        await services.flow.settle_cut_off()  # nobody else works on this database
        discord_life = await _start(stack, services)
        log.info("pledgekeeper runs", public_url=settings.public_url)
        await _until_stopped(stopped, discord_life)
        log.info("pledgekeeper stops")
    log.info("pledgekeeper stopped")


def _set_at_signals(stopped: asyncio.Event) -> None:
    """Let Ctrl-C and SIGTERM set `stopped`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # on Windows; there the loop is waked by whatever signal.signal handles
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))


async def _until_stopped(stopped: asyncio.Event, discord_life: asyncio.Task[object]) -> None:
    """Wait for the signal that stops us. Raises SettingsInvalid where Discord refuses the token from the start."""
    signalled = asyncio.create_task(stopped.wait())
    await asyncio.wait({signalled, discord_life}, return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    if discord_life.done():
        discord_life.result()


async def _start_clock(stack: contextlib.AsyncExitStack, settings: Settings) -> Clock:
    if settings.clock_url is None:
        return SystemClock()
    session = await stack.enter_async_context(aiohttp.ClientSession())
    clock = FollowedClock(session, settings.clock_url)
    try:
        await clock.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SettingsInvalid(Setup.CLOCK_SILENT, reason=type(error).__name__) from None
    await _keep_running(stack, "clock", clock.follow())
    return clock


async def _start(stack: contextlib.AsyncExitStack, services: Services) -> asyncio.Task[object]:
    """Start what runs for ever; return the task of Discord. It ends in reverse: requests, work under way, Discord."""
    settings, health = services.settings, services.health
    await _keep_running(
        stack,
        "database watch",
        supervise("database", lambda: _watch_database(services), health=health, part="database"),
    )
    supervisor = DiscordSupervisor(
        lambda has_intent: build_client(services, add_cogs=add_cogs, has_members_intent=has_intent),
        token=settings.discord_token,
        holder=services.holder,
        health=health,
        home_guild_id=settings.discord_guild_id,
    )
    discord_life = await _keep_running(stack, "discord", supervisor.run())
    stack.push_async_callback(_close_all, services)
    await _keep_running(stack, "sweeper", supervise("sweeper", lambda: _sweep(services), health=health))
    await _keep_running(stack, "links", supervise("links", lambda: _resume_links(services), health=health))
    await _keep_running(stack, "pairs", supervise("pairs", services.pairs.run, health=health))
    await _keep_running(stack, "consents", supervise("consents", services.consents.keep_reading, health=health))
    await _keep_running(stack, "webhooks", supervise("webhooks", services.webhooks.run, health=health))
    server = WebServer(
        flow=services.flow,
        connecting=services.connecting,
        health=health,
        public_url=settings.public_url,
        routes=_routes(services),
    )
    await server.start(settings.web_host, settings.web_port)
    stack.push_async_callback(server.stop)
    return discord_life


async def _close_all(services: Services) -> None:
    """Let the work under way end, all of it within the same few seconds: SIGTERM is followed by SIGKILL somewhere."""
    working = (
        services.keeper,
        services.reconciler,
        services.rounds,
        services.nudges,
        services.flow,
        services.connecting,
        services.disconnector,
    )
    await asyncio.gather(*(part.close() for part in working))


def _routes(services: Services) -> list[web.RouteDef]:
    """Return the routes that are no pages: for Patreon's webhooks and for Prometheus."""
    desk = WebhookDesk(keeper=services.webhooks, nudges=services.nudges)
    return [
        *webhook_routes(desk, note=services.metrics.note_webhook),
        *metrics_routes(
            lambda: scrape(services), token=services.settings.metrics_token, content_type=CONTENT_TYPE_LATEST
        ),
    ]


async def _keep_running(
    stack: contextlib.AsyncExitStack, name: str, work: Coroutine[Any, Any, object]
) -> asyncio.Task[object]:
    """Run `work` until the stack unwinds."""
    task = asyncio.create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    return task


async def _watch_database(services: Services) -> None:
    """Ask the database for something small, again and again."""
    while True:
        await services.storage.campaigns.bindings()
        services.health.ok("database")
        await asyncio.sleep(DATABASE_WATCH_SECONDS)


async def _resume_links(services: Services) -> None:
    """While Discord is there, go on with the links whose news were cut off, as by the end of the process before."""
    while True:
        await services.holder.wait_ready(math.inf)
        await services.flow.resume()
        await asyncio.sleep(RESUME_SECONDS)


async def _sweep(services: Services) -> None:
    """Forget what has run out."""
    while True:
        await services.flow.sweep()
        await services.storage.reads.purge(services.clock.now() - READS_KEPT)
        await asyncio.sleep(SWEEP_SECONDS)
