"""What a round found, for whoever asked for it. Values only."""

from collections.abc import Mapping

import msgspec

from bot.domain.errors import PledgekeeperError
from bot.domain.evidence import Anomaly
from bot.domain.model import CampaignId, DiscordUserId, GuildId
from bot.domain.planned import GuildPlan


class ReadReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a round found in one campaign."""

    campaign_id: CampaignId
    name: str
    is_complete: bool
    patrons: int
    changed: int
    doubts: tuple[Anomaly, ...] = ()
    unattributed: int = 0  # rows that nobody can tell whose they are
    is_by_consents: bool = False  # each linked patron is asked in place of the creator
    is_token_dead: bool = False  # the creator's: Patreon does not accept it any more
    error: PledgekeeperError | None = None

    @property
    def is_ok(self) -> bool:
        """Tell whether Patreon answered everything."""
        return self.error is None and not self.is_token_dead


class RoundReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a round found, campaign by campaign; `errors` are troubles with no campaign."""

    campaigns: tuple[ReadReport, ...]
    queued: int
    seconds: float
    errors: tuple[PledgekeeperError, ...] = ()
    people: Mapping[GuildId, frozenset[DiscordUserId]] = msgspec.field(
        default_factory=dict
    )  # whose roles change, where
    plan: GuildPlan | None = None  # of everyone in the guild that the round was for

    @property
    def is_ok(self) -> bool:
        """Tell whether Patreon answered everything."""
        return not self.errors and all(one.is_ok for one in self.campaigns)
