"""How a pledge is paid, in codes."""

from typing import Any

import pytest

from bot.domain.charge_status import ChargeStatus
from bot.domain.pledge_terms import Term, pledge_terms
from tests.fakes.world import CAMPAIGN, World, reading


@pytest.mark.parametrize(
    ("facts", "terms"),
    [
        pytest.param({"cadence_months": 1}, (), id="monthly"),
        pytest.param({"cadence_months": 12}, (Term.YEARLY,), id="annual"),
        pytest.param({"cadence_months": 3}, (Term.CADENCE,), id="another cadence"),
        pytest.param(
            {"cadence_months": 12, "is_gifted": True, "entitled_cents": 0},
            (Term.GIFT,),
            id="a gift is not paid yearly",
        ),
        pytest.param({"entitled_cents": 999}, (Term.DISCOUNTED,), id="discounted"),
        pytest.param({"entitled_cents": 0}, (Term.DISCOUNTED,), id="discounted altogether"),
        pytest.param({"entitled_cents": None}, (), id="amount not told"),
        pytest.param({"entitled_cents": 1000}, (), id="the price"),
        pytest.param(
            {"tiers": ("Free", "Gold"), "entitled_cents": 500}, (Term.DISCOUNTED,), id="discounted, with the Free tier"
        ),
        pytest.param({"is_free_trial": True, "entitled_cents": 0}, (Term.FREE_TRIAL,), id="a trial is no discount"),
        pytest.param(
            {
                "is_free_trial": True,
                "will_pay_cents": 0,
                "charge_status": ChargeStatus.NEVER,
                "tiers": ("Free", "Gold"),
            },
            (Term.COMPLIMENTARY,),
            id="a trial without an end is complimentary",
        ),
        pytest.param(
            {"is_free_trial": True, "will_pay_cents": 0, "charge_status": ChargeStatus.NEVER, "cadence_months": 1},
            (Term.FREE_TRIAL,),
            id="a trial that was cancelled",
        ),
        pytest.param(
            {"is_free_trial": True, "will_pay_cents": 1000, "charge_status": ChargeStatus.NEVER},
            (Term.FREE_TRIAL,),
            id="a trial that is to be paid",
        ),
        pytest.param({"cadence_months": 12, "entitled_cents": 12000}, (Term.YEARLY,), id="annual, the year's cents"),
        pytest.param(
            {"cadence_months": 12, "entitled_cents": 10800},
            (Term.YEARLY, Term.DISCOUNTED),
            id="annual, the year's cents with a discount",
        ),
        pytest.param({"tiers": ("Bronze", "Gold"), "entitled_cents": 300}, (), id="of two tiers, the cheaper is paid"),
        pytest.param(
            {"charge_status": ChargeStatus.FREE_TRIAL, "entitled_cents": 0},
            (Term.FREE_TRIAL,),
            id="a trial by its charge",
        ),
        pytest.param({"tiers": ()}, (Term.NO_TIER,), id="deleted tier"),
        pytest.param(
            {"tiers": ("Free",), "entitled_cents": 500}, (Term.NO_TIER,), id="deleted tier, the Free tier listed"
        ),
        pytest.param(
            {"charge_status": ChargeStatus.PENDING, "cadence_months": 12, "entitled_cents": 900},
            (Term.PENDING, Term.YEARLY, Term.DISCOUNTED),
            id="several at once",
        ),
        pytest.param(
            {"is_gifted": True, "unknown_words": ("Half Paid",), "entitled_cents": 0},
            (Term.UNKNOWN_WORDS, Term.GIFT),
            id="an unknown word hides nothing",
        ),
        pytest.param({"charge_status": ChargeStatus.PARTIALLY_REFUNDED}, (Term.PARTLY_REFUNDED,), id="partly refunded"),
    ],
)
def test_how_a_pledge_is_paid_is_told_in_codes(facts: dict[str, Any], terms: tuple[Term, ...]) -> None:
    assert pledge_terms(reading(**facts), World().facts().tiers[CAMPAIGN]) == terms
