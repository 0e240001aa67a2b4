"""What the commands and events work with, in one hand. Filled by `build.py`; holds no behaviour of its own."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.health import HealthBoard
from bot.holder import ClientHolder
from bot.linking.connect import ConnectFlow
from bot.linking.disconnect import Disconnector
from bot.linking.flow import LinkFlow
from bot.linking.pairs import Pairs
from bot.linking.zero import ZeroLinks
from bot.messenger import Messenger
from bot.metrics import Metrics
from bot.patreon.tokens import TokenKeeper
from bot.roles.adoption import Adoption
from bot.roles.belief import Belief
from bot.roles.consents import Consents
from bot.roles.facts import Breakers
from bot.roles.holds import Holds
from bot.roles.intake import Intake
from bot.roles.nudge import Nudges
from bot.roles.observe import Observer
from bot.roles.planning import Planning
from bot.roles.reconcile import Reconciler
from bot.roles.rounds import Rounds
from bot.roles.rulebook import Rulebook
from bot.roles.tuning import Tuning
from bot.settings import Settings
from bot.storage import Storage
from bot.webhooks import WebhookKeeper


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
    consents: Consents
    keeper: TokenKeeper
    health: HealthBoard
    messenger: Messenger
    holder: ClientHolder
