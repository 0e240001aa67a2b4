"""Builds every object by name, each from those above it. Nothing else wires, and `process.py` starts what runs."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.charts.painter import ChartPainter
from bot.discord.checkup import Checkup
from bot.discord.client import PledgekeeperBot, ask_recommended_shards, build_client
from bot.discord.direct_messages import DirectMessages
from bot.discord.gateway import Gateway
from bot.discord.greeter import Greeter
from bot.discord.holder import ClientHolder
from bot.discord.identify_pace import IdentifyPace, SharedIdentifyPace, WaitTurn
from bot.discord.member_presence import MemberPresence
from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.discord.outbox import Outbox, covers_people
from bot.discord.registration import CommandRegistration
from bot.discord.request_pace import RequestPace
from bot.discord.rights import Rights
from bot.discord.role_maker import RoleMaker
from bot.discord.role_writer import RoleWriter
from bot.discord.supervisor import DiscordSupervisor
from bot.discord.tenure import ShardClaims, Tenure
from bot.domain.changes import Trigger
from bot.domain.model import CampaignId
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.domain.shards import Shards
from bot.hooks.sender import HookSender
from bot.linking.aftermaths import Aftermaths
from bot.linking.connect import CreatorCampaign
from bot.linking.consent_flow import ConsentFlow
from bot.linking.disconnect import Disconnector
from bot.linking.link import PatronLink
from bot.linking.pairs import Pairs
from bot.linking.unlink import Unlinker
from bot.ops.metrics import Metrics
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.clientwatch import ClientWatch
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.patreon.oauth import OAuth, RegisteredClient
from bot.patreon.shared_limiter import SharedLimiter
from bot.patreon.tokens import TokenKeeper
from bot.runtime.chores import ChoreKind, Chores, DirectChores, Handlers
from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard
from bot.settings import USER_AGENT, Settings
from bot.storage import Storage
from bot.storage import hooks as stored_hooks
from bot.storage import messages as stored_messages
from bot.storage import nudges as stored_nudges
from bot.storage import paces as stored_paces
from bot.storage import pendings as stored_pendings
from bot.storage.bell import Bell
from bot.storage.chores import QueuedChores
from bot.storage.due import RUNG
from bot.storage.turns import Turns
from bot.sync.admin.acceptance import Acceptance
from bot.sync.admin.access import AccessReview
from bot.sync.admin.adoption import Adoption
from bot.sync.admin.api_tokens import TokenEditor
from bot.sync.admin.comps import CompEditor
from bot.sync.admin.hooks import HookEditor
from bot.sync.admin.patron_export import PatronExport
from bot.sync.admin.rule_changes import RuleChanges
from bot.sync.admin.rulebook import Rulebook
from bot.sync.admin.settings import SettingsEditor
from bot.sync.admin.setup import SetupEditor
from bot.sync.admin.stats import FigureBook
from bot.sync.admin.trail import Trail
from bot.sync.admin.undo import Undo
from bot.sync.after_restore import AfterRestore
from bot.sync.api_access import ApiAccess
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
from bot.sync.comp_ends import CompEnds
from bot.sync.consents import Consents
from bot.sync.declines import Declines
from bot.sync.deliveries.nudges import Nudges
from bot.sync.doctor import Doctor
from bot.sync.hook_deliveries import HookDeliveries
from bot.sync.member_answers import MemberAnswers
from bot.sync.overview import Overviews
from bot.sync.patrons import PatronBook
from bot.sync.reading.campaigns import HomeCampaign, HomeSettings, plant_seed
from bot.sync.reading.intake import Intake
from bot.sync.reading.read_news import ReadNews
from bot.sync.reported_links import ReportedLinks
from bot.sync.resync import Resync
from bot.sync.rounds import Rounds
from bot.sync.webhooks.at_patreon import WebhooksAtPatreon, WebhookSettings
from bot.sync.webhooks.keeper import WebhookKeeper

log = structlog.get_logger(__name__)

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
    request_pace: RequestPace
    outbox: Outbox
    intake: Intake
    breakers: Breakers
    role_writer: RoleWriter
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
    patrons: PatronBook
    member_answers: MemberAnswers
    member_presence: MemberPresence
    token_editor: TokenEditor
    api_access: ApiAccess
    rulebook: Rulebook
    adoption: Adoption
    trail: Trail
    undo: Undo
    access: AccessReview
    patron_export: PatronExport
    figures: FigureBook
    painter: ChartPainter
    acceptance: Acceptance
    doctor: Doctor
    settings_editor: SettingsEditor
    setup_editor: SetupEditor
    greeter: Greeter
    rule_changes: RuleChanges
    comp_editor: CompEditor
    comp_ends: CompEnds
    hook_editor: HookEditor
    hook_deliveries: HookDeliveries
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
    sender: HookSender | None = None,
    roles: frozenset[ProcessRole] = ALL_ROLES,
) -> App:
    """Build everything and start nothing. The creator's pair of the settings is stored, or what stands for it found.

    `roles` are those that will be started. `http` is the way to Patreon and `sender` that to hooks, where they are not
    to be the usual ones.
    """
    process_id = secrets.token_hex(8)
    health = HealthBoard(clock, roles)
    metrics = Metrics(clock, roles)

    # --- Patreon

    limiter = SharedLimiter(storage.paces) if storage.database.is_shared else Limiter()
    http = http or Http(user_agent=USER_AGENT, limiter=limiter, observer=metrics.note_call)
    api, oauth, client = _build_patreon(settings, http, clock, health)
    turns = Turns(storage.leases, owner=process_id, is_shared=storage.database.is_shared)
    keeper = TokenKeeper(store=storage.credentials, oauth=oauth, clock=clock, turns=turns)

    # --- Discord

    holder = ClientHolder()
    registration = CommandRegistration(notices=storage.notices, health=health, clock=clock)
    observer = Observer(holder)
    request_pace = RequestPace(storage.shards.count_owners)
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

    is_restored = await storage.restores.find() is not None
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
    facts = FactBook(storage=storage, observer=observer, breakers=breakers, clock=clock, is_restored=is_restored)
    holds = Holds(storage=storage, notifier=notifier, clock=clock, is_restored=is_restored)
    member_presence = MemberPresence(holder=holder, observer=observer, storage=storage, clock=clock)
    planning = Planning(
        storage=storage, observer=observer, facts=facts, holds=holds, notifier=notifier, presence=member_presence
    )
    role_writer = RoleWriter(holder, clock)
    applier = Applier(
        storage=storage,
        writer=role_writer,
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
            after_restore=AfterRestore(storage=storage, notifier=notifier, clock=clock, is_restored=is_restored),
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

    sender = sender or HookSender(
        user_agent=USER_AGENT, public_url=settings.public_url, allow_loopback=settings.hooks_allow_loopback
    )
    hook_deliveries = HookDeliveries(storage=storage, sender=sender, notifier=notifier, turns=turns, clock=clock)

    refresh = Refresh(storage=storage, intake=intake, reported_links=reported_links, reconciler=reconciler, clock=clock)
    overviews = Overviews(storage=storage, reconciler=reconciler, observer=observer, elsewhere=elsewhere, clock=clock)

    patrons = PatronBook(storage=storage, observer=observer, facts=facts, planning=planning, reconciler=reconciler)

    # --- the verbs of admins

    rulebook = Rulebook(storage=storage, observer=observer, facts=facts, planning=planning, home=home, clock=clock)
    trail = Trail(storage=storage, clock=clock)
    adoption = Adoption(
        storage=storage, observer=observer, facts=facts, reconciler=reconciler, rulebook=rulebook, clock=clock
    )
    access = AccessReview(
        storage=storage, observer=observer, facts=facts, planning=planning, rulebook=rulebook, adoption=adoption
    )
    acceptance = Acceptance(
        storage=storage,
        intake=intake,
        reported_links=reported_links,
        reconciler=reconciler,
        notifier=notifier,
        clock=clock,
    )
    doctor = Doctor(
        storage=storage,
        observer=observer,
        checkup=Checkup(holder),
        facts=facts,
        reconciler=reconciler,
        acceptance=acceptance,
        webhooks=webhooks_at_patreon,
        notifier=notifier,
        clock=clock,
        interval_seconds=settings.sync_interval_seconds,
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
            stored_paces.RUNG: limiter.ring,
            stored_hooks.RUNG: hook_deliveries.ring,
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
        request_pace=request_pace,
        outbox=outbox,
        intake=intake,
        breakers=breakers,
        role_writer=role_writer,
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
        patrons=patrons,
        member_answers=MemberAnswers(storage=storage, facts=facts),
        member_presence=member_presence,
        token_editor=TokenEditor(
            storage=storage,
            notifier=notifier,
            clock=clock,
            on_change=member_presence.look,
            public_url=settings.public_url,
        ),
        api_access=ApiAccess(storage=storage, clock=clock),
        rulebook=rulebook,
        adoption=adoption,
        trail=trail,
        undo=Undo(
            storage=storage,
            planning=planning,
            reconciler=reconciler,
            rulebook=rulebook,
            trail=trail,
            clock=clock,
        ),
        access=access,
        patron_export=PatronExport(storage=storage, patrons=patrons, notifier=notifier, clock=clock),
        figures=FigureBook(storage=storage, clock=clock),
        painter=ChartPainter(),
        acceptance=acceptance,
        doctor=doctor,
        settings_editor=settings_editor,
        setup_editor=SetupEditor(
            storage=storage,
            observer=observer,
            role_maker=RoleMaker(holder),
            rulebook=rulebook,
            facts=facts,
            planning=planning,
            reconciler=reconciler,
            doctor=doctor,
            clock=clock,
        ),
        greeter=Greeter(storage),
        rule_changes=RuleChanges(storage=storage, rulebook=rulebook, facts=facts, planning=planning, clock=clock),
        comp_editor=CompEditor(storage=storage, rulebook=rulebook, reconciler=reconciler, clock=clock),
        hook_editor=HookEditor(storage=storage, sender=sender, planning=planning, notifier=notifier, clock=clock),
        hook_deliveries=hook_deliveries,
        comp_ends=CompEnds(storage=storage, observer=observer, reconciler=reconciler, notifier=notifier, clock=clock),
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
        pace=app.request_pace,
        note_request=app.metrics.note_discord_request,
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
