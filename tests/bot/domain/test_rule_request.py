from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import Campaign, CampaignId, RoleId, RoleRule, RuleId, RuleKind, Tier, TierId
from bot.domain.rule_request import MOST_CENTS, UNSTORED, RuleRequest, find_same, read_amount, resolve
from tests.fakes.world import GUILD

GOLD_ROLE = RoleId(13)


def campaign(campaign_id: str, name: str, **tiers: str) -> Campaign:
    return Campaign(
        campaign_id=CampaignId(campaign_id),
        name=name,
        tiers=tuple(
            Tier(campaign_id=CampaignId(campaign_id), tier_id=TierId(tier_id), title=title, amount_cents=300)
            for title, tier_id in tiers.items()
        ),
    )


MOTHS = campaign("100", "Moth Tales", Bronze="2", Gold="3")
BEES = campaign("200", "Bee Tales", Gold="4", Honey="5")


def wish(kind: RuleKind, *campaigns: Campaign, **asked: Any) -> RoleRule:
    return resolve(RuleRequest(role_id=GOLD_ROLE, kind=kind, **asked), campaigns or (MOTHS,), guild_id=GUILD)


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        pytest.param(RuleKind.TIER, {"tier": "3"}, {"tier_id": "3"}, id="tier: by its id"),
        pytest.param(RuleKind.TIER, {"tier": " gOLD "}, {"tier_id": "3"}, id="tier: by its name"),
        pytest.param(RuleKind.PAYING, {}, {}, id="paying"),
        pytest.param(RuleKind.PAYING, {"campaign": "moth tales"}, {}, id="paying: the campaign by its name"),
        pytest.param(RuleKind.AMOUNT, {"amount": "5.00"}, {"amount_cents": 500}, id="amount"),
        pytest.param(RuleKind.LIFETIME, {"amount": "100"}, {"amount_cents": 10_000}, id="lifetime"),
        pytest.param(RuleKind.MONTHS, {"months": 12}, {"months": 12}, id="months"),
        pytest.param(RuleKind.FREE, {}, {}, id="free"),
        pytest.param(RuleKind.FORMER, {}, {}, id="former"),
    ],
)
def test_a_wish_becomes_a_rule(kind: RuleKind, asked: dict[str, Any], expected: dict[str, Any]) -> None:
    assert wish(kind, **asked) == RoleRule(
        rule_id=UNSTORED,
        guild_id=GUILD,
        role_id=GOLD_ROLE,
        campaign_id=MOTHS.campaign_id,
        kind=kind,
        **expected,
    )


@pytest.mark.parametrize(
    ("kind", "asked", "mistake"),
    [
        pytest.param(RuleKind.TIER, {}, Mistake.TIER_MISSING, id="tier: none"),
        pytest.param(RuleKind.TIER, {"tier": "Platinum"}, Mistake.TIER_UNKNOWN, id="tier: unknown"),
        pytest.param(RuleKind.TIER, {"tier": "Gold", "amount": "5"}, Mistake.OPTION_NOT_OF_KIND, id="tier: an amount"),
        pytest.param(RuleKind.PAYING, {"tier": "Gold"}, Mistake.OPTION_NOT_OF_KIND, id="paying: a tier"),
        pytest.param(RuleKind.PAYING, {"months": 0}, Mistake.OPTION_NOT_OF_KIND, id="paying: months, even none"),
        pytest.param(RuleKind.AMOUNT, {}, Mistake.AMOUNT_MISSING, id="amount: none"),
        pytest.param(RuleKind.AMOUNT, {"amount": "five"}, Mistake.AMOUNT_UNREADABLE, id="amount: no number"),
        pytest.param(RuleKind.LIFETIME, {"amount": "0.00"}, Mistake.AMOUNT_UNREADABLE, id="lifetime: nothing"),
        pytest.param(RuleKind.LIFETIME, {}, Mistake.AMOUNT_MISSING, id="lifetime: none"),
        pytest.param(RuleKind.MONTHS, {}, Mistake.MONTHS_MISSING, id="months: none"),
        pytest.param(RuleKind.MONTHS, {"months": 0}, Mistake.MONTHS_OUT_OF_RANGE, id="months: nought"),
        pytest.param(RuleKind.MONTHS, {"months": 601}, Mistake.MONTHS_OUT_OF_RANGE, id="months: too many"),
        pytest.param(RuleKind.FREE, {"keep_days": 91}, Mistake.KEEP_DAYS_OUT_OF_RANGE, id="too many days"),
        pytest.param(RuleKind.FREE, {"keep_days": -1}, Mistake.KEEP_DAYS_OUT_OF_RANGE, id="days before now"),
        pytest.param(RuleKind.FREE, {"campaign": "Bee Tales"}, Mistake.CAMPAIGN_UNKNOWN, id="a foreign campaign"),
    ],
)
def test_what_makes_no_rule_is_refused(kind: RuleKind, asked: dict[str, Any], mistake: Mistake) -> None:
    with pytest.raises(UserMistake) as refused:
        wish(kind, **asked)
    assert refused.value.code is mistake


@pytest.mark.parametrize(("typed", "days"), [(None, 0), (0, 0), (90, 90)])
def test_a_role_stays_for_as_many_days_as_asked_and_for_none_by_default(typed: int | None, days: int) -> None:
    assert wish(RuleKind.FREE, keep_days=typed).keep_days == days


def test_an_option_too_many_is_named_with_its_kind() -> None:
    with pytest.raises(UserMistake) as refused:
        wish(RuleKind.PAYING, months=0)
    assert refused.value.facts == {"option": "months", "kind": "paying"}


def test_without_a_campaign_there_is_no_rule() -> None:
    with pytest.raises(UserMistake, match=Mistake.NO_CAMPAIGN):
        resolve(RuleRequest(role_id=GOLD_ROLE, kind=RuleKind.PAYING), (), guild_id=GUILD)


def test_of_several_campaigns_one_must_be_meant() -> None:
    with pytest.raises(UserMistake, match=Mistake.CAMPAIGN_AMBIGUOUS):
        wish(RuleKind.PAYING, MOTHS, BEES)
    assert wish(RuleKind.PAYING, MOTHS, BEES, campaign="200").campaign_id == BEES.campaign_id


def test_a_tier_alone_names_its_campaign_unless_its_name_is_in_several() -> None:
    assert wish(RuleKind.TIER, MOTHS, BEES, tier="Honey").campaign_id == BEES.campaign_id
    with pytest.raises(UserMistake, match=Mistake.TIER_AMBIGUOUS):
        wish(RuleKind.TIER, MOTHS, BEES, tier="Gold")
    assert wish(RuleKind.TIER, MOTHS, BEES, tier="Gold", campaign="Bee Tales").tier_id == TierId("4")


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("5", 500), ("5.00", 500), ("5,5", 550), (" 0.01 ", 1), ("1000000", MOST_CENTS)],
)
def test_an_amount_is_read_as_people_write_it(typed: str, cents: int) -> None:
    assert read_amount(typed) == cents


@pytest.mark.parametrize("typed", ["", "-5", "5.005", "1.000.000", "1e3", "5 EUR", "1000000.01", "\u0665"])
def test_what_could_mean_two_things_is_no_amount(typed: str) -> None:
    with pytest.raises(UserMistake):
        read_amount(typed)


@given(cents=st.integers(1, MOST_CENTS))
def test_an_amount_as_a_price_list_writes_it_is_read_back(cents: int) -> None:
    assert read_amount(f"{cents // 100}.{cents % 100:02}") == cents


def test_two_rules_that_ask_the_same_are_one_whatever_their_days() -> None:
    gold = wish(RuleKind.TIER, tier="Gold")
    stored = [replace(wish(RuleKind.TIER, tier="Bronze"), rule_id=RuleId(1)), replace(gold, rule_id=RuleId(2))]
    assert find_same(replace(gold, keep_days=14), stored) == stored[1]
    assert find_same(stored[1], stored) is None, "itself"
    assert find_same(wish(RuleKind.PAYING), stored) is None
