"""Builds every object, runs them, and closes them in reverse. The only place that wires."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from bot.client import build_client
from bot.clock import Clock, FollowedClock, SystemClock
from bot.health import HealthBoard
from bot.holder import ClientHolder
from bot.home import Home
from bot.linking.flow import LinkFlow
from bot.messenger import Messenger
from bot.metrics import CONTENT_TYPE_LATEST, Metrics
from bot.model import CredentialId, TokenPair
from bot.patreon.client import Http, PatreonApi, PatreonClient
from bot.patreon.oauth import OAuth
from bot.patreon.tokens import TokenKeeper
from bot.roles.apply import Applier
from bot.roles.facts import Breakers, FactBook
from bot.roles.holds import Holds
from bot.roles.intake import Intake
from bot.roles.nudge import Nudges
from bot.roles.observe import Observer
from bot.roles.planning import Planning
from bot.roles.reconcile import Reconciler
from bot.roles.rounds import Rounds
from bot.roles.rulebook import Rulebook
from bot.roles.write import RoleWriter
from bot.scrape import scrape
from bot.services import Services
from bot.settings import Settings
from bot.storage import Storage
from bot.supervisor import DiscordSupervisor, supervise
from bot.vault import Vault, fingerprint
from bot.web.metrics import metrics_routes
from bot.web.server import WebServer
from bot.web.webhooks import webhook_routes
from bot.webhooks import Place, WebhookDesk, WebhookKeeper
from cogs import add_cogs

log = structlog.get_logger(__name__)

DATABASE_WATCH_SECONDS = 5.0
SWEEP_SECONDS = 60.0
READS_KEPT = timedelta(days=30)
SEED_LIFETIME = timedelta(days=31)  # what Patreon states for any pair (Patreon docs, OAuth)


def run(settings: Settings) -> int:
    """Run the bot until SIGINT or SIGTERM; return the exit code. Raises NeedsOwner where it cannot start."""
    asyncio.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        clock = await _start_clock(stack, settings)
        vault = Vault(settings.encryption_keys)
        storage = await Storage.open(settings.database_url, vault)
        stack.push_async_callback(storage.close)
        http = await stack.enter_async_context(Http())
        services = await _build(settings=settings, clock=clock, storage=storage, http=http)
        await _start(stack, services)
        log.info("pledgekeeper runs", public_url=settings.public_url)
        await stopped.wait()
        log.info("pledgekeeper stops")
    log.info("pledgekeeper stopped")


async def _start_clock(stack: contextlib.AsyncExitStack, settings: Settings) -> Clock:
    if settings.clock_url is None:
        return SystemClock()
    session = await stack.enter_async_context(aiohttp.ClientSession())
    clock = FollowedClock(session, settings.clock_url)
    await clock.read()
    await _keep_running(stack, "clock", clock.follow())
    return clock


async def _build(*, settings: Settings, clock: Clock, storage: Storage, http: Http) -> Services:
    health = HealthBoard(clock)
    oauth = OAuth(
        http,
        base_url=settings.patreon_url,
        client_id=settings.patreon_client_id,
        client_secret=settings.patreon_client_secret,
        redirect_uri=settings.redirect_uri,
        clock=clock,
    )
    api = PatreonApi(settings.patreon_api_version)
    client = PatreonClient(http, api=api, base_url=settings.patreon_url, clock=clock)
    keeper = TokenKeeper(store=storage.credentials, oauth=oauth, clock=clock)
    holder = ClientHolder()
    messenger = Messenger(storage=storage, holder=holder, clock=clock)
    observer, breakers = Observer(holder), Breakers()
    facts = FactBook(storage=storage, observer=observer, breakers=breakers, clock=clock)
    applier = Applier(
        storage=storage,
        writer=RoleWriter(holder),
        observer=observer,
        breakers=breakers,
        herald=messenger,
        clock=clock,
    )
    holds = Holds(storage=storage, herald=messenger, clock=clock)
    planning = Planning(storage=storage, observer=observer, facts=facts, holds=holds)
    reconciler = Reconciler(
        storage=storage, observer=observer, planning=planning, applier=applier, herald=messenger, clock=clock
    )
    intake = Intake(storage=storage, client=client, keeper=keeper, clock=clock)
    reconciler.on_follow = intake.forget
    home = Home(
        storage=storage,
        client=client,
        keeper=keeper,
        clock=clock,
        guild_id=settings.discord_guild_id,
        campaign_id=settings.patreon_campaign_id,
        credential_id=await _plant_seed(storage, settings, clock),
    )
    rounds = Rounds(
        storage=storage,
        home=home,
        intake=intake,
        reconciler=reconciler,
        herald=messenger,
        health=health,
        clock=clock,
    )
    flow = LinkFlow(
        storage=storage, oauth=oauth, client=client, api=api, clock=clock, roles=reconciler, messenger=messenger
    )
    nudges = Nudges(storage=storage, intake=intake, rounds=rounds, reconciler=reconciler, observer=observer, api=api)
    webhooks = WebhookKeeper(
        storage=storage,
        client=client,
        tokens=keeper,
        home=home,
        herald=messenger,
        clock=clock,
        api=api,
        place=Place(
            public_url=settings.public_url,
            patreon_url=settings.patreon_url,
            secret=settings.patreon_webhook_secret,
        ),
    )
    metrics = Metrics(clock)
    http.observer = metrics.note_call
    reconciler.on_turn = metrics.note_turn
    rounds.on_read += [metrics.note_read, nudges.note_read, webhooks.note_read]
    return Services(
        settings=settings,
        clock=clock,
        storage=storage,
        flow=flow,
        observer=observer,
        reconciler=reconciler,
        breakers=breakers,
        holds=holds,
        rounds=rounds,
        rulebook=Rulebook(storage=storage, observer=observer, facts=facts, clock=clock),
        nudges=nudges,
        webhooks=webhooks,
        metrics=metrics,
        intake=intake,
        keeper=keeper,
        health=health,
        messenger=messenger,
        holder=holder,
    )


async def _plant_seed(storage: Storage, settings: Settings, clock: Clock) -> CredentialId | None:
    """Take the creator's pair of the settings, or the pair that it was rotated to meanwhile."""
    access, refresh = settings.patreon_creator_access_token, settings.patreon_creator_refresh_token
    if access is None or refresh is None:
        return None
    # Nobody knows when a pair from the portal ends: it counts as good until Patreon refuses it, then it is refreshed.
    seed = TokenPair(access_token=access, refresh_token=refresh, expires_at=clock.now() + SEED_LIFETIME)
    stored = await storage.credentials.ensure_seed(seed, fingerprint(refresh), at=clock.now())
    return stored.credential_id


async def _start(stack: contextlib.AsyncExitStack, services: Services) -> None:
    """Start what runs for ever. It ends in reverse: no new requests, then the work under way, then Discord."""
    settings, health = services.settings, services.health
    stack.push_async_callback(services.keeper.close)
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
    )
    await _keep_running(stack, "discord", supervisor.run())
    for part in (services.reconciler, services.rounds, services.nudges, services.flow):
        stack.push_async_callback(part.close)
    await _keep_running(stack, "sweeper", supervise("sweeper", lambda: _sweep(services), health=health))
    await _keep_running(stack, "webhooks", supervise("webhooks", services.webhooks.run, health=health))
    server = WebServer(flow=services.flow, health=health, public_url=settings.public_url, routes=_routes(services))
    await server.start(settings.web_host, settings.web_port)
    stack.push_async_callback(server.stop)


def _routes(services: Services) -> list[web.RouteDef]:
    """Return the routes that are no pages: for Patreon's webhooks and for Prometheus."""
    desk = WebhookDesk(keeper=services.webhooks, nudges=services.nudges)
    return [
        *webhook_routes(desk, note=services.metrics.note_webhook),
        *metrics_routes(
            lambda: scrape(services), token=services.settings.metrics_token, content_type=CONTENT_TYPE_LATEST
        ),
    ]


async def _keep_running(stack: contextlib.AsyncExitStack, name: str, work: Coroutine[Any, Any, object]) -> None:
    """Run `work` until the stack unwinds."""
    task = asyncio.create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)


async def _watch_database(services: Services) -> None:
    """Ask the database for something small, again and again."""
    while True:
        await services.storage.campaigns.bindings()
        services.health.ok("database")
        await asyncio.sleep(DATABASE_WATCH_SECONDS)


async def _sweep(services: Services) -> None:
    """Forget what has run out."""
    while True:
        await services.flow.sweep()
        await services.storage.reads.purge(services.clock.now() - READS_KEPT)
        await asyncio.sleep(SWEEP_SECONDS)
