from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.charge_status import ChargeStatus
from bot.domain.comps import Comp
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import CampaignId, DiscordUserId, RoleRule, RuleId, RuleKind, Tier, TierId
from bot.domain.new_reading import take_absence, take_reading
from bot.domain.patron_status import PatronStatus
from bot.domain.rules import Account, Claim, Wanted, claim_roles, is_met, is_told, settle_accounts, with_comp
from tests.fakes.world import CAMPAIGN, GUILD, NEW_YEAR, ROLE, TIER, reading, role_rules, tier_map

NONE = Entitlement(standing=Standing.NONE)
GOLD = Entitlement(standing=Standing.ACTIVE, is_paying=True, tier_ids=frozenset({TIER["Gold"]}))
FREE = Entitlement(standing=Standing.FREE, tier_ids=frozenset({TIER["Free"]}))
LAPSED = Entitlement(standing=Standing.LAPSED)
RULE = role_rules() | {
    kind.title(): replace(role_rules()["Gold"], kind=RuleKind(kind), tier_id=None, **asked)
    for kind, asked in {
        "amount": {"amount_cents": 500},
        "lifetime": {"amount_cents": 500},
        "months": {"months": 6},
        "free": {},
        "former": {},
    }.items()
}
UNTOLD = reading(entitled_cents=None)
FRAUD = reading(charge_status=ChargeStatus.FRAUD)


def paid(cents: int | None) -> Entitlement:
    """Return someone lapsed who paid so much altogether."""
    former = reading(patron_status=PatronStatus.FORMER, lifetime_cents=cents)
    return Entitlement(standing=Standing.LAPSED, reading=former)


def uncharged(cents: int | None) -> Entitlement:
    """Return someone lapsed whose last charge was deleted, who paid so much altogether before."""
    entitlement = paid(cents)
    assert entitlement.reading is not None
    return replace(entitlement, reading=replace(entitlement.reading, charge_status=ChargeStatus.DELETED))


OTHER = CampaignId("101")


def claim(*rules: RoleRule, **accounts: Account) -> Claim:
    """Answer for the Gold role; `ours` is the campaign of the rules, `other` another."""
    ids = {"ours": CAMPAIGN, "other": OTHER}
    claims = claim_roles(rules, {ids[name]: account for name, account in accounts.items()})
    assert list(claims) == [ROLE["Gold"]]
    return claims[ROLE["Gold"]]


def gold_rule(number: int, **rest: Any) -> RoleRule:
    return replace(RULE["Gold"], rule_id=RuleId(number), **rest)


@pytest.mark.parametrize(
    ("role", "entitlement", "expected"),
    [
        pytest.param("Gold", GOLD, True, id="tier: entitled to it"),
        pytest.param("Bronze", GOLD, False, id="tier: a dearer one is another one"),
        pytest.param("Gold", LAPSED, False, id="tier: entitled to none"),
        pytest.param("Supporter", GOLD, True, id="paying: pays"),
        pytest.param("Supporter", FREE, False, id="paying: the Free tier is not paying"),
        pytest.param("Amount", replace(GOLD, cents=500), True, id="amount: as much"),
        pytest.param("Amount", replace(GOLD, cents=499), False, id="amount: less"),
        pytest.param("Amount", replace(LAPSED, cents=500), False, id="amount: not paying"),
        pytest.param("Lifetime", paid(500), True, id="lifetime: as much, though lapsed"),
        pytest.param("Lifetime", paid(499), False, id="lifetime: less"),
        pytest.param("Lifetime", paid(None), False, id="lifetime: not told"),
        pytest.param("Months", replace(GOLD, months=6), True, id="months: as many"),
        pytest.param("Months", replace(GOLD, months=5), False, id="months: fewer"),
        pytest.param("Months", GOLD, False, id="months: not told"),
        pytest.param("Months", replace(LAPSED, months=6), False, id="months: not paying"),
        pytest.param("Free", FREE, True, id="free: a free member"),
        pytest.param("Free", GOLD, False, id="free: a patron"),
        pytest.param("Free", LAPSED, False, id="free: lapsed"),
        pytest.param("Free", replace(LAPSED, tier_ids=frozenset({TIER["Free"]})), True, id="free: lapsed, and stayed"),
        pytest.param("Former", paid(500), True, id="former: paid once"),
        pytest.param("Former", replace(GOLD, reading=reading()), False, id="former: still paying"),
        pytest.param("Former", replace(LAPSED, reading=FRAUD), False, id="former: the payment was taken back"),
    ],
)
def test_a_rule_is_met_by_what_it_asks_for(role: str, entitlement: Entitlement, expected: bool) -> None:
    assert is_met(RULE[role], entitlement) is expected


def test_a_rule_on_a_lifetime_sum_is_not_met_by_none_at_all() -> None:
    assert not is_met(replace(RULE["Lifetime"], amount_cents=None), paid(0))
    assert not is_met(replace(RULE["Months"], months=None), replace(GOLD, months=0))


def test_a_rule_on_the_free_tier_is_met_by_free_members() -> None:
    assert is_met(replace(RULE["Gold"], tier_id=TIER["Free"]), FREE)


def test_a_rule_of_a_kind_that_nobody_wrote_is_an_error_not_a_no() -> None:
    rule: Any = replace(RULE["Gold"], kind="unheard of")
    with pytest.raises(AssertionError):
        is_met(rule, GOLD)
    for entitlement in (GOLD, LAPSED, paid(None)):
        with pytest.raises(AssertionError):
            is_told(rule, entitlement)


@pytest.mark.parametrize("kind", RuleKind)
def test_each_kind_says_whether_its_fact_is_told(kind: RuleKind) -> None:
    """Who adds a kind writes its row in the test below, too."""
    asked_of_what_may_be_missing = {RuleKind.AMOUNT, RuleKind.LIFETIME, RuleKind.MONTHS}
    untold = replace(GOLD, reading=UNTOLD)
    assert is_told(replace(RULE["Gold"], kind=kind), untold) is (kind not in asked_of_what_may_be_missing)


@pytest.mark.parametrize(
    ("account", "wanted", "entitlement"),
    [
        pytest.param(None, Wanted.UNSURE, NONE, id="nothing known of them in that campaign"),
        pytest.param(Account(believed=GOLD), Wanted.YES, GOLD, id="believed"),
        pytest.param(Account(believed=LAPSED, unproven=GOLD), Wanted.YES, GOLD, id="an unproven reading gives"),
        pytest.param(Account(believed=GOLD, unproven=LAPSED), Wanted.YES, GOLD, id="an unproven reading never takes"),
        pytest.param(Account(believed=LAPSED), Wanted.NO, LAPSED, id="proven not"),
        pytest.param(Account(believed=LAPSED, unproven=FREE), Wanted.NO, LAPSED, id="proven not, and not unproven"),
        pytest.param(
            Account(believed=NONE, unproven=FREE, is_proven=False), Wanted.UNSURE, NONE, id="no proof of anything"
        ),
    ],
)
def test_one_rule_asks_one_campaign(account: Account | None, wanted: Wanted, entitlement: Entitlement) -> None:
    accounts = {} if account is None else {"ours": account}
    assert claim(RULE["Gold"], **accounts) == Claim(
        role_id=ROLE["Gold"], wanted=wanted, rule=RULE["Gold"], entitlement=entitlement
    )


@pytest.mark.parametrize(
    ("role", "believed", "wanted"),
    [
        pytest.param("Lifetime", paid(499), Wanted.NO, id="lifetime: told"),
        pytest.param("Lifetime", paid(None), Wanted.UNSURE, id="lifetime: not told"),
        pytest.param("Lifetime", NONE, Wanted.NO, id="lifetime: no membership"),
        pytest.param("Months", replace(GOLD, months=5), Wanted.NO, id="months: told"),
        pytest.param("Months", GOLD, Wanted.UNSURE, id="months: not told"),
        pytest.param("Months", LAPSED, Wanted.NO, id="months: not paying"),
        pytest.param("Amount", replace(GOLD, cents=499, reading=reading()), Wanted.NO, id="amount: told"),
        pytest.param("Amount", replace(GOLD, cents=499, reading=UNTOLD), Wanted.UNSURE, id="amount: not told"),
        pytest.param("Amount", replace(LAPSED, reading=UNTOLD), Wanted.NO, id="amount: not paying"),
        pytest.param("Former", uncharged(0), Wanted.NO, id="former: nothing was ever paid"),
        pytest.param("Former", uncharged(None), Wanted.UNSURE, id="former: not told whether anything was paid"),
        pytest.param("Former", replace(GOLD, reading=reading(lifetime_cents=None)), Wanted.NO, id="former: a patron"),
        pytest.param("Former", LAPSED, Wanted.NO, id="former: no membership"),
        pytest.param("Gold", LAPSED, Wanted.NO, id="a tier is always told"),
    ],
)
def test_what_patreon_does_not_tell_is_no_proof(role: str, believed: Entitlement, wanted: Wanted) -> None:
    assert claim(RULE[role], ours=Account(believed=believed)).wanted is wanted


@pytest.mark.parametrize(
    ("ours", "other", "wanted", "decided_by"),
    [
        pytest.param(GOLD, GOLD, Wanted.YES, 1, id="yes, yes: the first"),
        pytest.param(GOLD, LAPSED, Wanted.YES, 1, id="yes, no: one is enough"),
        pytest.param(LAPSED, GOLD, Wanted.YES, 2, id="no, yes: one is enough"),
        pytest.param(None, GOLD, Wanted.YES, 2, id="unsure, yes: one is enough"),
        pytest.param(LAPSED, None, Wanted.UNSURE, 2, id="no, unsure: in doubt"),
        pytest.param(None, LAPSED, Wanted.UNSURE, 1, id="unsure, no: in doubt"),
        pytest.param(LAPSED, LAPSED, Wanted.NO, 1, id="no, no: the first"),
    ],
)
def test_several_rules_for_a_role_are_alternatives(
    ours: Entitlement | None, other: Entitlement | None, wanted: Wanted, decided_by: int
) -> None:
    words = {"ours": ours, "other": other}
    accounts = {name: Account(believed=word) for name, word in words.items() if word is not None}
    found = claim(gold_rule(1), gold_rule(2, campaign_id=OTHER), **accounts)
    assert found.rule is not None
    assert (found.wanted, found.rule.rule_id) == (wanted, decided_by)


@pytest.mark.parametrize("theirs", ["9", TIER["Bronze"], TIER["Gold"]])
def test_each_campaigns_word_rests_on_its_own_tiers(theirs: str) -> None:
    """A pledge of 800 without a listed tier, in each of two campaigns that a server follows: 300 here, 750 there.

    An id may stand in both: a damaged row names the other campaign's tier.
    """
    dearer = Tier(campaign_id=OTHER, tier_id=TierId(theirs), title="Theirs", amount_cents=750)
    custom = reading(tiers=(), entitled_cents=800, membership_id=None)
    records = {
        campaign_id: take_reading(None, replace(custom, campaign_id=campaign_id)) for campaign_id in (CAMPAIGN, OTHER)
    }
    tiers = {CAMPAIGN: tier_map(), OTHER: {dearer.tier_id: dearer}}
    accounts = settle_accounts(records, tiers=tiers, now=NEW_YEAR, grace_days=7)
    assert accounts[CAMPAIGN].believed.tier_ids == {TIER["Bronze"]}
    assert accounts[OTHER].believed.tier_ids == {dearer.tier_id}


def test_each_role_is_answered_for_once() -> None:
    claims = claim_roles(role_rules().values(), {CAMPAIGN: Account(believed=GOLD)})
    assert {role_id: one.wanted for role_id, one in claims.items()} == {
        ROLE["Bronze"]: Wanted.NO,
        ROLE["Gold"]: Wanted.YES,
        ROLE["Supporter"]: Wanted.YES,
    }


def test_without_rules_no_role_is_claimed() -> None:
    assert claim_roles([], {CAMPAIGN: Account(believed=GOLD)}) == {}


@pytest.mark.parametrize(
    ("has_reading", "has_doubt", "has_gone", "expected"),
    [
        pytest.param(False, True, False, False, id="only an unproven reading"),
        pytest.param(True, False, False, True, id="a believed reading"),
        pytest.param(False, False, True, True, id="absent from a complete read"),
    ],
)
def test_a_campaign_has_proof_of_someone_it_was_believed_to_list_or_to_lack(
    has_reading: bool, has_doubt: bool, has_gone: bool, expected: bool
) -> None:
    record = None
    if has_reading or has_doubt:
        record = take_reading(None, reading(), is_believed=has_reading)
    if has_gone:
        record = take_absence(
            None,
            campaign_id=CAMPAIGN,
            patreon_user_id=reading().patreon_user_id,
            read_started_at=NEW_YEAR,
        )
    assert record is not None
    accounts = settle_accounts({CAMPAIGN: record}, tiers={CAMPAIGN: tier_map()}, now=NEW_YEAR, grace_days=7)
    assert accounts[CAMPAIGN].is_proven is expected
    assert (accounts[CAMPAIGN].unproven is not None) is has_doubt


FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": (), "entitled_cents": 0}


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        pytest.param(FORMER, Wanted.NO, id="cancelled, and Patreon lists no tier"),
        pytest.param({**FORMER, "unread": ("currently_entitled_tiers",)}, Wanted.UNSURE, id="the tiers cannot be read"),
        pytest.param({"tiers": ("Bronze",)}, Wanted.NO, id="another tier"),
        pytest.param(
            {"tiers": ("Bronze",), "unread": ("is_gifted",)}, Wanted.UNSURE, id="whether it is a gift neither"
        ),
        pytest.param({"tiers": ("Bronze",), "entitled_cents": None}, Wanted.UNSURE, id="v2 without an amount"),
        pytest.param(
            {"tiers": ("Bronze",), "entitled_cents": None, "membership_id": None}, Wanted.NO, id="v1: in other money"
        ),
        pytest.param(
            {"tiers": (), "entitled_cents": None, "membership_id": None}, Wanted.UNSURE, id="v1: no reward, no amount"
        ),
        pytest.param({"tiers": (), "entitled_cents": 300, "membership_id": None}, Wanted.NO, id="v1: by amount"),
        pytest.param({"patron_status": PatronStatus.UNKNOWN, "tiers": ("Bronze",)}, Wanted.UNSURE, id="unknown status"),
        pytest.param(
            {"patron_status": PatronStatus.NEVER, "tiers": ("Free",), "charge_status": ChargeStatus.NEVER},
            Wanted.NO,
            id="never pledged",
        ),
        pytest.param({"patron_status": PatronStatus.NEVER, "tiers": ("Free",)}, Wanted.UNSURE, id="never, but charged"),
        pytest.param(
            {"patron_status": PatronStatus.NEVER, "tiers": (), "charge_status": ChargeStatus.REFUNDED},
            Wanted.NO,
            id="never, and refunded",
        ),
    ],
)
def test_of_what_cannot_be_read_nothing_is_taken(facts: dict[str, Any], wanted: Wanted) -> None:
    record = take_reading(None, reading(**facts))
    accounts = settle_accounts({CAMPAIGN: record}, tiers={CAMPAIGN: tier_map()}, now=NEW_YEAR, grace_days=7)
    assert claim(RULE["Gold"], ours=accounts[CAMPAIGN]).wanted is wanted


def test_a_tier_that_patreon_never_named_takes_nothing() -> None:
    record = take_reading(None, replace(reading(), tier_ids=(TierId("77"),)))
    accounts = settle_accounts({CAMPAIGN: record}, tiers={CAMPAIGN: tier_map()}, now=NEW_YEAR, grace_days=7)
    assert claim(RULE["Gold"], ours=accounts[CAMPAIGN]).wanted is Wanted.UNSURE


def test_a_complete_list_without_them_counts_whatever_could_not_be_read_before() -> None:
    record = take_reading(None, reading(**FORMER, unread=("currently_entitled_tiers",)))
    gone = take_absence(record, campaign_id=CAMPAIGN, patreon_user_id=record.patreon_user_id, read_started_at=NEW_YEAR)
    accounts = settle_accounts({CAMPAIGN: gone}, tiers={CAMPAIGN: tier_map()}, now=NEW_YEAR, grace_days=7)
    assert claim(RULE["Gold"], ours=accounts[CAMPAIGN]).wanted is Wanted.NO


@pytest.mark.parametrize("pledge", Wanted)
@pytest.mark.parametrize("is_over", [False, True])
def test_a_comp_stands_beside_a_rule_as_the_table_says(pledge: Wanted, *, is_over: bool) -> None:
    asked = Claim(role_id=ROLE["Gold"], wanted=pledge, rule=RULE["Gold"], entitlement=GOLD)
    until = NEW_YEAR if is_over else None
    comp = Comp(
        guild_id=GUILD,
        discord_user_id=DiscordUserId(1),
        role_id=ROLE["Gold"],
        reason="a guest",
        given_by=DiscordUserId(2),
        given_at=NEW_YEAR,
        until=until,
    )
    answer = with_comp(asked, comp, NEW_YEAR)
    if is_over:
        assert answer == (asked if pledge is Wanted.YES else replace(asked, comp=comp))
    elif pledge is Wanted.YES:
        assert answer == replace(asked, comp=comp), "by both"
    else:
        assert answer == Claim(role_id=ROLE["Gold"], wanted=Wanted.YES, comp=comp), "no rule gives it"
