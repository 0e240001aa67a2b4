"""What a round found, for whoever asked for it. Values only; knows neither network nor storage."""

from collections.abc import Mapping

import msgspec

from bot.domain.errors import PledgekeeperError
from bot.domain.evidence import Anomaly
from bot.domain.model import CampaignId, DiscordUserId, GuildId
from bot.sync.applying.planning import GuildPlan
from bot.sync.reading.intake import CampaignRead


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


def report_read(name: str, read: CampaignRead) -> ReadReport:
    """Report what a read of the campaign's whole list brought."""
    return ReadReport(
        campaign_id=read.campaign_id,
        name=name,
        is_complete=read.verdict.is_complete,
        patrons=read.summary.patrons,
        changed=len(read.changed),
        doubts=tuple(read.verdict.doubts),
        unattributed=read.verdict.unattributed,
        error=read.error,
    )


def report_consents(
    name: str, campaign_id: CampaignId, patrons: int, *, is_token_dead: bool, error: PledgekeeperError | None
) -> ReadReport:
    """Report that a campaign is read through so many patrons' own consent."""
    return ReadReport(
        campaign_id=campaign_id,
        name=name,
        is_complete=False,
        patrons=patrons,
        changed=0,
        is_by_consents=True,
        is_token_dead=is_token_dead,
        error=error,
    )
