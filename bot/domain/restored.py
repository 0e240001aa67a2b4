"""What is certain after a restore, and what is not: the database says what was, Discord and Patreon what is. Pure.

    fact of the backup                      what it proves until it is learnt anew
    a person's membership of a campaign     nothing: no role is given for it, and none goes
    a role in the ledger                    that it was ours, not that it still is: who would lose it is held for an
                                            admin's answer, for a day from the campaign's first whole list on
    ... that is not on the member any more  that somebody took it, as ever; unless the pledge began after the backup,
                                            which is a new one

What nobody's facts can tell is settled when the backup is restored: `storage/restores.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from bot.domain.model import EARLY_SHARE, CampaignId, Grant, GuildId, Link, MembershipRecord

DOUBTED = timedelta(days=1)
COMPS_STAY = timedelta(days=7)  # at least: whoever made one longer meanwhile is told of its end, and does so again
NUMBERS_LEFT_OUT = 1_000  # more than were given since the backup


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """That this database is an older one: of when, since when it is in use again, and when each list was read first."""

    taken_at: datetime | None  # not known of one that PostgreSQL's own tools brought back
    began_at: datetime
    read_at: Mapping[CampaignId, datetime] = {}

    def is_learnt(self, campaign_id: CampaignId, record: MembershipRecord | None, link: Link | None) -> bool:
        """Tell whether what is known of a person in a campaign was learnt since."""
        if campaign_id in self.read_at:
            return True
        moments = [] if link is None else [link.linked_at, link.read_at]
        if record is not None:
            moments.append(record.memory.gone_since)
        if record is not None and record.believed is not None:
            moments.append(record.believed.read_started_at)
        return any(at is not None and at >= self.began_at for at in moments)

    def is_doubted(self, campaign_ids: Iterable[CampaignId], now: datetime) -> bool:
        """Tell whether a role that these campaigns' rules name may be somebody's own by now."""
        first_read = [self.read_at.get(campaign_id, self.began_at) for campaign_id in campaign_ids]
        return now < max(first_read, default=self.began_at) + DOUBTED

    def is_of_first_day(self, opened_at: datetime) -> bool:
        """Tell whether a hold was opened while any role was doubted."""
        return self.began_at <= opened_at and self.is_doubted(self.read_at, opened_at)

    def is_new_pledge(self, grant: Grant, pledge_started_at: datetime | None) -> bool:
        """Tell whether a role that was found gone since the restore has been earned anew."""
        known_at = self.taken_at or grant.granted_at
        if pledge_started_at is None or known_at is None or grant.since < self.began_at:
            return False
        return pledge_started_at > known_at


class OldPair(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's token pair out of a backup, and where it reads what."""

    campaigns: tuple[str, ...]
    guild_ids: tuple[GuildId, ...]
    is_of_settings: bool


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did, and what it cannot know."""

    taken_at: datetime | None
    kept_as: str = ""  # where the old database is; "": there was none, or it is the one that was settled
    unlinked: int = 0  # whose link ended since
    revoked: int = 0  # tokens and hooks that admins have ended since
    disowned: int = 0  # roles that are people's own from now on
    comps: int = 0  # roles without a pledge that end later than the backup says
    old_pairs: tuple[OldPair, ...] = ()  # may be used up
    old_consents: int = 0  # of patrons, in campaigns that are read by these alone


def may_be_used_up(*, obtained_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Tell whether the bot would have refreshed a pair by now, which ends it."""
    return now >= expires_at - EARLY_SHARE * (expires_at - obtained_at)
