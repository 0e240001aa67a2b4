"""How a membership stands after each thing that can happen to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock import SandboxClock
from sandbox.patreon import Member, PatreonState, Tier, standing

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MONTH_LATER = datetime(2026, 2, 28, 12, tzinfo=UTC)


@dataclass
class Case:
    """Someone with a Gold pledge of 10.00 since NOW."""

    state: PatreonState
    member: Member

    @property
    def tiers(self) -> list[str]:
        return [tier.title for tier in standing.entitled_tiers(self.member)]


@pytest.fixture
def case() -> Case:
    return a_case()


def a_case() -> Case:
    state = PatreonState(SandboxClock())
    campaign = state.add_creator("Mira Quill").campaign
    gold = state.add_tier(campaign, "Gold", 1000)
    state.add_tier(campaign, "Bronze", 300)
    member = state.new_member(state.add_patron("Ada Reed"), campaign, NOW)
    standing.start_pledge(member, gold, now=NOW, cents=1000)
    return Case(state, member)


def bronze(member: Member) -> Tier:
    return member.campaign.tiers[2]


def in_turn(*steps: Callable[[Member], None]) -> Callable[[Member], None]:
    def all_of_them(member: Member) -> None:
        for step in steps:
            step(member)

    return all_of_them


def fail_card(member: Member) -> None:
    member.card_fails = True


def fail(member: Member) -> None:
    standing.decline(member, NOW)


def pause(member: Member) -> None:
    member.is_paused = True


def renew(member: Member) -> None:
    standing.renew(member, member.next_charge_at or NOW)


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        pytest.param(lambda m: None, ("active_patron", "Paid", ["Gold"], 1000, "active"), id="pledged"),
        pytest.param(renew, ("active_patron", "Paid", ["Gold"], 1000, "active"), id="renewed"),
        pytest.param(fail, ("declined_patron", "Declined", ["Gold"], 1000, "declined"), id="declined"),
        pytest.param(
            in_turn(fail, lambda m: standing.pay(m, NOW)),
            ("active_patron", "Paid", ["Gold"], 1000, "active"),
            id="declined and paid",
        ),
        pytest.param(
            in_turn(fail, renew), ("former_patron", "Declined", [], 0, "former patron"), id="retries at their end"
        ),
        pytest.param(
            in_turn(fail_card, renew),
            ("declined_patron", "Declined", ["Gold"], 1000, "declined"),
            id="card fails at the renewal",
        ),
        pytest.param(
            standing.cancel, ("active_patron", "Paid", ["Gold"], 1000, "active, cancelled"), id="cancelled, paid for"
        ),
        pytest.param(
            in_turn(standing.cancel, renew),
            ("former_patron", "Paid", [], 0, "former patron"),
            id="cancelled, period over",
        ),
        pytest.param(
            in_turn(fail, standing.cancel),
            ("former_patron", "Declined", [], 0, "former patron"),
            id="cancelled while declined",
        ),
        pytest.param(standing.refund, ("active_patron", "Refunded", ["Gold"], 1000, "active, refunded"), id="refunded"),
        pytest.param(pause, ("active_patron", "Paid", ["Gold"], 1000, "active, paused"), id="paused, period runs"),
        pytest.param(
            in_turn(pause, renew), ("active_patron", "Paid", [], 0, "active, paused"), id="paused, period over"
        ),
        pytest.param(
            in_turn(pause, renew, lambda m: standing.resume(m, NOW)),
            ("active_patron", "Paid", ["Gold"], 1000, "active"),
            id="resumed",
        ),
        pytest.param(
            lambda m: standing.change_tier(m, bronze(m)),
            ("active_patron", "Paid", ["Bronze"], 300, "active"),
            id="downgrade",
        ),
    ],
)
def test_what_happens_decides_the_standing(
    case: Case, happens: Callable[[Member], None], expected: tuple[str, str, list[str], int, str]
) -> None:
    happens(case.member)
    member = case.member
    seen = (member.patron_status, member.last_charge_status, case.tiers, standing.entitled_cents(member))
    assert (*seen, standing.status_words(member)) == expected


def test_a_short_month_is_charged_on_its_last_day(case: Case) -> None:
    assert case.member.next_charge_at == MONTH_LATER


def test_each_charge_adds_to_what_was_paid_in_all(case: Case) -> None:
    renew(case.member)
    assert case.member.lifetime_cents == 2000


def test_a_deleted_tier_is_listed_no_more_though_it_is_paid(case: Case) -> None:
    assert case.member.tier is not None
    case.member.tier.is_deleted = True
    assert case.tiers == []
    assert standing.entitled_cents(case.member) == 1000


def test_an_annual_downgrade_waits_for_the_next_charge(case: Case) -> None:
    member = case.member
    assert member.tier is not None
    standing.start_pledge(member, member.tier, now=NOW, cents=1000, annual=True)
    standing.change_tier(member, bronze(member))
    assert (case.tiers, standing.will_pay_cents(member)) == (["Gold"], 300)
    renew(member)
    assert (case.tiers, member.cadence) == (["Bronze"], 12)


def test_a_gift_has_a_tier_and_no_cents(case: Case) -> None:
    member = case.member
    standing.gift(member, bronze(member), now=NOW, months=1)
    assert (case.tiers, standing.entitled_cents(member), standing.has_pledge(member)) == (["Bronze"], 0, False)
    renew(member)
    assert member.patron_status == "former_patron"


def test_a_trial_is_charged_at_its_end(case: Case) -> None:
    member = case.member
    standing.start_pledge(member, member.campaign.tiers[1], now=NOW, cents=1000, trial=True)
    assert (member.last_charge_status, member.is_trial) == ("Free Trial", True)
    assert member.next_charge_at == NOW + timedelta(days=7)
    renew(member)
    assert (member.last_charge_status, member.is_trial) == ("Paid", False)


def test_a_follower_is_entitled_to_the_free_tier_alone() -> None:
    state = PatreonState(SandboxClock())
    campaign = state.add_creator("Mira Quill").campaign
    member = state.add_member(state.add_patron("Flo Free"), campaign.free_tier)
    assert [tier.title for tier in standing.entitled_tiers(member)] == ["Free"]
    assert (member.patron_status, standing.status_words(member)) == (None, "free member")


def test_whoever_cancelled_has_no_pledge_in_api_v1(case: Case) -> None:
    assert standing.has_pledge(case.member)
    standing.cancel(case.member)
    assert not standing.has_pledge(case.member)


def test_pledge_history_has_no_payment_for_the_start(case: Case) -> None:
    start, first = case.member.history
    assert (start.kind, start.payment_status) == ("pledge_start", None)
    assert (first.kind, first.payment_status) == ("subscription", "Paid")
