"""What is counted of a day, and that it adds up."""

from datetime import timedelta

from msgspec.structs import replace

from bot.domain.figures import DayFigures, count_day
from bot.domain.listed_row import ListedRow, in_short
from bot.domain.model import PatreonUserId, TierId
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
