"""Who is a patron now: the standings that count, by what is proven and by what is doubted."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.charge_status import ChargeStatus
from bot.domain.model import MembershipRecord
from bot.domain.new_reading import take_reading
from bot.domain.patron_status import PatronStatus
from bot.domain.patrons_now import Present
from bot.domain.reports import Now
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading, tier_map

PRESENT = Present(now=NEW_YEAR + timedelta(days=2), grace_days=7, tiers={CAMPAIGN: tier_map()})
DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
FREE: dict[str, Any] = {"tiers": ("Free",)}


def record(*chapters: dict[str, Any]) -> MembershipRecord:
    """Return what is known after these readings, a day apart."""
    known = take_reading(None, reading(**chapters[0]))
    for day, facts in enumerate(chapters[1:], start=1):
        known = take_reading(known, reading(at=NEW_YEAR + timedelta(days=day), **facts))
    return known


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        pytest.param([{}], True, id="active"),
        pytest.param([{"is_gifted": True, "entitled_cents": 0}], True, id="gifted"),
        pytest.param([{}, DECLINED], True, id="in grace"),
        pytest.param([{}, {"tiers": (), "entitled_cents": None}], True, id="waiting: tiers and money are blank"),
        pytest.param([{}, {"patron_status": PatronStatus.FORMER}], True, id="cancelled, and paid to the end"),
        pytest.param([{}, FORMER], False, id="former"),
        pytest.param([FREE], False, id="a follower"),
        pytest.param([{}, {"charge_status": ChargeStatus.REFUNDED}], False, id="refunded"),
    ],
)
def test_the_standing_says_who_is_a_patron_now(chapters: list[dict[str, Any]], *, expected: bool) -> None:
    assert PRESENT.patron_now(record(*chapters)) == Now(is_proven=expected, is_doubted=False)


def test_a_reading_that_is_not_believed_yet_is_only_a_doubt() -> None:
    lapsed = record({}, FORMER)
    doubted = take_reading(lapsed, reading(at=NEW_YEAR + timedelta(days=2)), is_believed=False)
    assert PRESENT.patron_now(doubted) == Now(is_proven=False, is_doubted=True)
    paying = record({})
    doubted = take_reading(paying, reading(at=NEW_YEAR + timedelta(days=2), **FORMER), is_believed=False)
    assert PRESENT.patron_now(doubted) == Now(is_proven=True, is_doubted=False)


def test_a_campaign_whose_tiers_are_unknown_still_has_its_patrons() -> None:
    assert Present(now=NEW_YEAR, grace_days=7).patron_now(record({})).is_proven
