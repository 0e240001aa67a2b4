"""A campaign's figures of one day: how many pay and for which tiers, how many came and went, how many are linked. Pure.

Who joined is told by when the pledge began; who left follows from that and from how many paid the day before. Whoever
joined and left between the last reads of two days is counted as neither, and whoever pays again after a declined
payment may be counted as joined: so the three numbers always add up.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime

import msgspec

from bot.domain.listed_row import ListedRow
from bot.domain.model import CampaignId, PatreonUserId, TierId


class DayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the last believed read of a day (UTC) counted that counted anything else than the one before."""

    campaign_id: CampaignId
    day: date
    read_at: datetime
    paying: int
    linked: int  # of those who pay
    joined: int | None = None  # since the last day that has figures; None: there is none before
    gone: int | None = None
    tiers: Mapping[TierId, int] = {}  # of those who pay; whoever has two counts for both

    def says_the_same(self, other: "DayFigures | None") -> bool:
        """Tell whether it counts the same for the same day, whenever that was read."""
        return other is not None and msgspec.structs.replace(other, read_at=self.read_at) == self


def count_day(
    campaign_id: CampaignId,
    read_at: datetime,
    payers: Iterable[ListedRow],
    *,
    linked: Container[PatreonUserId],
    before: DayFigures | None,
) -> DayFigures:
    """Count those who pay, as one whole read of the list shows them; `before` is the last day that has figures."""
    rows = list(payers)
    tiers = Counter(tier_id for row in rows for tier_id in row.tier_ids)
    counted = DayFigures(
        campaign_id=campaign_id,
        day=read_at.date(),
        read_at=read_at,
        paying=len(rows),
        linked=sum(row.patreon_user_id in linked for row in rows),
        tiers=dict(sorted(tiers.items())),
    )
    if before is None:
        return counted
    since = int(before.read_at.timestamp())
    began = sum(row.pledged_at is not None and row.pledged_at >= since for row in rows)
    joined = max(began, len(rows) - before.paying)
    return msgspec.structs.replace(counted, joined=joined, gone=before.paying + joined - len(rows))
