"""What the commands and events work with, in one hand. Filled by `build.py`; holds no behaviour of its own."""

from dataclasses import dataclass

from bot.discord.holder import ClientHolder
from bot.discord.notifier import Messenger
from bot.discord.observe import Observer
from bot.linking.connect import ConnectFlow
from bot.linking.disconnect import Disconnector
from bot.linking.flow import LinkFlow
from bot.linking.pairs import Pairs
from bot.ops.metrics import Metrics
from bot.patreon.tokens import TokenKeeper
from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard
from bot.settings import Settings
from bot.storage import Storage
from bot.sync.admin.acceptance import Belief
from bot.sync.admin.adoption import Adoption
from bot.sync.admin.rulebook import Rulebook
from bot.sync.admin.settings import Tuning
from bot.sync.applying.facts import Breakers
from bot.sync.applying.holds import Holds
from bot.sync.applying.planning import Planning
from bot.sync.applying.reconcile import Reconciler
from bot.sync.consents import Consents
from bot.sync.deliveries.nudges import Nudges
from bot.sync.reading.intake import Intake
from bot.sync.refresh import Refresh
from bot.sync.reported_links import ZeroLinks
from bot.sync.rounds import Rounds
from bot.sync.webhooks.keeper import WebhookKeeper


@dataclass(frozen=True, kw_only=True)
class Services:
    """Every verb that a command may call."""

    settings: Settings
    clock: Clock
    storage: Storage
    flow: LinkFlow
    connecting: ConnectFlow
    disconnector: Disconnector
    pairs: Pairs
    zero: ZeroLinks
    observer: Observer
    planning: Planning
    reconciler: Reconciler
    breakers: Breakers
    holds: Holds
    belief: Belief
    adoption: Adoption
    tuning: Tuning
    rounds: Rounds
    rulebook: Rulebook
    nudges: Nudges
    webhooks: WebhookKeeper
    metrics: Metrics
    intake: Intake
    refresh: Refresh
    consents: Consents
    keeper: TokenKeeper
    health: HealthBoard
    messenger: Messenger
    holder: ClientHolder
