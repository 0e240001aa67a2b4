"""What somebody pays a month: each row of the table, and the worked examples that people reported."""

from typing import Any

import pytest

from bot.domain.amount import Pay, cents_a_month, find_floor, month_told, pay_remembered, pay_told
from bot.domain.charge_status import ChargeStatus
from bot.domain.model import CampaignId, Memory, Tier, TierId
from tests.fakes.world import TIER, reading

TIERS = {
    TierId(str(cents)): Tier(
        campaign_id=CampaignId("100"), tier_id=TierId(str(cents)), title=f"for {cents}", amount_cents=cents
    )
    for cents in (0, 100, 500, 1000, 6000)
}


def pay(*prices: int, **rest: Any) -> Pay:
    return Pay(tier_ids=tuple(TierId(str(price)) for price in prices), **rest)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # --- monthly, one tier: its price is the floor
        pytest.param(pay(500, cents=500, cadence_months=1), 500, id="the price"),
        pytest.param(pay(500, cents=450), 500, id="a discount"),
        pytest.param(pay(500, cents=486), 500, id="another currency's rounding"),
        pytest.param(pay(500, cents=0), 500, id="nothing: the paid rest of a cancelled period, or blank"),
        pytest.param(pay(500, cents=0, is_free_of_charge=True), 500, id="a gift"),
        pytest.param(pay(500, cents=500, will_pay_cents=0, is_free_of_charge=True), 500, id="complimentary"),
        pytest.param(pay(500, cents=1500), 1500, id="more than the price, by choice"),
        pytest.param(pay(500), 500, id="not told"),
        pytest.param(pay(0, 500, cents=450), 500, id="the Free tier is none"),
        # --- n months: the cents may be the whole period's
        pytest.param(pay(500, cents=6000, cadence_months=12), 500, id="yearly, the year's"),
        pytest.param(pay(500, cents=500, cadence_months=12), 500, id="yearly, the month's"),
        pytest.param(pay(500, cents=5400, cadence_months=12), 500, id="yearly, the year's with a discount"),
        pytest.param(pay(500, cents=450, cadence_months=12), 500, id="yearly, the month's with a discount"),
        pytest.param(pay(500, cents=1500, cadence_months=3), 500, id="quarterly, the quarter's"),
        pytest.param(pay(500, cents=500, cadence_months=3), 500, id="quarterly, the month's"),
        pytest.param(pay(500, cents=1350, cadence_months=3), 500, id="quarterly, the quarter's with a discount"),
        pytest.param(pay(500, cents=3000, cadence_months=6), 500, id="half-yearly, the period's"),
        pytest.param(pay(500, cents=500, cadence_months=6), 500, id="half-yearly, the month's"),
        pytest.param(pay(500, cents=12000, cadence_months=12), 1000, id="yearly, more than the price by choice"),
        pytest.param(pay(500, cents=3000, cadence_months=12), 500, id="yearly, half the price each month"),
        pytest.param(pay(500, cents=2999, cadence_months=12), 2999, id="yearly, less than half: the month's"),
        pytest.param(pay(500, cadence_months=12), 500, id="yearly, not told"),
        pytest.param(pay(500, cents=500, cadence_months=0), 500, id="a cadence of none"),
        # --- no paid tier listed
        pytest.param(pay(cents=500), 500, id="no tier"),
        pytest.param(pay(cents=6000, cadence_months=12), 500, id="no tier, yearly"),
        pytest.param(pay(cents=1500, cadence_months=3), 500, id="no tier, quarterly"),
        pytest.param(pay(0, cents=6000, cadence_months=12), 500, id="the Free tier alone, yearly"),
        pytest.param(pay(7, cents=6000, cadence_months=12), 500, id="a tier without a known price, yearly"),
        pytest.param(pay(cadence_months=12), 0, id="no tier, not told"),
        # --- several paid tiers
        pytest.param(pay(500, 1000, cents=1000), 1000, id="two, the dearest reached"),
        pytest.param(pay(500, 1000, cents=500), 500, id="two, the cheaper reached: upgraded, cancelled, cheap again"),
        pytest.param(pay(500, 1000, cents=0, will_pay_cents=500), 500, id="two, the next charge reaches the cheaper"),
        pytest.param(pay(500, 1000, cents=500, will_pay_cents=1000), 1000, id="two, the next charge: an upgrade"),
        pytest.param(pay(500, 1000, cents=1000, will_pay_cents=500), 1000, id="two, the next charge: a downgrade"),
        pytest.param(pay(500, 1000, cents=700), 700, id="two, between them"),
        pytest.param(pay(500, 1000, cents=450), 500, id="two, neither reached: the cheapest"),
        pytest.param(pay(500, 1000, cents=450, will_pay_cents=0), 500, id="two, neither reached by either"),
        pytest.param(pay(100, 500, 1000, cents=600, will_pay_cents=100), 600, id="three"),
        pytest.param(pay(500, 1000, cents=0, is_free_of_charge=True), 1000, id="two, a gift or a trial: the dearest"),
        pytest.param(pay(500, 1000), 1000, id="two, not told: the dearest"),
        pytest.param(pay(500, 1000, cents=6000, cadence_months=12), 500, id="two, yearly, the year's"),
        pytest.param(pay(500, 1000, cents=5400, cadence_months=12), 500, id="two, yearly, discounted"),
        pytest.param(pay(500, 1000, cents=500, cadence_months=12), 500, id="two, yearly, the month's"),
        pytest.param(pay(500, 1000, cents=12000, cadence_months=12), 1000, id="two, yearly, the dearest reached"),
        pytest.param(
            pay(500, 1000, cents=6000, will_pay_cents=12000, cadence_months=12), 1000, id="two, yearly, an upgrade"
        ),
        pytest.param(pay(100, 1000, cents=1000, cadence_months=12), 1000, id="two, yearly, a month's very price"),
    ],
)
def test_what_somebody_pays_a_month(told: Pay, expected: int) -> None:
    assert cents_a_month(told, TIERS) == expected


@pytest.mark.parametrize(
    ("told", "share"),
    [
        (pay(500, cents=5400, cadence_months=12), 450),
        (pay(500, cents=450), 450),
        (pay(500), None),
    ],
)
def test_what_patreon_says_of_a_month_is_told_apart_from_the_floor(told: Pay, share: int | None) -> None:
    assert (month_told(told, TIERS), find_floor(told, TIERS)) == (share, 500)


@pytest.mark.parametrize(
    ("facts", "is_free_of_charge"),
    [
        pytest.param({}, False, id="paid"),
        pytest.param({"is_gifted": True}, True, id="gifted"),
        pytest.param({"is_free_trial": True}, True, id="on trial"),
        pytest.param({"charge_status": ChargeStatus.FREE_TRIAL}, True, id="on trial, by the charge"),
    ],
)
def test_a_reading_says_all_that_counts(facts: dict[str, Any], is_free_of_charge: bool) -> None:
    told = pay_told(reading(entitled_cents=900, will_pay_cents=1000, cadence_months=3, **facts))
    assert told == Pay(
        tier_ids=(TIER["Gold"],),
        cents=900,
        will_pay_cents=1000,
        cadence_months=3,
        is_free_of_charge=is_free_of_charge,
    )


def test_what_is_remembered_says_the_same() -> None:
    memory = Memory(
        last_active_tier_ids=(TIER["Gold"],),
        last_active_cents=900,
        last_active_will_pay_cents=1000,
        last_active_cadence_months=3,
        was_free_of_charge=True,
    )
    assert pay_remembered(memory) == Pay(
        tier_ids=(TIER["Gold"],), cents=900, will_pay_cents=1000, cadence_months=3, is_free_of_charge=True
    )
