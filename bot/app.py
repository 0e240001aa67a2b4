"""Builds every object by name, each from those above it; starts what runs for ever, and stops it in reverse.

Nothing else wires. Every process builds all of it; its roles say which of the loops it starts. They are all started in
`_start` and ended by the end of the process:

| loop     | role    | begins              | how often                     | what it does                          |
|----------|---------|---------------------|-------------------------------|---------------------------------------|
| clock    | any     | with CLOCK_URL      | twice a second                | follows the sandbox's time            |
| clock    | any     | else, on PostgreSQL | every minute                  | follows the database's time           |
| database | any     | at the start        | every 5 seconds               | asks something small, for /healthz    |
| bell     | any     | on PostgreSQL       | whenever it rings             | hears that another stored a fact      |
| presence | any     | on PostgreSQL       | every 3 seconds               | lets the others know of this process  |
| discord  | gateway | at the start        | one client after the other    | takes shards, and stays connected     |
| due      | gateway | at the start        | every 2 seconds, or when rung | takes who waits into the queues       |
| resync   | gateway | with Discord        | every SYNC_INTERVAL_SECONDS   | plans a slice of everyone in sight    |
| outbox   | gateway | on PostgreSQL       | every 2 seconds, or when rung | says what other processes left to say |
| names    | gateway | on PostgreSQL       | every 5 seconds               | stores what servers are called        |
| links    | gateway | with Discord        | every minute, or when rung    | goes on with what follows a consent   |
| sweeper  | worker  | at the start        | every minute                  | forgets what has expired              |
| nudges   | worker  | at the start        | every 2 seconds, or when told | reads again whom webhooks named       |
| pairs    | worker  | at the start        | every 10 seconds              | finds which of a person's pairs lives |
| consents | worker  | at the start        | every SYNC_INTERVAL_SECONDS   | reads where no creator's token does   |
| webhooks | worker  | at the start        | every 2 seconds, or when due  | looks after our webhooks at Patreon   |
| rounds   | worker  | with Discord        | every SYNC_INTERVAL_SECONDS   | reads campaigns, plans who changed    |
| chores   | worker  | on PostgreSQL       | every second, or when asked   | does what any process asked for       |

Each but Discord's, which keeps itself, begins anew where it ends (`runtime/loops.py`).
"""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from bot import __version__
from bot.discord.client import PledgekeeperBot, ask_recommended_shards, build_client
from bot.discord.direct_messages import DirectMessages
from bot.discord.gateway import Gateway
from bot.discord.guild_names import GuildNames
from bot.discord.holder import ClientHolder, DiscordAway
from bot.discord.identify_pace import IdentifyPace, SharedIdentifyPace, WaitTurn
from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.discord.outbox import Outbox, covers_people
from bot.discord.registration import CommandRegistration
from bot.discord.rights import Rights
from bot.discord.role_writer import RoleWriter
from bot.discord.supervisor import DiscordSupervisor
from bot.discord.tenure import ShardClaims, Tenure
from bot.domain.changes import Trigger
from bot.domain.errors import SettingsInvalid, Setup
from bot.domain.model import CampaignId
from bot.domain.processes import ALL_ROLES, Process, ProcessRole
from bot.domain.shards import Shards
from bot.linking.aftermaths import Aftermaths
from bot.linking.connect import CreatorCampaign
from bot.linking.consent_flow import ConsentFlow
from bot.linking.disconnect import Disconnector
from bot.linking.link import PatronLink
from bot.linking.pairs import Pairs
from bot.linking.unlink import Unlinker
from bot.ops.metrics import CONTENT_TYPE_LATEST, Metrics
from bot.ops.presence import Presence
from bot.ops.scrape import scrape
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.clientwatch import ClientWatch
from bot.patreon.http import Http
from bot.patreon.oauth import OAuth, RegisteredClient
from bot.patreon.tokens import TokenKeeper
from bot.runtime.chores import ChoreKind, Chores, DirectChores, Handlers
from bot.runtime.clock import Clock, FollowedClock, SharedClock, SystemClock
from bot.runtime.health import HealthBoard, Note
from bot.runtime.loops import Loop, supervise
from bot.settings import USER_AGENT, Settings
from bot.storage import Storage
from bot.storage import messages as stored_messages
from bot.storage import nudges as stored_nudges
from bot.storage import pendings as stored_pendings
from bot.storage.bell import Bell
from bot.storage.chores import QueuedChores
from bot.storage.due import RUNG
from bot.storage.turns import Turns
from bot.storage.vault import Vault
from bot.sync.admin.acceptance import Acceptance
from bot.sync.admin.adoption import Adoption
from bot.sync.admin.rulebook import Rulebook
from bot.sync.admin.settings import SettingsEditor
from bot.sync.applying.apply import Applier
from bot.sync.applying.breakers import Breakers
from bot.sync.applying.due import DueTaker
from bot.sync.applying.elsewhere import Elsewhere
from bot.sync.applying.facts import FactBook
from bot.sync.applying.holds import Holds
from bot.sync.applying.planning import Planning
from bot.sync.applying.reconcile import Reconciler
from bot.sync.applying.troubles import Troubles
from bot.sync.campaign_round import CampaignRounds
from bot.sync.check_again import Refresh
from bot.sync.consents import Consents
from bot.sync.declines import Declines
from bot.sync.deliveries.inbox import DeliveryInbox
from bot.sync.deliveries.nudges import Nudges
from bot.sync.overview import Overviews
from bot.sync.reading.campaigns import HomeCampaign, HomeSettings, plant_seed
from bot.sync.reading.intake import Intake
from bot.sync.reading.read_news import ReadNews
from bot.sync.reported_links import ReportedLinks
from bot.sync.resync import Resync
from bot.sync.rounds import Rounds
from bot.sync.webhooks.at_patreon import WebhooksAtPatreon, WebhookSettings
from bot.sync.webhooks.keeper import WebhookKeeper
from bot.web.deliveries import webhook_routes
from bot.web.metrics import metrics_routes
from bot.web.server import WebServer

log = structlog.get_logger(__name__)

DATABASE_WATCH_SECONDS = 5.0
SWEEP_SECONDS = 60.0
RESERVE_LOOK_SECONDS = 1.0
READS_KEPT = timedelta(days=30)
INTERACTIONS_KEPT = timedelta(hours=1)  # Discord takes an answer for a quarter of that
DUE_KEPT = timedelta(days=7)  # of servers that are out of sight
COLLECTED_AFTER = 50_000  # objects more: to look at so many takes some milliseconds

AddCogs = Callable[[PledgekeeperBot, "App"], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class App:
    """The objects that commands, pages, loops and tests call by name."""

    process_id: str  # the owner of its leases
    roles: frozenset[ProcessRole]
    settings: Settings
    clock: Clock
    storage: Storage
    health: HealthBoard
    metrics: Metrics
    http: Http
    turns: Turns
    keeper: TokenKeeper
    holder: ClientHolder
    registration: CommandRegistration
    notifier: Notifier
    messages: DirectMessages
    observer: Observer
    outbox: Outbox
    intake: Intake
    breakers: Breakers
    holds: Holds
    planning: Planning
    reconciler: Reconciler
    due: DueTaker
    bell: Bell | None
    reported_links: ReportedLinks
    consents: Consents
    webhooks_at_patreon: WebhooksAtPatreon
    webhooks: WebhookKeeper
    resync: Resync
    rounds: Rounds
    nudges: Nudges
    refresh: Refresh
    overviews: Overviews
    rulebook: Rulebook
    adoption: Adoption
    acceptance: Acceptance
    settings_editor: SettingsEditor
    pairs: Pairs
    patron_link: PatronLink
    linking: ConsentFlow
    connecting: ConsentFlow
    aftermaths: Aftermaths
    unlinker: Unlinker
    disconnector: Disconnector
    chores: Chores


async def build_app(
    *,
    settings: Settings,
    clock: Clock,
    storage: Storage,
    http: Http | None = None,
    roles: frozenset[ProcessRole] = ALL_ROLES,
) -> App:
    """Build everything and start nothing. The creator's pair of the settings is stored, or what stands for it found.

    `roles` are those that will be started. `http` is the way to Patreon, where it is not to be the usual one.
    """
    process_id = secrets.token_hex(8)
    health = HealthBoard(clock, roles)
    metrics = Metrics(clock)

    # --- Patreon

    http = http or Http(user_agent=USER_AGENT, observer=metrics.note_call)
    api, oauth, client = _build_patreon(settings, http, clock, health)
    turns = Turns(storage.leases, is_shared=storage.database.is_shared)
    keeper = TokenKeeper(store=storage.credentials, oauth=oauth, clock=clock, turns=turns)

    # --- Discord

    holder = ClientHolder()
    registration = CommandRegistration(notices=storage.notices, health=health, clock=clock)
    observer = Observer(holder)
    notifier = Notifier(storage=storage, holder=holder, clock=clock)
    messages = DirectMessages(holder=holder, storage=storage)
    outbox = Outbox(
        storage=storage,
        observer=observer,
        notifier=notifier,
        messages=messages,
        covers_people=lambda: covers_people(holder.current),
    )

    # --- facts in, roles out

    seed_id = await plant_seed(
        storage, settings.patreon_creator_access_token, settings.patreon_creator_refresh_token, clock
    )
    home = HomeCampaign(
        storage=storage,
        client=client,
        keeper=keeper,
        clock=clock,
        named=HomeSettings(
            guild_id=settings.discord_guild_id, campaign_id=settings.patreon_campaign_id, credential_id=seed_id
        ),
    )
    intake = Intake(storage=storage, client=client, keeper=keeper, clock=clock, on_page=lambda: health.begun("sync"))
    reported_links = ReportedLinks(storage=storage, notifier=notifier, clock=clock)
    breakers = Breakers(clock)
    facts = FactBook(storage=storage, observer=observer, breakers=breakers, clock=clock)
    holds = Holds(storage=storage, notifier=notifier, clock=clock)
    planning = Planning(storage=storage, observer=observer, facts=facts, holds=holds, notifier=notifier)
    applier = Applier(
        storage=storage,
        writer=RoleWriter(holder, clock),
        observer=observer,
        breakers=breakers,
        notifier=notifier,
        clock=clock,
    )
    elsewhere = Elsewhere(storage=storage, clock=clock)
    reconciler = Reconciler(
        storage=storage,
        observer=observer,
        planning=planning,
        applier=applier,
        troubles=Troubles(notifier=notifier, health=health),
        elsewhere=elsewhere,
        clock=clock,
        on_follow=intake.forget,
        on_turn=metrics.note_turn,
    )
    due = DueTaker(storage=storage, observer=observer, reconciler=reconciler)
    consents = Consents(
        storage=storage,
        intake=intake,
        observer=observer,
        reconciler=reconciler,
        interval_seconds=settings.sync_interval_seconds,
    )
    webhooks_at_patreon = WebhooksAtPatreon(
        storage=storage,
        client=client,
        tokens=keeper,
        home=home,
        settings=WebhookSettings(
            public_url=settings.public_url,
            patreon_url=settings.patreon_url,
            api=api,
            secret=settings.patreon_webhook_secret,
        ),
    )
    webhooks = WebhookKeeper(storage=storage, at_patreon=webhooks_at_patreon, notifier=notifier, clock=clock)
    resync = Resync(
        storage=storage,
        observer=observer,
        reconciler=reconciler,
        clock=clock,
        interval_seconds=settings.sync_interval_seconds,
    )
    rounds = Rounds(
        storage=storage,
        home=home,
        campaigns=CampaignRounds(
            storage=storage,
            intake=intake,
            consents=consents,
            reconciler=reconciler,
            reported_links=reported_links,
            declines=Declines(storage=storage, observer=observer, messages=messages, clock=clock),
            news=ReadNews(notifier),
            observer=observer,
            turns=turns,
            clock=clock,
            on_read=(metrics.note_read, webhooks.note_read),
        ),
        reconciler=reconciler,
        health=health,
    )
    nudges = Nudges(
        storage=storage,
        intake=intake,
        rounds=rounds,
        reconciler=reconciler,
        observer=observer,
        reported_links=reported_links,
        api=api,
        turns=turns,
        serves=ProcessRole.WORKER in roles,
    )

    refresh = Refresh(storage=storage, intake=intake, reported_links=reported_links, reconciler=reconciler, clock=clock)
    overviews = Overviews(storage=storage, reconciler=reconciler, observer=observer, elsewhere=elsewhere)

    # --- the verbs of admins

    rulebook = Rulebook(storage=storage, observer=observer, facts=facts, planning=planning, home=home, clock=clock)
    adoption = Adoption(
        storage=storage, observer=observer, facts=facts, reconciler=reconciler, rulebook=rulebook, clock=clock
    )
    acceptance = Acceptance(
        storage=storage,
        intake=intake,
        reported_links=reported_links,
        reconciler=reconciler,
        notifier=notifier,
        clock=clock,
    )
    settings_editor = SettingsEditor(storage=storage, reconciler=reconciler, clock=clock)

    # --- links and connected campaigns

    chores = _build_chores(settings, storage, rounds, owner=process_id)
    pairs = Pairs(storage=storage, client=client, oauth=oauth, notifier=notifier, clock=clock)
    patron_link = PatronLink(storage=storage, api=api, reconciler=reconciler, messages=messages, clock=clock)
    campaign = CreatorCampaign(
        storage=storage,
        pairs=pairs,
        chores=chores,
        rights=Rights(
            observer,
            token=settings.discord_token,
            api_url=settings.discord_api_url,
            is_shared=storage.database.is_shared,
        ),
        notifier=notifier,
        clock=clock,
    )
    linking, connecting = (
        ConsentFlow(
            use,
            storage=storage,
            oauth=oauth,
            pairs=pairs,
            messages=messages,
            clock=clock,
            is_at_discord=lambda: holder.current is not None,
        )
        for use in (patron_link, campaign)
    )
    aftermaths = Aftermaths((linking, connecting), holder=holder, is_shared=storage.database.is_shared)
    bell = _build_bell(
        settings,
        storage,
        health,
        due=due,
        others={
            stored_messages.RUNG: outbox.ring,
            stored_pendings.RUNG: aftermaths.ring,
            stored_nudges.RUNG: nudges.ring,
        },
    )
    unlinker = Unlinker(storage=storage, pairs=pairs, reconciler=reconciler, notifier=notifier, clock=clock)
    disconnector = Disconnector(
        storage=storage,
        pairs=pairs,
        planning=planning,
        reconciler=reconciler,
        rounds=rounds,
        webhooks=webhooks,
        clock=clock,
    )

    return App(
        process_id=process_id,
        roles=roles,
        settings=settings,
        clock=clock,
        storage=storage,
        health=health,
        metrics=metrics,
        http=http,
        turns=turns,
        keeper=keeper,
        holder=holder,
        registration=registration,
        notifier=notifier,
        messages=messages,
        observer=observer,
        outbox=outbox,
        intake=intake,
        breakers=breakers,
        holds=holds,
        planning=planning,
        reconciler=reconciler,
        due=due,
        bell=bell,
        reported_links=reported_links,
        consents=consents,
        webhooks_at_patreon=webhooks_at_patreon,
        webhooks=webhooks,
        resync=resync,
        rounds=rounds,
        nudges=nudges,
        refresh=refresh,
        overviews=overviews,
        rulebook=rulebook,
        adoption=adoption,
        acceptance=acceptance,
        settings_editor=settings_editor,
        pairs=pairs,
        patron_link=patron_link,
        linking=linking,
        connecting=connecting,
        aftermaths=aftermaths,
        unlinker=unlinker,
        disconnector=disconnector,
        chores=chores,
    )


def fresh_client(
    app: App,
    *,
    add_cogs: AddCogs,
    has_members_intent: bool = True,
    may_speak: Callable[[], bool] = lambda: True,
    shards: Shards | None = None,
    wait_turn: WaitTurn | None = None,
) -> PledgekeeperBot:
    """Build a Discord client that has not logged in yet: of some shards, or of the whole bot."""

    async def claim(interaction_id: int) -> bool:
        return may_speak() and await app.storage.interactions.claim(interaction_id)

    return build_client(
        api_url=app.settings.discord_api_url,
        holder=app.holder,
        registration=app.registration,
        add_cogs=lambda bot: add_cogs(bot, app),
        has_members_intent=has_members_intent,
        may_speak=may_speak,
        claim=claim if app.storage.database.is_shared else None,
        shards=shards,
        wait_turn=wait_turn,
    )


def build_gateway(app: App, *, add_cogs: AddCogs, shard_ids: tuple[int, ...] | None = None) -> Gateway:
    """Build what keeps this process at Discord: on all shards, or on those that it has by leases."""
    storage, settings = app.storage, app.settings
    pace = SharedIdentifyPace(storage.leases) if storage.database.is_shared else IdentifyPace()

    def build(tenure: Tenure, has_members_intent: bool) -> PledgekeeperBot:
        return fresh_client(
            app,
            add_cogs=add_cogs,
            has_members_intent=has_members_intent,
            may_speak=lambda: tenure.is_certain,
            shards=tenure.shards if tenure.shards.count > 1 else None,
            wait_turn=pace.wait_turn,
        )

    async def count_gateways() -> int:
        return sum(ProcessRole.GATEWAY in one.roles for one in await storage.processes.list_live())

    claims = ShardClaims(storage.shards, owner=app.process_id, live_gateways=count_gateways, wanted=shard_ids)
    return Gateway(
        shards=storage.shards,
        claims=claims if storage.database.is_shared else None,
        build=build,
        supervise=lambda fresh: DiscordSupervisor(
            fresh,
            token=settings.discord_token,
            holder=app.holder,
            health=app.health,
            home_guild_id=settings.discord_guild_id,
        ),
        ask_recommended=lambda: ask_recommended_shards(api_url=settings.discord_api_url, token=settings.discord_token),
        health=app.health,
    )


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
    os.umask(0o077)  # what we write holds who is linked to whom
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
        clock = await _open_clock(stack, settings, storage)
        app = await build_app(settings=settings, clock=clock, storage=storage, roles=roles)
        stack.push_async_callback(app.http.close)
        gc.freeze()  # what was built since the modules were
        await app.linking.settle_cut_off()
        lives = await _start(stack, app, build_gateway(app, add_cogs=add_cogs, shard_ids=shard_ids))
        log.info("pledgekeeper runs", public_url=settings.public_url, roles=sorted(roles))
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
        await shared.measure()
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
    )
    await server.start(app.settings.web_host, app.settings.web_port)
    stack.push_async_callback(server.stop)
    if app.storage.database.is_shared:
        await _be_present(stack, app, server.port)
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
    presence = Presence(app.storage.processes, process)
    stack.push_async_callback(presence.leave)
    _keep_running(stack, "presence", supervise(Loop("presence", presence.run), health=app.health))


def _loops(app: App) -> Iterator[Loop]:
    """Yield the loops of the table above, without Discord's and the one of our presence."""
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
        yield Loop("outbox", app.outbox.run)
        yield Loop("names", GuildNames(holder=app.holder, storage=app.storage).run)
    yield Loop("links", app.aftermaths.run)


def _worker_loops(app: App) -> Iterator[Loop]:
    interval = app.settings.sync_interval_seconds
    yield Loop("sweeper", lambda: _sweep(app))
    yield Loop("nudges", app.nudges.run)
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
        app.linking,
        app.connecting,
        app.unlinker,
        app.disconnector,
        app.chores,
    )
    await asyncio.gather(*(part.close() for part in working))
    await app.notifier.close()


def _routes(app: App) -> list[web.RouteDef]:
    """Return the routes that are no pages: for Prometheus, and on the web for Patreon's webhooks."""
    routes = metrics_routes(
        lambda: render_metrics(app), token=app.settings.metrics_token, content_type=CONTENT_TYPE_LATEST
    )
    if ProcessRole.WEB in app.roles:
        inbox = DeliveryInbox(at_patreon=app.webhooks_at_patreon, keeper=app.webhooks, nudges=app.nudges)
        routes += webhook_routes(inbox, note=app.metrics.note_webhook)
    return routes


async def render_metrics(app: App) -> bytes:
    """Return what Prometheus reads."""
    return await scrape(
        app.metrics,
        storage=app.storage,
        reconciler=app.reconciler,
        breakers=app.breakers,
        holds=app.holds,
        health=app.health,
    )


def _build_patreon(
    settings: Settings, http: Http, clock: Clock, health: HealthBoard
) -> tuple[PatreonApi, OAuth, PatreonClient]:
    """Return what speaks to Patreon, in the version of its API that our client has."""
    api, watch = PatreonApi(settings.patreon_api_version), ClientWatch(clock, health)
    registered = RegisteredClient(
        client_id=settings.patreon_client_id,
        client_secret=settings.patreon_client_secret,
        redirect_uri=settings.redirect_uri,
    )
    oauth = OAuth(http, base_url=settings.patreon_url, client=registered, clock=clock, watch=watch)
    return api, oauth, PatreonClient(http, api=api, base_url=settings.patreon_url, clock=clock, watch=watch)


def _build_bell(
    settings: Settings,
    storage: Storage,
    health: HealthBoard,
    *,
    due: DueTaker,
    others: Mapping[str, Callable[[], None]],
) -> Bell | None:
    """Return the bell that other processes ring; None where there are none. `others`: who else looks, by its word."""
    if not storage.database.is_shared:
        return None
    url = settings.database_listen_url or settings.database_url

    def look(word: str) -> None:
        for ring in (one for its_word, one in others.items() if word in {"", its_word}):
            ring()
        if word != RUNG and word not in others:  # what this process stores it follows at once
            due.ring()

    return Bell(storage.database, url, health=health, on_ring=look)


def _build_chores(settings: Settings, storage: Storage, rounds: Rounds, *, owner: str) -> Chores:
    """Return the way to have a chore done: by any process, where there may be others."""

    async def read_first(campaign_id: str) -> None:
        await rounds.read_anew(CampaignId(campaign_id), trigger=Trigger.CONNECT)

    handlers: Handlers = {ChoreKind.FIRST_READ: read_first}
    if not storage.database.is_shared:
        return DirectChores(handlers)
    return QueuedChores(storage.database, storage.leases, settings.database_url, handlers, owner=owner)


async def _watch_database(app: App) -> None:
    """Ask the database for something small, again and again."""
    while True:
        await app.storage.campaigns.bindings()
        app.health.ok("database")
        await asyncio.sleep(DATABASE_WATCH_SECONDS)


async def _sweep(app: App) -> None:
    """Forget what has expired."""
    while True:
        await app.linking.sweep()
        await app.storage.reads.purge(app.clock.now() - READS_KEPT)
        await app.storage.due.purge(DUE_KEPT)
        if app.storage.database.is_shared:
            await app.storage.interactions.purge(INTERACTIONS_KEPT)
            await app.outbox.sweep()
        await asyncio.sleep(SWEEP_SECONDS)
