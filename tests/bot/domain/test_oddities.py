"""What an admin is told beside a standing: amounts where they differ, and what looks odd."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.charge_status import ChargeStatus
from bot.domain.oddities import LONG_PAST, Oddity, OddityKind, find_oddities
from bot.domain.patron_status import PatronStatus
from bot.domain.reasons import TierName
from tests.fakes.world import NEW_YEAR, TIER, World

GOLD = TierName(tier_id=TIER["Gold"], title="Gold", amount_cents=1000, currency="USD")


def odd(*chapters: dict[str, Any], confirmed_at: datetime | None = None, currency: str = "USD") -> tuple[Oddity, ...]:
    """Return what looks odd of ada, whom Patreon described so, one reading after the other."""
    world = World(now=NEW_YEAR - timedelta(hours=1), confirmed_at=confirmed_at, currency=currency)
    world.stranger("ada")
    world.link("ada")
    for chapter in chapters:
        world.now = NEW_YEAR - timedelta(hours=1)
        world.read("ada", **chapter)
    return find_oddities(world.plan_of("ada"), world.facts())


def counts(cents: int, told: int, currency: str = "USD") -> Oddity:
    return Oddity(kind=OddityKind.COUNTS_AS, campaign="Moth Tales", cents=cents, told_cents=told, currency=currency)


def overdue(at: datetime) -> Oddity:
    return Oddity(kind=OddityKind.OVERDUE, campaign="Moth Tales", due_at=at)


OVERDUE = NEW_YEAR - LONG_PAST
DEARER = Oddity(kind=OddityKind.DEARER_TIER, campaign="Moth Tales", tiers=(GOLD,))


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        pytest.param([{}], (), id="nothing"),
        pytest.param([{"entitled_cents": None}], (), id="no amount told"),
        pytest.param([{"entitled_cents": 12000, "cadence_months": 12}], (counts(1000, 12000),), id="yearly"),
        pytest.param([{"entitled_cents": 0, "is_gifted": True}], (counts(1000, 0),), id="a gift"),
        pytest.param([{"entitled_cents": 970}], (counts(1000, 970),), id="rounded in another currency"),
        pytest.param([{}, {"tiers": (), "entitled_cents": 0}], (counts(1000, 0),), id="blank"),
        pytest.param(
            [{"tiers": ("Bronze", "Gold"), "entitled_cents": 250, "will_pay_cents": 300}],
            (counts(300, 250), DEARER),
            id="a dearer tier",
        ),
        pytest.param(
            [{"tiers": ("Bronze", "Gold"), "entitled_cents": 0, "is_gifted": True}],
            (counts(1000, 0),),
            id="two tiers for a gift",
        ),
        pytest.param([{"next_charge_at": OVERDUE}], (overdue(OVERDUE),), id="a charge long past"),
        pytest.param(
            [{"next_charge_at": OVERDUE, "patron_status": PatronStatus.FORMER}],
            (overdue(OVERDUE),),
            id="a charge long past, cancelled",
        ),
        pytest.param([{"next_charge_at": OVERDUE + timedelta(seconds=1)}], (), id="a charge just past"),
        pytest.param([{"next_charge_at": OVERDUE, "is_gifted": True}], (), id="a gift is not charged"),
        pytest.param(
            [{}, {"next_charge_at": OVERDUE, "patron_status": PatronStatus.DECLINED}], (), id="declined: known anyway"
        ),
        pytest.param(
            [
                {
                    "patron_status": PatronStatus.FORMER,
                    "charge_status": ChargeStatus.DELETED,
                    "tiers": (),
                    "next_charge_at": NEW_YEAR + timedelta(days=9),
                }
            ],
            (),
            id="cancelled before the first charge",
        ),
    ],
)
def test_what_an_admin_is_told(chapters: list[dict[str, Any]], expected: tuple[Oddity, ...]) -> None:
    assert odd(*chapters) == expected


def test_a_charge_is_long_past_by_the_last_read_that_saw_no_other() -> None:
    due = NEW_YEAR + timedelta(days=1)
    assert odd({"next_charge_at": due}) == ()
    assert odd({"next_charge_at": due}, confirmed_at=NEW_YEAR + timedelta(days=8)) == (overdue(due),)


def test_amounts_are_in_the_campaigns_currency() -> None:
    assert odd({"entitled_cents": 900}, currency="EUR") == (counts(1000, 900, "EUR"),)


def test_of_whom_nothing_is_known_nothing_is_odd() -> None:
    assert odd() == ()


def test_nothing_is_odd_about_somebody_who_is_not_linked() -> None:
    world = World()
    world.patron("ada", entitled_cents=900)
    plan = world.plan_of("ada")
    assert find_oddities(plan, world.facts())
    assert find_oddities(replace(plan, link=None), world.facts()) == ()
