"""A campaign's figures of one day, and what many days come to: how many pay and for what, came, went, are linked. Pure.

Who joined is told by when the pledge began; who left follows from that and from how many paid the day before. Whoever
joined and left between the last reads of two days is counted as neither, and whoever pays again after a declined
payment may be counted as joined: so the three numbers always add up.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from bot.domain.listed_row import ListedRow
from bot.domain.model import Campaign, CampaignId, PatreonUserId, TierId


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


# --- many days


CHANGES = (7, 30)  # days
BRIDGED_DAYS = 30  # so long a time without a read keeps what was counted before it
MOST_SINGLE_DAYS = 45  # more are summed up by week
WEEK = 7


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What stood at the end of a day; a day that was not counted is as the one before it."""

    day: date
    paying: int
    linked: int
    tiers: Mapping[TierId, int]
    joined: int = 0
    gone: int = 0


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What became different within some days."""

    paying: int
    linked: int
    tiers: Mapping[TierId, int]
    joined: int
    gone: int


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """How many joined and left within some days, of which `middle` is the place among the points."""

    days: int
    middle: float
    joined: int
    gone: int


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one or several campaigns together over some days."""

    days: int  # that were asked for
    since: date  # the first day that was counted of all of them
    read_at: datetime
    points: tuple[Point, ...]  # one a day, the oldest first: the day before those that were asked for, and they
    changes: Mapping[int, Difference]  # by days; only what is known

    @property
    def now(self) -> Point:
        """Return the last day."""
        return self.points[-1]

    @property
    def is_line(self) -> bool:
        """Tell whether there is anything to draw: one day is a dot."""
        return len(self.points) > 1

    @property
    def is_whole(self) -> bool:
        """Tell whether it was counted all the time that was asked for, and that changes are told of."""
        return self.since <= self.now.day - _longest(self.days)

    @property
    def tier_ids(self) -> frozenset[TierId]:
        """Return the tiers that anybody had."""
        return frozenset(tier_id for point in self.points for tier_id in point.tiers)


class ServerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a server's campaigns; None where nothing was counted yet."""

    counted: tuple[Campaign, ...] = ()
    uncounted: tuple[Campaign, ...] = ()
    stats: Stats | None = None


def first_day_needed(last: date, days: int) -> date:
    """Return from which day on figures have to be known, for `days` before the last."""
    return last - _longest(days) - timedelta(days=BRIDGED_DAYS)


def sum_up(rows: Iterable[DayFigures], first_days: Mapping[CampaignId, date], *, days: int) -> Stats | None:
    """Put campaigns together from the first day that was counted of each; None where there is no figure.

    `first_days` are the first days that were ever counted, which may be older than any of the rows.
    """
    campaigns: dict[CampaignId, list[DayFigures]] = {}
    for row in rows:
        campaigns.setdefault(row.campaign_id, []).append(row)
    if not campaigns:
        return None
    for its in campaigns.values():
        its.sort(key=lambda row: row.day)
    last = max(its[-1].day for its in campaigns.values())
    known = max(its[0].day for its in campaigns.values())
    first = max(known, last - _longest(days))
    points = [
        _added(same_day) for same_day in zip(*(_filled(its, first, last) for its in campaigns.values()), strict=True)
    ]
    return Stats(
        days=days,
        since=max(first_days[campaign_id] for campaign_id in campaigns),
        read_at=min(its[-1].read_at for its in campaigns.values()),
        points=tuple(points[-days - 1 :]),
        changes={span: _change(points, span) for span in CHANGES if len(points) > span},
    )


def sum_flow(points: Sequence[Point]) -> tuple[Flow, ...]:
    """Return who joined and left after the first day: day by day, or where these are many by weeks that end today."""
    size = 1 if len(points) <= MOST_SINGLE_DAYS else WEEK
    flows: list[Flow] = []
    for end in range(len(points), 1, -size):
        start = max(end - size, 1)
        some = points[start:end]
        joined, gone = sum(one.joined for one in some), sum(one.gone for one in some)
        flows.append(Flow(days=end - start, middle=(start + end - 1) / 2, joined=joined, gone=gone))
    return tuple(reversed(flows))


def _longest(days: int) -> timedelta:
    return timedelta(days=max(days, *CHANGES))


def _filled(rows: Sequence[DayFigures], first: date, last: date) -> Iterator[Point]:
    known = {row.day: row for row in rows}
    held = max((row for row in rows if row.day <= first), key=lambda row: row.day)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        row = known.get(day)
        held = row or held
        yield Point(
            day=day,
            paying=held.paying,
            linked=held.linked,
            tiers=held.tiers,
            joined=0 if row is None else row.joined or 0,
            gone=0 if row is None else row.gone or 0,
        )


def _added(points: Sequence[Point]) -> Point:
    tiers: Counter[TierId] = Counter()
    for one in points:
        tiers.update(one.tiers)
    return Point(
        day=points[0].day,
        paying=sum(one.paying for one in points),
        linked=sum(one.linked for one in points),
        tiers=dict(tiers),
        joined=sum(one.joined for one in points),
        gone=sum(one.gone for one in points),
    )


def _change(points: Sequence[Point], days: int) -> Difference:
    before, now, between = points[-days - 1], points[-1], points[-days:]
    return Difference(
        paying=now.paying - before.paying,
        linked=now.linked - before.linked,
        tiers={one: now.tiers.get(one, 0) - before.tiers.get(one, 0) for one in sorted({*now.tiers, *before.tiers})},
        joined=sum(one.joined for one in between),
        gone=sum(one.gone for one in between),
    )
