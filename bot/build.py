"""The graph of objects, each built once from those that it works with. Starts and closes nothing: that is `app.py`."""

from dataclasses import fields
from functools import cached_property

from bot.discord.holder import ClientHolder
from bot.discord.notifier import Messenger
from bot.discord.observe import Observer
from bot.discord.write import RoleWriter
from bot.domain.model import CredentialId
from bot.linking.connect import ConnectFlow
from bot.linking.disconnect import Disconnector
from bot.linking.flow import LinkFlow
from bot.linking.giveback import GiveBack
from bot.linking.pairs import Pairs
from bot.ops.metrics import Metrics
from bot.patreon.client import Http, PatreonApi, PatreonClient
from bot.patreon.clientwatch import ClientWatch
from bot.patreon.oauth import OAuth
from bot.patreon.tokens import TokenKeeper
from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard
from bot.services import Services
from bot.settings import Settings
from bot.storage import Storage
from bot.sync.admin.acceptance import Belief
from bot.sync.admin.adoption import Adoption
from bot.sync.admin.rulebook import Rulebook
from bot.sync.admin.settings import Tuning
from bot.sync.applying.apply import Applier
from bot.sync.applying.facts import Breakers, FactBook
from bot.sync.applying.holds import Holds
from bot.sync.applying.planning import Planning
from bot.sync.applying.reconcile import Reconciler
from bot.sync.applying.troubles import Troubles
from bot.sync.consents import Consents
from bot.sync.declines import Declines
from bot.sync.deliveries.nudges import Nudges
from bot.sync.reading.campaigns import Home, plant_seed
from bot.sync.reading.intake import Intake
from bot.sync.reading.read_news import ReadNews
from bot.sync.refresh import Refresh
from bot.sync.reported_links import ZeroLinks
from bot.sync.resync import Rota
from bot.sync.rounds import Rounds
from bot.sync.webhooks.keeper import Place, WebhookKeeper


async def build(*, settings: Settings, clock: Clock, storage: Storage, http: Http) -> Services:
    """Build everything; the creator's pair of the settings is stored, or the pair that it was rotated to is found."""
    seed_id = await plant_seed(storage, settings, clock)
    graph = _Graph(settings=settings, clock=clock, storage=storage, http=http, seed_id=seed_id)
    graph.reconciler.on_follow = graph.intake.forget
    graph.reconciler.on_turn = graph.metrics.note_turn
    graph.rounds.on_read += [graph.metrics.note_read, graph.nudges.note_read, graph.webhooks.note_read]
    http.observer = graph.metrics.note_call
    return Services(**{one.name: getattr(graph, one.name) for one in fields(Services)})


class _Graph:
    def __init__(
        self, *, settings: Settings, clock: Clock, storage: Storage, http: Http, seed_id: CredentialId | None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.storage = storage
        self.http = http
        self.seed_id = seed_id
        self.api = PatreonApi(settings.patreon_api_version)

    @cached_property
    def watch(self) -> ClientWatch:
        return ClientWatch(self.clock, self.health)

    @cached_property
    def oauth(self) -> OAuth:
        return OAuth(
            self.http,
            base_url=self.settings.patreon_url,
            client_id=self.settings.patreon_client_id,
            client_secret=self.settings.patreon_client_secret,
            redirect_uri=self.settings.redirect_uri,
            clock=self.clock,
            watch=self.watch,
        )

    @cached_property
    def client(self) -> PatreonClient:
        return PatreonClient(
            self.http, api=self.api, base_url=self.settings.patreon_url, clock=self.clock, watch=self.watch
        )

    @cached_property
    def keeper(self) -> TokenKeeper:
        return TokenKeeper(store=self.storage.credentials, oauth=self.oauth, clock=self.clock)

    @cached_property
    def home(self) -> Home:
        return Home(
            storage=self.storage,
            client=self.client,
            keeper=self.keeper,
            clock=self.clock,
            guild_id=self.settings.discord_guild_id,
            campaign_id=self.settings.patreon_campaign_id,
            credential_id=self.seed_id,
        )

    @cached_property
    def webhooks(self) -> WebhookKeeper:
        return WebhookKeeper(
            storage=self.storage,
            client=self.client,
            tokens=self.keeper,
            home=self.home,
            herald=self.messenger,
            clock=self.clock,
            api=self.api,
            place=Place.told_by(self.settings),
        )

    @cached_property
    def holder(self) -> ClientHolder:
        return ClientHolder()

    @cached_property
    def messenger(self) -> Messenger:
        return Messenger(storage=self.storage, holder=self.holder, clock=self.clock)

    @cached_property
    def observer(self) -> Observer:
        return Observer(self.holder)

    @cached_property
    def breakers(self) -> Breakers:
        return Breakers(self.clock)

    @cached_property
    def facts(self) -> FactBook:
        return FactBook(storage=self.storage, observer=self.observer, breakers=self.breakers, clock=self.clock)

    @cached_property
    def holds(self) -> Holds:
        return Holds(storage=self.storage, herald=self.messenger, clock=self.clock)

    @cached_property
    def planning(self) -> Planning:
        return Planning(
            storage=self.storage, observer=self.observer, facts=self.facts, holds=self.holds, herald=self.messenger
        )

    @cached_property
    def applier(self) -> Applier:
        return Applier(
            storage=self.storage,
            writer=RoleWriter(self.holder, self.clock),
            observer=self.observer,
            breakers=self.breakers,
            herald=self.messenger,
            clock=self.clock,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            storage=self.storage,
            observer=self.observer,
            planning=self.planning,
            applier=self.applier,
            troubles=Troubles(storage=self.storage, health=self.health, herald=self.messenger),
            clock=self.clock,
        )

    @cached_property
    def intake(self) -> Intake:
        return Intake(storage=self.storage, client=self.client, keeper=self.keeper, clock=self.clock)

    @cached_property
    def consents(self) -> Consents:
        return Consents(
            storage=self.storage,
            intake=self.intake,
            observer=self.observer,
            reconciler=self.reconciler,
            interval_seconds=self.settings.sync_interval_seconds,
        )

    @cached_property
    def rounds(self) -> Rounds:
        return Rounds(
            storage=self.storage,
            home=self.home,
            intake=self.intake,
            consents=self.consents,
            reconciler=self.reconciler,
            rota=Rota(
                storage=self.storage,
                observer=self.observer,
                reconciler=self.reconciler,
                clock=self.clock,
                interval_seconds=self.settings.sync_interval_seconds,
            ),
            zero=self.zero,
            declines=Declines(storage=self.storage, observer=self.observer, teller=self.messenger, clock=self.clock),
            news=ReadNews(self.messenger),
            health=self.health,
            clock=self.clock,
        )

    @cached_property
    def nudges(self) -> Nudges:
        return Nudges(
            storage=self.storage,
            intake=self.intake,
            rounds=self.rounds,
            reconciler=self.reconciler,
            observer=self.observer,
            zero=self.zero,
            api=self.api,
        )

    @cached_property
    def refresh(self) -> Refresh:
        return Refresh(
            storage=self.storage,
            intake=self.intake,
            zero=self.zero,
            reconciler=self.reconciler,
            clock=self.clock,
        )

    @cached_property
    def rulebook(self) -> Rulebook:
        return Rulebook(
            storage=self.storage,
            observer=self.observer,
            facts=self.facts,
            planning=self.planning,
            home=self.home,
            clock=self.clock,
        )

    @cached_property
    def adoption(self) -> Adoption:
        return Adoption(
            storage=self.storage,
            observer=self.observer,
            facts=self.facts,
            reconciler=self.reconciler,
            rulebook=self.rulebook,
            clock=self.clock,
        )

    @cached_property
    def belief(self) -> Belief:
        return Belief(
            storage=self.storage,
            intake=self.intake,
            zero=self.zero,
            reconciler=self.reconciler,
            crier=self.messenger,
            clock=self.clock,
        )

    @cached_property
    def tuning(self) -> Tuning:
        return Tuning(storage=self.storage, reconciler=self.reconciler, clock=self.clock)

    @cached_property
    def give_back(self) -> GiveBack:
        return GiveBack(storage=self.storage, oauth=self.oauth)

    @cached_property
    def pairs(self) -> Pairs:
        return Pairs(
            storage=self.storage,
            client=self.client,
            oauth=self.oauth,
            clock=self.clock,
            crier=self.messenger,
            give_back=self.give_back,
        )

    @cached_property
    def flow(self) -> LinkFlow:
        return LinkFlow(
            storage=self.storage,
            oauth=self.oauth,
            pairs=self.pairs,
            api=self.api,
            clock=self.clock,
            roles=self.reconciler,
            messenger=self.messenger,
            crier=self.messenger,
            give_back=self.give_back,
        )

    @cached_property
    def connecting(self) -> ConnectFlow:
        return ConnectFlow(
            storage=self.storage,
            oauth=self.oauth,
            pairs=self.pairs,
            clock=self.clock,
            reads=self.rounds,
            messenger=self.messenger,
            crier=self.messenger,
            rights=self.observer,
            give_back=self.give_back,
        )

    @cached_property
    def disconnector(self) -> Disconnector:
        return Disconnector(
            storage=self.storage,
            clock=self.clock,
            roles=self.reconciler,
            losses=self.planning,
            reads=self.rounds,
            webhooks=self.webhooks,
            give_back=self.give_back,
        )

    @cached_property
    def zero(self) -> ZeroLinks:
        return ZeroLinks(storage=self.storage, crier=self.messenger, clock=self.clock)

    @cached_property
    def health(self) -> HealthBoard:
        return HealthBoard(self.clock)

    @cached_property
    def metrics(self) -> Metrics:
        return Metrics(self.clock)
