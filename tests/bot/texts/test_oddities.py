"""What an admin is told beside a standing: amounts where they differ, and what looks odd."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.entitlement import Entitlement, Standing, entitle
from bot.domain.model import ChargeStatus, PatronStatus
from bot.domain.record import take_reading
from bot.texts.oddities import LONG_PAST, say_oddities
from tests.fakes.world import CAMPAIGN, NEW_YEAR, World, reading, tier_map

NAMES = World().names()
OVERDUE = NEW_YEAR - LONG_PAST
OVERDUE_SAID = "Looks odd: the next charge was due 2025-12-25 12:00, and Patreon shows none since"


def stand(*chapters: dict[str, Any]) -> Entitlement:
    record = None
    for chapter in chapters:
        record = take_reading(record, reading(**chapter))
    assert record is not None
    return entitle(record, tiers=tier_map(), now=NEW_YEAR, grace_days=7)


def counts(cents: str, told: str) -> str:
    return f"Counts as {cents} USD a month for rules on amounts; Patreon says {told} USD"


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        pytest.param([{}], (), id="nothing"),
        pytest.param([{"entitled_cents": None}], (), id="no amount told"),
        pytest.param([{"entitled_cents": 12000, "cadence_months": 12}], (counts("10.00", "120.00"),), id="yearly"),
        pytest.param([{"entitled_cents": 0, "is_gifted": True}], (counts("10.00", "0.00"),), id="a gift"),
        pytest.param([{"entitled_cents": 970}], (counts("10.00", "9.70"),), id="rounded in another currency"),
        pytest.param([{}, {"tiers": (), "entitled_cents": 0}], (counts("10.00", "0.00"),), id="blank"),
        pytest.param(
            [{"tiers": ("Bronze", "Gold"), "entitled_cents": 250, "will_pay_cents": 300}],
            (counts("3.00", "2.50"), "Looks odd: Patreon still lists Gold, which costs more than they pay"),
            id="a dearer tier",
        ),
        pytest.param(
            [{"tiers": ("Bronze", "Gold"), "entitled_cents": 0, "is_gifted": True}],
            (counts("10.00", "0.00"),),
            id="two tiers for a gift",
        ),
        pytest.param([{"next_charge_at": OVERDUE}], (OVERDUE_SAID,), id="a charge long past"),
        pytest.param(
            [{"next_charge_at": OVERDUE, "patron_status": PatronStatus.FORMER}],
            (OVERDUE_SAID,),
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
def test_what_an_admin_is_told(chapters: list[dict[str, Any]], expected: tuple[str, ...]) -> None:
    assert say_oddities(stand(*chapters), NAMES) == expected


def test_a_charge_is_long_past_by_the_last_read_that_saw_no_other() -> None:
    entitlement = stand({"next_charge_at": NEW_YEAR + timedelta(days=1)})
    later = replace(NAMES, confirmed_at={CAMPAIGN: NEW_YEAR + timedelta(days=8)})
    assert say_oddities(entitlement, NAMES) == ()
    (said,) = say_oddities(entitlement, later)
    assert said.startswith("Looks odd: the next charge was due 2026-01-02 12:00")


def test_amounts_are_in_the_campaigns_currency() -> None:
    names = replace(NAMES, currencies={CAMPAIGN: "EUR"})
    assert say_oddities(stand({"entitled_cents": 900}), names) == (
        "Counts as 10.00 EUR a month for rules on amounts; Patreon says 9.00 EUR",
    )


def test_of_whom_nothing_is_known_nothing_is_odd() -> None:
    assert say_oddities(Entitlement(standing=Standing.NONE), NAMES) == ()
