"""What is counted of a day, and that it adds up."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from bot.domain.figures import DayFigures, Difference, Stats, count_day, first_day_needed, sum_flow, sum_up
from bot.domain.listed_row import ListedRow, in_short
from bot.domain.model import CampaignId, PatreonUserId, TierId
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading

DAY = timedelta(days=1)
FIRST = DayFigures(campaign_id=CAMPAIGN, day=NEW_YEAR.date(), read_at=NEW_YEAR, paying=3, linked=0)


def payer(name: str, *tiers: str, days: float = -300) -> ListedRow:
    began, tier_ids = NEW_YEAR + days * DAY, tuple(map(TierId, tiers))
    return in_short(replace(reading(name), tier_ids=tier_ids, pledge_started_at=began))


def count(*rows: ListedRow, before: DayFigures | None = FIRST) -> DayFigures:
    return count_day(CAMPAIGN, NEW_YEAR + DAY, rows, linked={PatreonUserId("patreon-ada")}, before=before)


def test_the_first_day_knows_nobody_who_came_or_went() -> None:
    counted = count(payer("ada", "t2"), payer("ben", "t1", "t2"), before=None)
    assert (counted.paying, counted.linked, counted.tiers) == (2, 1, {"t1": 1, "t2": 2})
    assert (counted.joined, counted.gone, counted.day) == (None, None, (NEW_YEAR + DAY).date())


def test_who_joined_began_since_the_day_before_and_the_rest_left() -> None:
    counted = count(payer("ada"), payer("cyd", days=0.5), payer("dot", days=0))
    assert (counted.joined, counted.gone) == (2, 2)
    counted = count(payer("ada"), payer("ben"), payer("cyd", days=-0.1))
    assert (counted.joined, counted.gone) == (0, 0)


def test_whoever_pays_again_has_joined_so_that_it_adds_up() -> None:
    counted = count(*map(payer, ("ada", "ben", "cyd", "dot")))
    assert (counted.joined, counted.gone) == (1, 0)


def test_the_same_counted_later_is_the_same() -> None:
    assert FIRST.says_the_same(replace(FIRST, read_at=NEW_YEAR + DAY))
    assert not FIRST.says_the_same(replace(FIRST, linked=1))
    assert not FIRST.says_the_same(None)


def day(number: int, paying: int, campaign: CampaignId = CAMPAIGN, **rest: Any) -> DayFigures:
    at = NEW_YEAR + number * DAY
    facts: dict[str, Any] = {"joined": 0, "gone": 0, "linked": paying // 2, "tiers": {TierId("t1"): paying}}
    return DayFigures(campaign_id=campaign, day=at.date(), read_at=at, paying=paying, **(facts | rest))


def stats_of(*rows: DayFigures, days: int = 30, first: int = 0) -> Stats:
    campaigns = {row.campaign_id for row in rows}
    stats = sum_up(rows, dict.fromkeys(campaigns, (NEW_YEAR + first * DAY).date()), days=days)
    assert stats is not None
    return stats


def test_nothing_counted_sums_up_to_nothing() -> None:
    assert sum_up([], {}, days=30) is None


def test_one_day_is_no_line_and_knows_no_change() -> None:
    stats = stats_of(day(0, 5, joined=None, gone=None))
    assert (stats.now.paying, stats.is_line, stats.changes, stats.is_whole) == (5, False, {}, False)
    assert (stats.now.joined, stats.now.gone) == (0, 0)
    assert stats.tier_ids == {"t1"}


def test_a_day_that_was_not_counted_is_as_the_one_before() -> None:
    stats = stats_of(day(3, 9, joined=4), day(0, 5))
    assert [point.paying for point in stats.points] == [5, 5, 5, 9]
    assert [point.joined for point in stats.points] == [0, 0, 0, 4]
    assert [point.day.day for point in stats.points] == [1, 2, 3, 4]
    assert stats.is_line


def test_changes_are_known_once_so_many_days_are_past() -> None:
    rows = [day(number, 10 + number, joined=2, gone=1) for number in range(31)]
    stats = stats_of(*rows, days=7)
    assert [point.paying for point in stats.points] == list(range(33, 41)), "the day before seven days, and they"
    assert stats.changes == {
        7: Difference(paying=7, linked=4, tiers={TierId("t1"): 7}, joined=14, gone=7),
        30: Difference(paying=30, linked=15, tiers={TierId("t1"): 30}, joined=60, gone=30),
    }
    assert stats.is_whole
    assert set(stats_of(*rows[:8]).changes) == {7}
    assert set(stats_of(*rows[:7]).changes) == set()
    assert not stats_of(*rows, days=31).is_whole
    assert stats_of(*rows, days=31, first=-9).is_whole


def test_a_tier_that_came_or_went_has_a_change() -> None:
    before, after = {TierId("old"): 2}, {TierId("new"): 3}
    stats = stats_of(day(0, 2, tiers=before), day(7, 3, tiers=after))
    assert stats.changes[7].tiers == {"new": 3, "old": -2}
    assert stats.tier_ids == {"old", "new"}


def test_campaigns_are_added_up_from_the_first_day_of_all_of_them() -> None:
    other = CampaignId("other")
    rows = [day(0, 5), day(1, 6, joined=1), day(2, 7, joined=1), day(1, 100, other, joined=None, tiers={})]
    stats = stats_of(*rows, first=1)
    assert [(point.paying, point.joined) for point in stats.points] == [(106, 1), (107, 1)]
    assert stats.now.tiers == {"t1": 7}
    assert stats.since == (NEW_YEAR + DAY).date()
    assert stats.read_at == NEW_YEAR + DAY, "the older of the last reads"


def test_who_came_and_went_is_told_by_day_and_of_a_long_time_by_week() -> None:
    few = stats_of(*(day(number, 5, joined=number, gone=1) for number in range(4)))
    assert [(one.middle, one.joined, one.gone) for one in sum_flow(few.points)] == [(1, 1, 1), (2, 2, 1), (3, 3, 1)]
    many = stats_of(*(day(number, 5, joined=1) for number in range(61)), days=60)
    weeks = sum_flow(many.points)
    assert [one.joined for one in weeks] == [4, *[7] * 8]
    assert [(one.days, one.middle) for one in (weeks[0], weeks[-1])] == [(4, 2.5), (7, 57)]


def test_more_days_are_asked_for_than_are_shown() -> None:
    last = NEW_YEAR.date()
    assert last - first_day_needed(last, 7) == timedelta(days=60)
    assert last - first_day_needed(last, 365) == timedelta(days=395)
