"""One row of a member list, in short: what a whole read counts and compares, without the reading itself. Pure.

Most rows of a list are as they were an hour ago. Of such a row this is all that is needed, and it is remembered; the
reading is made from the row where somebody asks for it.
"""

from functools import lru_cache

import msgspec

from bot.domain.model import DiscordUserId, Membership, MembershipId, PatreonUserId, TierId
from bot.domain.new_reading import fingerprint, matters
from bot.domain.patron_status import PatronStatus


class ListedRow(msgspec.Struct, kw_only=True, gc=False):
    """What a row says of somebody, but for when it was read; the same for as long as its bytes are the same."""

    patreon_user_id: PatreonUserId
    membership_id: MembershipId | None
    discord_user_id: DiscordUserId | None
    has_tier: bool
    is_paying: bool
    matters: bool
    tier_ids: tuple[TierId, ...] = ()  # these two of those who pay alone: others are not counted by them
    pledged_at: int | None = None  # when the pledge began: seconds since 1970
    fingerprint: int | None = None  # of the reading, once somebody had to compare it: nobody does for followers

    def compared(self, reading: Membership) -> int:
        """Return the fingerprint of this row's reading, and remember it."""
        self.fingerprint = fingerprint(reading)
        return self.fingerprint


def in_short(reading: Membership) -> ListedRow:
    """Return what is counted and compared of a reading."""
    is_paying = reading.patron_status is PatronStatus.ACTIVE
    began = reading.pledge_started_at if is_paying else None
    return ListedRow(
        patreon_user_id=reading.patreon_user_id,
        membership_id=reading.membership_id,
        discord_user_id=reading.discord_user_id,
        has_tier=bool(reading.tier_ids),
        is_paying=is_paying,
        matters=matters(reading),
        tier_ids=_one_for_all(reading.tier_ids) if is_paying else (),
        pledged_at=None if began is None else int(began.timestamp()),
    )


@lru_cache(maxsize=1024)
def _one_for_all(tier_ids: tuple[TierId, ...]) -> tuple[TierId, ...]:
    """Return the same tuple for the same tiers: many thousand rows are remembered, and name few."""
    return tier_ids
