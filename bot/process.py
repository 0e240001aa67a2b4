"""One process of the bot: opens the database, starts what runs for ever, and stops it in reverse.

Every process builds all objects (`app.py`); its roles say which of the loops it starts. They are all started in
`_start` and ended by the end of the process. ARCHITECTURE.md (Loops) says what each does, and how often.

Each but Discord's, which keeps itself, begins anew where it ends (`runtime/loops.py`).
"""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from bot import __version__
from bot.app import AddCogs, App, build_app, build_gateway
from bot.discord.gateway import Gateway
from bot.discord.guild_names import GuildNames
from bot.discord.holder import DiscordAway
from bot.domain.errors import SettingsInvalid, Setup
from bot.domain.processes import ALL_ROLES, Process, ProcessRole
from bot.ops.metrics import CONTENT_TYPE_LATEST
from bot.ops.presence import Presence
from bot.ops.scrape import scrape
from bot.ops.start import tell_start
from bot.runtime.clock import Clock, FollowedClock, SharedClock, SystemClock
from bot.runtime.health import Note
from bot.runtime.logs import watched_log
from bot.runtime.loops import Loop, supervise
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.chores import QueuedChores
from bot.storage.database import patiently
from bot.storage.vault import Vault
from bot.sync.deliveries.inbox import DeliveryInbox
from bot.web.api import api_routes
from bot.web.deliveries import webhook_routes
from bot.web.metrics import metrics_routes
from bot.web.openapi import describe_api
from bot.web.server import WebServer

log = structlog.get_logger(__name__)

DATABASE_WATCH_SECONDS = 5.0
SWEEP_SECONDS = 60.0
RESERVE_LOOK_SECONDS = 1.0
READS_KEPT = timedelta(days=30)
INTERACTIONS_KEPT = timedelta(hours=1)  # Discord takes an answer for a quarter of that
DUE_KEPT = timedelta(days=7)  # of servers that are out of sight
HOOK_EVENTS_KEPT = timedelta(days=3)  # after they arrived, or were given up: `/patreon hooks list` shows the last
COLLECTED_AFTER = 50_000  # objects more: to look at so many takes some milliseconds


def run(
    settings: Settings,
    *,
    add_cogs: AddCogs,
    roles: frozenset[ProcessRole] = ALL_ROLES,
    shard_ids: tuple[int, ...] | None = None,
) -> int:
    """Run the bot, or some roles of it, until SIGINT or SIGTERM; return the exit code.

    Raises NeedsOwner where it cannot start.

    That may come late: a token that Discord refuses is asked for twice. `shard_ids` are the shards to take; None: a
    fair share of them.
    """
    if roles != ALL_ROLES and not settings.is_database_shared:
        raise SettingsInvalid(Setup.ROLES_NEED_POSTGRESQL)
    if shard_ids is not None and not settings.is_database_shared:
        raise SettingsInvalid(Setup.SHARDS_NEED_POSTGRESQL)
    if shard_ids is not None and ProcessRole.GATEWAY not in roles:
        raise SettingsInvalid(Setup.SHARDS_NEED_GATEWAY)
    leave_out_of_collections()
    asyncio.run(_run(settings, add_cogs, roles, shard_ids))
    return 0


async def _run(
    settings: Settings, add_cogs: AddCogs, roles: frozenset[ProcessRole], shard_ids: tuple[int, ...] | None
) -> None:
    stopped = asyncio.Event()
    _set_at_signals(stopped)
    async with contextlib.AsyncExitStack() as stack:
        storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
        stack.push_async_callback(storage.close)
        await patiently(storage.require_settled)
        clock = await _open_clock(stack, settings, storage)
        app = await build_app(settings=settings, clock=clock, storage=storage, roles=roles)
        stack.enter_context(watched_log(app.metrics.note_event))
        stack.push_async_callback(app.http.close)
        gc.freeze()  # what was built since the modules were
        await patiently(app.linking.settle_cut_off)
        lives = await _start(stack, app, build_gateway(app, add_cogs=add_cogs, shard_ids=shard_ids))
        await _until_stopped(stopped, *lives)
        log.info("pledgekeeper stops")
    log.info("pledgekeeper stopped")


def leave_out_of_collections() -> None:
    """Let the cyclic collector pass over what is there by now, and stays: it stops the loop for as long as it looks.

    That was a tenth of a second each time, for modules and classes alone. And it comes when so much more is there than
    went: a page of members, or the facts of those who are planned, is gone again before that.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)


def _set_at_signals(stopped: asyncio.Event) -> None:
    """Let Ctrl-C and SIGTERM set `stopped`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # on Windows; there the loop is waked by whatever signal.signal handles
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))


async def _until_stopped(stopped: asyncio.Event, *lives: asyncio.Task[Any]) -> None:
    """Wait for the signal that stops us. Raises what ended us otherwise, as a token refused."""
    signalled = asyncio.create_task(stopped.wait())
    ended, _ = await asyncio.wait({signalled, *lives}, return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    for life in ended - {signalled}:
        life.result()


async def _open_clock(stack: contextlib.AsyncExitStack, settings: Settings, storage: Storage) -> Clock:
    """Return the sandbox's clock where there is one, the database's where others share it, or else the machine's."""
    if settings.clock_url is None and storage.database.is_shared:
        shared = SharedClock(storage.leases.tell_time)
        await patiently(shared.measure)
        return shared
    if settings.clock_url is None:
        return SystemClock()
    session = await stack.enter_async_context(aiohttp.ClientSession())
    clock = FollowedClock(session, settings.clock_url)
    try:
        await clock.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SettingsInvalid(Setup.CLOCK_SILENT, reason=type(error).__name__) from None
    return clock


async def _start(stack: contextlib.AsyncExitStack, app: App, gateway: Gateway) -> list[asyncio.Task[object]]:
    """Start what runs for ever; return what must not end by itself. Ends in reverse: requests, loops, work, Discord."""
    lives = []
    if ProcessRole.GATEWAY in app.roles:
        lives.append(_keep_running(stack, "discord", gateway.run()))
    stack.push_async_callback(end_work, app)
    for loop in _loops(app):
        _keep_running(stack, loop.name, supervise(loop, health=app.health))
    server = WebServer(
        linking=app.linking,
        connecting=app.connecting,
        health=app.health,
        public_url=app.settings.public_url,
        has_pages=ProcessRole.WEB in app.roles,
        routes=_routes(app),
        trusted_proxies=app.settings.trusted_proxies or (),
    )
    await server.start(app.settings.web_host, app.settings.web_port)
    stack.push_async_callback(server.stop)
    if app.storage.database.is_shared:
        await _be_present(stack, app, server.port)
    start = tell_start(
        settings=app.settings,
        roles=app.roles,
        port=server.port,
        storage=app.storage,
        holder=app.holder,
        health=app.health,
    )
    _keep_running(stack, "summary", start)
    return lives


async def _be_present(stack: contextlib.AsyncExitStack, app: App, port: int) -> None:
    """Be known to the other processes, until the stack unwinds."""
    process = Process(
        process_id=app.process_id,
        roles=app.roles,
        address=f"{app.settings.web_host}:{port}",
        version=__version__,
        since=app.clock.now(),
    )
    sealing, keys = app.storage.sealing, app.storage.vault.key_fingerprints
    presence = Presence(app.storage.processes, process, sealing=sealing, keys=keys)
    stack.push_async_callback(presence.leave)
    _keep_running(stack, "presence", supervise(Loop("presence", presence.run), health=app.health))


def _loops(app: App) -> Iterator[Loop]:
    """Yield what begins anew where it ends, without the loop of our presence, which has a port to name."""
    if isinstance(app.clock, FollowedClock | SharedClock):
        yield Loop("clock", app.clock.follow)
    yield Loop("database", lambda: _watch_database(app), part="database")
    if app.bell is not None:
        yield Loop("bell", app.bell.run)
    if ProcessRole.GATEWAY in app.roles:
        yield from _gateway_loops(app)
    if ProcessRole.WORKER in app.roles:
        yield from _worker_loops(app)


def _gateway_loops(app: App) -> Iterator[Loop]:
    yield Loop("due", app.due.run)
    yield Loop("resync", lambda: app.resync.keep_going(until_ready=app.holder.wait_ever))
    if app.storage.database.is_shared:
        yield Loop("pace", app.request_pace.run)
        yield Loop("outbox", app.outbox.run)
        yield Loop("names", GuildNames(holder=app.holder, storage=app.storage).run)
    yield Loop("links", app.aftermaths.run)
    yield Loop("comps", app.comp_ends.run)
    yield Loop("members", app.member_presence.run)


def _worker_loops(app: App) -> Iterator[Loop]:
    interval = app.settings.sync_interval_seconds
    yield Loop("sweeper", lambda: _sweep(app))
    yield Loop("nudges", app.nudges.run)
    yield Loop("hooks", app.hook_deliveries.run)
    yield Loop("pairs", lambda: app.turns.run("loop:pairs", app.pairs.run))
    yield Loop("consents", lambda: app.turns.run("loop:consents", app.consents.keep_reading))
    yield Loop("webhooks", lambda: app.turns.run("loop:webhooks", app.webhooks.run))
    yield Loop("rounds", lambda: app.rounds.keep_running(interval, until_ready=lambda: _plannable(app)), part="sync")
    if isinstance(app.chores, QueuedChores):
        yield Loop("chores", app.chores.run)


async def _plannable(app: App) -> None:
    """Wait for Discord where this process will soon be at it: so the first round finds whom it plans."""
    while ProcessRole.GATEWAY in app.roles and not app.health.has(Note.IN_RESERVE):
        with contextlib.suppress(DiscordAway):
            await app.holder.wait_ready(RESERVE_LOOK_SECONDS)
            return


def _keep_running(
    stack: contextlib.AsyncExitStack, name: str, work: Coroutine[Any, Any, object]
) -> asyncio.Task[object]:
    """Run `work` until the stack unwinds."""
    task = asyncio.create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    return task


async def end_work(app: App) -> None:
    """Let the work under way end, all of it within the same few seconds: SIGTERM is followed by SIGKILL somewhere."""
    working = (
        app.keeper,
        app.observer,
        app.due,
        app.reconciler,
        app.rounds,
        app.nudges,
        app.hook_deliveries,
        app.linking,
        app.connecting,
        app.unlinker,
        app.disconnector,
        app.chores,
    )
    await asyncio.gather(*(part.close() for part in working))
    await app.notifier.close()


def _routes(app: App) -> list[web.RouteDef]:
    """Return the routes that are no pages: for Prometheus, and on the web for Patreon's webhooks and other programs."""
    routes = metrics_routes(
        lambda: render_metrics(app), token=app.settings.metrics_token, content_type=CONTENT_TYPE_LATEST
    )
    if ProcessRole.WEB in app.roles:
        inbox = DeliveryInbox(at_patreon=app.webhooks_at_patreon, keeper=app.webhooks, nudges=app.nudges)
        routes += webhook_routes(inbox, note=app.metrics.note_webhook)
        description = describe_api(app.settings.public_url)
        routes += api_routes(app.api_access, app.member_answers, description=description)
    return routes


async def render_metrics(app: App) -> bytes:
    """Return what Prometheus reads."""
    return await scrape(
        app.metrics,
        roles=app.roles,
        clock=app.clock,
        sync_interval_seconds=app.settings.sync_interval_seconds,
        storage=app.storage,
        holder=app.holder,
        reconciler=app.reconciler,
        breakers=app.breakers,
        role_writer=app.role_writer,
        webhooks=app.webhooks,
        health=app.health,
    )


async def _watch_database(app: App) -> None:
    """Ask the database for something small, again and again."""
    while True:
        await app.storage.campaigns.bindings()
        app.health.ok("database")
        await asyncio.sleep(DATABASE_WATCH_SECONDS)


async def _sweep(app: App) -> None:
    """Forget what has expired."""
    while True:
        await app.storage.links.look_after_ends(app.clock.now())
        await app.linking.sweep()
        await app.storage.reads.purge(app.clock.now() - READS_KEPT)
        await app.storage.due.purge(DUE_KEPT)
        await app.storage.comps.purge()
        await app.storage.hooks.purge(app.clock.now() - HOOK_EVENTS_KEPT)
        if app.storage.database.is_shared:
            await app.storage.interactions.purge(INTERACTIONS_KEPT)
            await app.storage.paces.purge()
            await app.outbox.sweep()
        await asyncio.sleep(SWEEP_SECONDS)
