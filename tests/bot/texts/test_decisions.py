from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bot.texts.blocks import Reader, say_block
from msgspec.structs import replace

from bot.domain.assignable import Block
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.holds import Hold, HoldItem, HoldState
from bot.domain.model import (
    ChargeStatus,
    DiscordUserId,
    HandEdits,
    HoldId,
    LinkOrigin,
    MembershipId,
    Mode,
    PatronStatus,
    RoleId,
    RuleKind,
    Source,
    TierId,
)
from bot.domain.plan import Action, Decision
from bot.domain.rules import Claim, Wanted
from bot.texts.decisions import (
    HOLD_LINES,
    say_absence,
    say_decision,
    say_done,
    say_hold,
    say_origin,
    say_reason,
    say_rule,
    say_source,
    say_standing,
)
from bot.texts.names import Names, discord_stamp, plain_stamp
from tests.fakes.world import CAMPAIGN, GUILD, NEW_YEAR, ROLE, TIER, World, reading, role_rules

NAMES = World().names()
RULE = role_rules()
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
GRACE_END = NEW_YEAR + timedelta(days=7)


# --- moments and names ------------------------------------------------------------------------------------------


def test_a_moment_is_shown_as_each_readers_discord_shows_it() -> None:
    assert discord_stamp(datetime(2026, 1, 1, tzinfo=UTC)) == "<t:1767225600:R>"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2 January 2026, 03:04 UTC"),
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), "30 November 2026, 23:59 UTC"),
    ],
    ids=["one digit", "two digits"],
)
def test_elsewhere_a_moment_is_written_out(moment: datetime, expected: str) -> None:
    assert plain_stamp(moment) == expected


def test_what_has_a_name_is_called_by_it() -> None:
    assert (NAMES.role(ROLE["Gold"]), NAMES.campaign(CAMPAIGN), NAMES.tier(TIER["Gold"], CAMPAIGN)) == (
        "Gold",
        "Moth Tales",
        "Gold",
    )


@pytest.mark.parametrize("title", ["", "  "])
def test_a_tier_without_a_title_is_called_by_its_price(title: str) -> None:
    """Campaigns that charge for each creation have such."""
    untitled = replace(NAMES.tiers[CAMPAIGN][TIER["Gold"]], title=title)
    names = replace(NAMES, tiers={CAMPAIGN: {TIER["Gold"]: untitled}}, currencies={CAMPAIGN: "EUR"})
    assert names.tier(TIER["Gold"], CAMPAIGN) == "10.00 EUR"
    assert say_rule(RULE["Gold"], names) == "the tier 10.00 EUR of Moth Tales"


def test_what_has_no_name_any_more_is_called_by_its_id() -> None:
    nameless = Names()
    assert nameless.role(RoleId(7)) == "deleted role 7"
    assert nameless.campaign(CAMPAIGN) == "campaign 100"
    assert nameless.tier(TierId("8"), CAMPAIGN) == "tier 8"
    assert nameless.tier(None, CAMPAIGN) == "no tier"


# --- blocks and rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", Block)
def test_each_block_is_said_with_its_cure(block: Block) -> None:
    assert "; " in say_block(block)


def test_a_rule_says_what_it_asks_for() -> None:
    assert say_rule(RULE["Gold"], NAMES) == "the tier Gold of Moth Tales"
    assert say_rule(RULE["Supporter"], NAMES) == "any paid pledge to Moth Tales"


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        (RuleKind.AMOUNT, {"amount_cents": 550}, "a pledge of at least 5.50 EUR to Moth Tales"),
        (RuleKind.LIFETIME, {"amount_cents": 10_000}, "at least 100.00 EUR paid altogether to Moth Tales"),
        (RuleKind.MONTHS, {"months": 12}, "12 months as a paying patron of Moth Tales"),
        (RuleKind.FREE, {}, "a free membership of Moth Tales"),
        (RuleKind.FORMER, {}, "a former paid pledge to Moth Tales"),
    ],
    ids=["amount", "lifetime", "months", "free", "former"],
)
def test_a_rule_of_another_kind_says_so(kind: RuleKind, asked: dict[str, Any], expected: str) -> None:
    names = replace(NAMES, currencies={CAMPAIGN: "EUR"})
    assert say_rule(replace(RULE["Gold"], kind=kind, **asked), names) == expected


def test_a_sum_without_a_known_currency_is_in_dollars() -> None:
    assert NAMES.money(replace(RULE["Gold"], amount_cents=300)) == "3.00 USD"


def test_a_rule_of_a_kind_that_nobody_wrote_is_an_error() -> None:
    rule: Any = replace(RULE["Gold"], kind="unheard of")
    with pytest.raises(AssertionError):
        say_rule(rule, NAMES)


# --- standing ---------------------------------------------------------------------------------------------------


def standing(
    kind: Standing, tiers: tuple[str, ...] = ("Gold",), until: datetime | None = None, **facts: Any
) -> Entitlement:
    return Entitlement(
        standing=kind, tier_ids=frozenset(TIER[tier] for tier in tiers), until=until, reading=reading(**facts)
    )


@pytest.mark.parametrize(
    ("entitlement", "expected"),
    [
        pytest.param(standing(Standing.ACTIVE), "active patron (Gold) of Moth Tales", id="active"),
        pytest.param(
            standing(Standing.ACTIVE, ("Gold", "Bronze")), "active patron (Bronze, Gold) of Moth Tales", id="two tiers"
        ),
        pytest.param(standing(Standing.ACTIVE, ()), "active patron (no tier) of Moth Tales", id="no tier"),
        pytest.param(
            standing(Standing.ACTIVE, charge_status=ChargeStatus.PENDING),
            "active patron (Gold) of Moth Tales, payment pending",
            id="payment pending",
        ),
        pytest.param(
            standing(Standing.ACTIVE, unknown_words=("Half Paid",)),
            "active patron (Gold) of Moth Tales, with a word that I do not know (Half Paid)",
            id="an unknown word",
        ),
        pytest.param(
            standing(Standing.ACTIVE, is_gifted=True), "active patron (Gold) of Moth Tales, by a gift", id="gift"
        ),
        pytest.param(
            standing(Standing.ACTIVE, is_free_trial=True),
            "active patron (Gold) of Moth Tales, on a free trial",
            id="free trial",
        ),
        pytest.param(
            standing(Standing.ENDING, until=GRACE_END, patron_status=PatronStatus.FORMER),
            "cancelled or paused, but paid (Gold) of Moth Tales, until 2026-01-08 12:00",
            id="ending",
        ),
        pytest.param(
            standing(Standing.GRACE, until=GRACE_END, **DECLINED),
            "patron (Gold) of Moth Tales, payment declined, roles kept for now, until 2026-01-08 12:00",
            id="declined",
        ),
        pytest.param(
            standing(Standing.GRACE, until=GRACE_END, membership_id=None),
            "patron (Gold) of Moth Tales, pledge no longer listed, roles kept for now, until 2026-01-08 12:00",
            id="vanished on v1",
        ),
        pytest.param(
            standing(Standing.WAITING, patron_status=PatronStatus.UNKNOWN, unknown_words=("napping",)),
            "patron (Gold) of Moth Tales, with a word that I do not know (napping)",
            id="unknown patron status",
        ),
        pytest.param(
            replace(standing(Standing.WAITING, until=GRACE_END), reading=reading(tiers=())),
            "active patron without a tier, believed after a second look (Gold until then) of Moth Tales, "
            "until 2026-01-08 12:00",
            id="waiting",
        ),
        pytest.param(
            replace(standing(Standing.WAITING, until=GRACE_END), reading=reading(tiers=("Free",))),
            "active patron with the Free tier alone, believed after a second look (Gold until then) of Moth Tales, "
            "until 2026-01-08 12:00",
            id="waiting, the Free tier alone",
        ),
        pytest.param(standing(Standing.FREE, ("Free",)), "free member (Free) of Moth Tales", id="free"),
        pytest.param(standing(Standing.FREE, ()), "free member of Moth Tales", id="a follower"),
        pytest.param(standing(Standing.LAPSED, ()), "no longer a paying patron of Moth Tales", id="lapsed"),
        pytest.param(
            standing(Standing.LAPSED, (), until=GRACE_END, **DECLINED),
            "no longer a paying patron of Moth Tales, payment declined, grace over since 2026-01-08 12:00",
            id="lapsed after grace",
        ),
        pytest.param(
            replace(standing(Standing.LAPSED, ("Free",)), reading=reading(**FORMER)),
            "no longer a paying patron of Moth Tales, cancelled or paused, still a free member",
            id="lapsed, and a free member",
        ),
        pytest.param(
            standing(Standing.LAPSED, (), charge_status=ChargeStatus.REFUNDED),
            "no longer a paying patron of Moth Tales, payment refunded",
            id="refunded",
        ),
        pytest.param(
            replace(standing(Standing.LAPSED, ()), reading=reading(tiers=())),
            "no longer a paying patron of Moth Tales, for Patreon lists neither a tier nor an amount",
            id="active with nothing, after a second look",
        ),
        pytest.param(Entitlement(standing=Standing.NONE), "Patreon shows no membership", id="none"),
    ],
)
def test_each_standing_is_said_in_words(entitlement: Entitlement, expected: str) -> None:
    assert say_standing(entitlement, NAMES) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"cadence_months": 1}, "", id="monthly"),
        pytest.param({"cadence_months": 12}, ", paid yearly", id="annual"),
        pytest.param({"cadence_months": 3}, ", paid every 3 months", id="another cadence"),
        pytest.param(
            {"cadence_months": 12, "is_gifted": True, "entitled_cents": 0},
            ", by a gift",
            id="a gift is not paid yearly",
        ),
        pytest.param({"entitled_cents": 999}, ", discounted: for less than its tier's price", id="discounted"),
        pytest.param({"entitled_cents": 0}, ", discounted: for less than its tier's price", id="discounted altogether"),
        pytest.param({"entitled_cents": None}, "", id="amount not told"),
        pytest.param({"entitled_cents": 1000}, "", id="the price"),
        pytest.param(
            {"tiers": ("Free", "Gold"), "entitled_cents": 500},
            ", discounted: for less than its tier's price",
            id="discounted, with the Free tier",
        ),
        pytest.param({"is_free_trial": True, "entitled_cents": 0}, ", on a free trial", id="a trial is no discount"),
        pytest.param(
            {
                "is_free_trial": True,
                "will_pay_cents": 0,
                "charge_status": ChargeStatus.NEVER,
                "tiers": ("Free", "Gold"),
            },
            ", complimentary",
            id="a trial without an end is complimentary",
        ),
        pytest.param(
            {"is_free_trial": True, "will_pay_cents": 0, "charge_status": ChargeStatus.NEVER, "cadence_months": 1},
            ", on a free trial",
            id="a trial that was cancelled",
        ),
        pytest.param(
            {"is_free_trial": True, "will_pay_cents": 1000, "charge_status": ChargeStatus.NEVER},
            ", on a free trial",
            id="a trial that is to be paid",
        ),
        pytest.param({"cadence_months": 12, "entitled_cents": 12000}, ", paid yearly", id="annual, the year's cents"),
        pytest.param(
            {"cadence_months": 12, "entitled_cents": 10800},
            ", paid yearly, discounted: for less than its tier's price",
            id="annual, the year's cents with a discount",
        ),
        pytest.param({"tiers": ("Bronze", "Gold"), "entitled_cents": 300}, "", id="of two tiers, the cheaper is paid"),
        pytest.param(
            {"charge_status": ChargeStatus.FREE_TRIAL, "entitled_cents": 0},
            ", on a free trial",
            id="a trial by its charge",
        ),
        pytest.param({"tiers": ()}, ", without a tier that Patreon lists (deleted, or none chosen)", id="deleted tier"),
        pytest.param(
            {"tiers": ("Free",), "entitled_cents": 500},
            ", without a tier that Patreon lists (deleted, or none chosen)",
            id="deleted tier, the Free tier listed",
        ),
        pytest.param(
            {"charge_status": ChargeStatus.PENDING, "cadence_months": 12, "entitled_cents": 900},
            ", payment pending, paid yearly, discounted: for less than its tier's price",
            id="several at once",
        ),
        pytest.param(
            {"is_gifted": True, "unknown_words": ("Half Paid",), "entitled_cents": 0},
            ", with a word that I do not know (Half Paid), by a gift",
            id="an unknown word hides nothing",
        ),
        pytest.param(
            {"charge_status": ChargeStatus.PARTIALLY_REFUNDED}, ", payment partly refunded", id="partly refunded"
        ),
    ],
)
def test_how_a_pledge_is_paid_is_said_in_words(facts: dict[str, Any], expected: str) -> None:
    active = replace(standing(Standing.ACTIVE), reading=reading(**facts))
    assert say_standing(active, NAMES) == f"active patron (Gold) of Moth Tales{expected}"


@pytest.mark.parametrize(
    ("lifetime_cents", "expected"),
    [
        (0, "cancelled before the first charge of Moth Tales"),
        (4000, "no longer a paying patron of Moth Tales, cancelled before the next charge"),
        (None, "no longer a paying patron of Moth Tales, cancelled before the next charge"),
    ],
)
def test_a_charge_that_never_was_made_is_no_fault(lifetime_cents: int | None, expected: str) -> None:
    """Patreon shows such a pledge as former, its charge as deleted, and the day of the next one."""
    lapsed = replace(
        standing(Standing.LAPSED, ()),
        reading=reading(
            **FORMER,
            charge_status=ChargeStatus.DELETED,
            lifetime_cents=lifetime_cents,
            entitled_cents=0,
            next_charge_at=GRACE_END,
        ),
    )
    assert say_standing(lapsed, NAMES) == expected


def test_a_deleted_charge_of_an_active_patron_is_said() -> None:
    lapsed = standing(Standing.LAPSED, (), charge_status=ChargeStatus.DELETED)
    assert say_standing(lapsed, NAMES) == "no longer a paying patron of Moth Tales, payment deleted"


def test_who_cancelled_and_is_entitled_to_the_end_is_not_said_to_be_discounted() -> None:
    ending = standing(Standing.ENDING, patron_status=PatronStatus.FORMER, entitled_cents=0, cadence_months=12)
    assert say_standing(ending, NAMES) == "cancelled or paused, but paid (Gold) of Moth Tales, paid yearly"


def test_a_tier_without_a_known_price_is_not_said_to_be_discounted() -> None:
    said = say_standing(standing(Standing.ACTIVE, entitled_cents=1), replace(NAMES, tiers={}))
    assert said == "active patron (tier 3) of Moth Tales"


def test_whom_patreon_lists_no_more_is_said_so() -> None:
    said = say_standing(standing(Standing.LAPSED, ()), NAMES, gone_since=NEW_YEAR)
    assert said == "no longer listed as a member of Moth Tales, since 2026-01-01 12:00"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Source.BULK, "Patreon's member list, read 2026-01-01 12:00"),
        (Source.MEMBER, "Patreon, asked about this patron alone, read 2026-01-01 12:00"),
        (Source.IDENTITY, "Patreon, asked with the patron's own consent, read 2026-01-01 12:00"),
    ],
    ids=list(Source),
)
def test_a_fact_is_said_with_its_source_and_age(source: Source, expected: str) -> None:
    assert say_source(standing(Standing.ACTIVE, source=source), NAMES) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, "2026-01-02 12:00"), (-1, "2026-01-01 12:00")],
    ids=["a whole read since", "a whole read before"],
)
def test_a_fact_is_as_old_as_the_last_read_that_saw_no_other(days: int, expected: str) -> None:
    names = replace(NAMES, confirmed_at={CAMPAIGN: NEW_YEAR + timedelta(days=days)})
    assert say_source(standing(Standing.ACTIVE), names).endswith(f"read {expected}")


def test_what_the_list_confirmed_since_is_the_lists_word() -> None:
    names = replace(NAMES, confirmed_at={CAMPAIGN: NEW_YEAR + timedelta(days=1)})
    said = say_source(standing(Standing.ACTIVE, source=Source.IDENTITY), names)
    assert said == "Patreon's member list, read 2026-01-02 12:00"


LISTED = "Patreon's member list, read 2026-01-01 13:00"
CONSENT = "Patreon, asked with the patron's own consent, read 2026-01-01 13:00"


@pytest.mark.parametrize(
    ("membership_id", "confirmed_hours", "expected"),
    [
        pytest.param(MembershipId("m"), None, LISTED, id="v2: only the list says so"),
        pytest.param(MembershipId("m"), 0, LISTED, id="v2, confirmed before"),
        pytest.param(MembershipId("m"), 2, "Patreon's member list, read 2026-01-01 14:00", id="v2, confirmed since"),
        pytest.param(None, None, CONSENT, id="v1, no list believed"),
        pytest.param(None, 0, CONSENT, id="v1, a list before"),
        pytest.param(None, 1, LISTED, id="v1, that list"),
    ],
)
def test_absence_is_said_with_the_read_that_found_it(
    membership_id: MembershipId | None, confirmed_hours: float | None, expected: str
) -> None:
    confirmed = {} if confirmed_hours is None else {CAMPAIGN: NEW_YEAR + timedelta(hours=confirmed_hours)}
    gone = standing(Standing.LAPSED, membership_id=membership_id, source=Source.IDENTITY)
    names = replace(NAMES, confirmed_at=confirmed)
    assert say_source(gone, names, gone_since=NEW_YEAR + timedelta(hours=1)) == expected


@pytest.mark.parametrize(
    ("gone_hours", "confirmed_hours", "expected"),
    [
        pytest.param(1, None, f"Patreon does not list this patron in Moth Tales ({CONSENT})", id="by consent"),
        pytest.param(1, 1, f"Patreon does not list this patron in Moth Tales ({LISTED})", id="by the list"),
        pytest.param(
            None,
            1,
            f"I haven't been able to check their membership of Moth Tales yet ({LISTED})",
            id="not proven",
        ),
        pytest.param(
            None,
            None,
            "I haven't been able to check their membership of Moth Tales yet (not read yet)",
            id="not read",
        ),
    ],
)
def test_who_is_not_listed_is_said_with_source_and_age(
    gone_hours: float | None, confirmed_hours: float | None, expected: str
) -> None:
    confirmed = {} if confirmed_hours is None else {CAMPAIGN: NEW_YEAR + timedelta(hours=confirmed_hours)}
    gone_since = None if gone_hours is None else NEW_YEAR + timedelta(hours=gone_hours)
    assert say_absence(CAMPAIGN, replace(NAMES, confirmed_at=confirmed), gone_since=gone_since) == expected


def test_without_a_reading_there_is_no_source() -> None:
    assert say_source(Entitlement(standing=Standing.NONE), NAMES) == "no reading yet"


# --- decisions --------------------------------------------------------------------------------------------------


def test_a_decision_is_said_with_its_rule_its_fact_the_source_and_the_age() -> None:
    world = World()
    world.patron("ada", tier="Gold")
    fact = "active patron (Gold) of Moth Tales (Patreon's member list, read 2026-01-01 13:00)"
    assert [say_decision(one, world.names()) for one in world.plan_of("ada").decisions] == [
        f"**Gold**: to be given. It asks for the tier Gold of Moth Tales; {fact}",
        f"**Supporter**: to be given. It asks for any paid pledge to Moth Tales; {fact}",
        f"**Bronze**: not earned. It asks for the tier Bronze of Moth Tales; {fact}",
    ]


def test_a_role_that_a_person_gave_and_that_is_not_earned_is_said_to_be_theirs() -> None:
    world = World()
    world.patron("ada", tier="Bronze")
    world.give("ada", "Gold")
    gold = next(one for one in world.plan_of("ada").decisions if one.role_id == ROLE["Gold"])
    assert say_decision(gold, world.names()).startswith(
        "**Gold**: not earned, but a person gave it, so it is not mine to remove. It asks for the tier Gold"
    )


def test_a_role_that_was_taken_away_and_is_not_proven_is_not_said_to_be_kept() -> None:
    decision = Decision(
        role_id=ROLE["Gold"], action=Action.UNPROVEN, claim=Claim(role_id=ROLE["Gold"], wanted=Wanted.UNSURE)
    )
    assert "not given yet, because I can't tell yet" in say_decision(decision, NAMES)
    assert "kept, for no complete reading" in say_decision(replace(decision, has_role=True), NAMES)


@pytest.mark.parametrize(
    ("has_role", "expected"),
    [
        (
            False,
            "**Gold**: not given yet, because I can't tell yet whether it is earned. It asks for the tier Gold of ",
        ),
        (True, "**Gold**: kept, because a person gave it and it is not mine to remove. It asks for the tier Gold of "),
    ],
)
def test_a_role_that_is_not_ours_and_not_proven_is_not_said_to_be_unearned(has_role: bool, expected: str) -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    if has_role:
        world.give("ada", "Gold")
    gold = next(one for one in world.plan_of("ada").decisions if one.role_id == ROLE["Gold"])
    for reader, whose in ((Reader.TEAM, "their"), (Reader.PATRON, "your")):
        said = say_decision(gold, world.names(), reader)
        assert said.startswith(expected)
        assert said.endswith(f"I haven't been able to check {whose} membership of Moth Tales yet (not read yet)")


@pytest.mark.parametrize("block", Block)
def test_only_who_can_act_is_told_the_cure(block: Block) -> None:
    world = World()
    world.patron("ada")
    world.block("Gold", block)
    (blocked,) = [one for one in world.plan_of("ada").decisions if one.block is not None]
    assert say_block(block) in say_decision(blocked, world.names())
    told = say_decision(blocked, world.names(), Reader.PATRON)
    assert "let this server's team know" in told
    for cure in (say_block(block), "drag my role", "Manage Roles", "choose another", "remove the rule"):
        assert cure not in told
        assert cure not in say_reason(blocked, world.names())


@pytest.mark.parametrize(
    ("decision", "team", "patron"),
    [
        pytest.param({"action": Action.SCREENING}, "until they have passed", "until you have passed", id="screening"),
        pytest.param(
            {"action": Action.SUPPRESSED}, "with `/patreon restore`", "this server's team can give it back", id="taken"
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": "hold"},
            "until an admin answers `/patreon holds`",
            "until this server's team decides",
            id="held",
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": "discard"}, "an admin chose", "this server's team chose", id="kept"
        ),
        pytest.param(
            {"action": Action.HELD_BACK, "rail": "mode"}, "by this server's mode", "by this server's mode", id="mode"
        ),
    ],
)
def test_each_reader_is_told_what_is_theirs_to_do(decision: dict[str, Any], team: str, patron: str) -> None:
    whole = Decision(role_id=ROLE["Gold"], claim=GIVEN, **decision)
    assert team in say_decision(whole, NAMES)
    said = say_decision(whole, NAMES, Reader.PATRON)
    assert patron in said
    assert "/patreon" not in said


def test_a_reader_or_a_standing_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        say_block(Block.GONE, unheard)
    with pytest.raises(AssertionError):
        say_standing(standing(unheard), NAMES)


def test_a_blocked_role_is_said_with_the_cure() -> None:
    world = World()
    world.patron("ada")
    world.block("Gold", Block.ABOVE_BOT)
    (blocked,) = world.plan_of("ada").having(Action.BLOCKED)
    assert say_decision(blocked, world.names()).startswith(
        f"**Gold**: cannot be changed now: {say_block(Block.ABOVE_BOT)}. It asks for the tier Gold of Moth Tales; "
    )


def test_a_role_without_a_rule_is_said_to_be_one() -> None:
    world = World()
    world.holder("ada")
    world.drop_rule("Gold")
    (revoked,) = world.plan_of("ada").having(Action.REVOKE)
    assert say_decision(revoked, world.names()) == "**Gold**: to be removed, no rule names it any more"


def test_who_is_linked_and_not_listed_is_said_so_with_source_and_age() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    world.miss("ada")
    names = replace(world.names(), confirmed_at={CAMPAIGN: world.now})
    assert say_decision(world.plan_of("ada").decisions[0], names) == (
        "**Bronze**: not earned. It asks for the tier Bronze of Moth Tales; "
        f"Patreon does not list this patron in Moth Tales ({LISTED})"
    )


def test_who_is_linked_and_not_read_yet_is_said_so() -> None:
    world = World()
    world.stranger("ada")
    world.link("ada")
    assert say_decision(world.plan_of("ada").decisions[0], world.names()).endswith(
        "; I haven't been able to check their membership of Moth Tales yet (not read yet)"
    )


def test_a_role_lost_by_absence_names_the_list_that_found_it() -> None:
    world = World()
    world.holder("ada")
    world.read("ada", source=Source.IDENTITY)
    world.miss("ada")
    (gold, _) = world.plan_of("ada").having(Action.REVOKE)
    assert say_decision(gold, world.names()) == (
        "**Gold**: to be removed. It asks for the tier Gold of Moth Tales; no longer listed as a member of Moth Tales, "
        "since 2026-01-01 15:00 (Patreon's member list, read 2026-01-01 15:00)"
    )


def test_a_reading_that_is_not_proven_and_gives_names_itself_and_no_absence() -> None:
    world = World()
    world.patron("ada")
    world.miss("ada")
    world.read("ada", is_believed=False)
    (gold, _) = world.plan_of("ada").having(Action.GRANT)
    assert "active patron (Gold) of Moth Tales (Patreon's member list, read 2026-01-01 15:00)" in say_decision(
        gold, world.names()
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda world: None, "no Patreon account is linked", id="never linked"),
        pytest.param(lambda world: world.unlink("ada"), "the Patreon account was unlinked on purpose", id="unlinked"),
        pytest.param(
            lambda world: (world.link("ada"), world.trust_report("ada", has_ended=True)),
            "no Patreon account is linked any more, for Patreon took back its report of this Discord account",
            id="no longer reported",
        ),
    ],
)
def test_without_a_link_that_is_what_decides(change: Callable[[World], object], expected: str) -> None:
    world = World()
    world.stranger("ada")
    change(world)
    (bronze, *_) = world.plan_of("ada").decisions
    asked = "It asks for the tier Bronze of Moth Tales"
    assert say_decision(bronze, world.names()) == f"**Bronze**: not earned. {asked}; {expected}"
    assert say_reason(bronze, world.names()) == f"i{asked[1:]}; {expected}"


def test_a_role_that_somebody_took_away_says_since_when_and_the_cure() -> None:
    world = World()
    world.holder("ada")
    world.take("ada", "Gold")
    world.days_pass(1)
    world.look("ada")
    world.days_pass(1)
    (taken,) = world.plan_of("ada").having(Action.SUPPRESSED)
    assert say_decision(taken, world.names()).startswith(
        "**Gold**: not given, for somebody took it away by hand (seen on Discord 2026-01-02 13:00); an admin can give "
        "it back with `/patreon restore`. It asks for the tier Gold of Moth Tales; active patron (Gold) of Moth Tales ("
    )


@pytest.mark.parametrize(
    ("action", "expected"), [(Action.GRANT, "given"), (Action.REVOKE, "taken away")], ids=["given", "taken"]
)
def test_what_was_done_is_said_as_done_with_the_reason(action: Action, expected: str) -> None:
    claim = Claim(role_id=ROLE["Gold"], wanted=Wanted.NO, rule=RULE["Gold"], entitlement=standing(Standing.ACTIVE))
    assert say_done(Decision(role_id=ROLE["Gold"], action=action, claim=claim), NAMES) == (
        f"**Gold**: {expected}. It asks for the tier Gold of Moth Tales; active patron (Gold) of Moth Tales "
        "(Patreon's member list, read 2026-01-01 12:00)"
    )


@pytest.mark.parametrize("action", Action)
def test_each_action_has_words(action: Action) -> None:
    claim = Claim(role_id=ROLE["Gold"], wanted=Wanted.NO, rule=RULE["Gold"], entitlement=standing(Standing.ACTIVE))
    words = say_decision(Decision(role_id=ROLE["Gold"], action=action, claim=claim), NAMES)
    assert words.startswith("**Gold**: ")
    assert ". It asks for the tier Gold" in words


def test_what_a_hand_or_a_mode_keeps_away_is_said_so() -> None:
    world = World()
    world.holder("ada")
    world.settings = replace(world.settings, hand_edits=HandEdits.RESPECT, mode=Mode.OFF)
    world.take("ada", "Gold")
    world.read("ada", **FORMER)
    said = [say_decision(one, world.names()).split(". It asks")[0] for one in world.plan_of("ada").decisions]
    assert said == [
        "**Bronze**: not earned",
        "**Gold**: not earned",
        "**Supporter**: left as it is by this server's mode",
    ]


@pytest.mark.parametrize(
    ("rail", "expected"),
    [
        ("mode", "**Gold**: left as it is by this server's mode. It asks for "),
        ("hold", "**Gold**: left as it is, held until an admin answers `/patreon holds`. It asks for "),
        ("discard", "**Gold**: left as it is, for an admin chose to keep it. It asks for "),
    ],
)
def test_what_a_rail_holds_back_is_said_with_the_rail(rail: str, expected: str) -> None:
    claim = Claim(role_id=ROLE["Gold"], wanted=Wanted.NO, rule=RULE["Gold"])
    decision = Decision(role_id=ROLE["Gold"], action=Action.HELD_BACK, claim=claim, rail=rail)
    assert say_decision(decision, NAMES).startswith(expected)


def hold(roles: int, people: int) -> Hold:
    return Hold(
        hold_id=HoldId(7),
        guild_id=GUILD,
        opened_at=NEW_YEAR,
        items=tuple(
            HoldItem(
                hold_id=HoldId(7),
                guild_id=GUILD,
                discord_user_id=DiscordUserId(1000 + number % people),
                role_id=ROLE["Gold"],
                state=HoldState.OPEN,
                mark="",
                reason=f"reason {number}",
            )
            for number in range(roles)
        ),
    )


def test_a_hold_says_how_many_roles_of_how_many_people_and_why() -> None:
    first, *lines = say_hold(hold(roles=3, people=2), NAMES).splitlines()
    assert first.startswith("**Hold 7**: 3 roles of 2 people were about to be removed")
    assert "since 2026-01-01 12:00" in first
    assert lines == ["- <@1000> reason 0", "- <@1001> reason 1", "- <@1000> reason 2"]


def test_a_long_hold_shows_its_beginning_and_counts_the_rest() -> None:
    lines = say_hold(hold(roles=HOLD_LINES + 12, people=20), NAMES).splitlines()
    assert (len(lines), lines[-1]) == (HOLD_LINES + 2, "- and 12 more")


GIVEN = Claim(role_id=ROLE["Gold"], wanted=Wanted.YES, rule=RULE["Gold"], entitlement=standing(Standing.ACTIVE))
ACTIVE_WORDS = "active patron (Gold) of Moth Tales"


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        pytest.param({"action": Action.KEEP}, ACTIVE_WORDS, id="kept"),
        pytest.param(
            {"action": Action.NONE},
            f"it asks for the tier Gold of Moth Tales; {ACTIVE_WORDS}",
            id="not kept: what it asks",
        ),
        pytest.param({"action": Action.LEAVE}, "a person gave it to you", id="given by a person"),
        pytest.param(
            {"action": Action.BLOCKED, "block": Block.GONE},
            "this role no longer exists; let this server's team know",
            id="blocked: the cure is not theirs",
        ),
        pytest.param(
            {"action": Action.BLOCKED, "block": Block.ABOVE_BOT},
            "I can't change this role because of how this server is set up; let this server's team know",
            id="blocked: nor is Discord's order of roles",
        ),
        pytest.param(
            {"action": Action.NONE, "has_role": True}, "a person gave it to you", id="not earned, given by a person"
        ),
        pytest.param(
            {"action": Action.NONE, "claim": Claim(role_id=ROLE["Gold"], wanted=Wanted.UNSURE, rule=RULE["Gold"])},
            "it asks for the tier Gold of Moth Tales; "
            "I haven't been able to check your membership of Moth Tales yet (not read yet)",
            id="not proven",
        ),
        pytest.param(
            {"action": Action.REVOKE, "claim": replace(GIVEN, rule=None)}, "no rule names it any more", id="no rule"
        ),
    ],
)
def test_a_person_is_told_plainly_why_a_role_is_theirs_or_not(decision: dict[str, Any], expected: str) -> None:
    whole: dict[str, Any] = {"role_id": ROLE["Gold"], "claim": GIVEN} | decision
    assert say_reason(Decision(**whole), NAMES) == expected


# --- links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "Linked to the Patreon account Ada by /link, 2026-01-01 12:00", id="by command"),
        pytest.param(
            {"origin": LinkOrigin.PATREON},
            "Linked to the Patreon account Ada by Patreon's own report, 2026-01-01 12:00",
            id="by Patreon",
        ),
        pytest.param(
            {"patreon_name": ""},
            "Linked to the Patreon account without a name by /link, 2026-01-01 12:00",
            id="nameless",
        ),
    ],
)
def test_a_plan_says_how_the_accounts_are_joined(changes: dict[str, Any], expected: str) -> None:
    world = World()
    world.patron("ada")
    plan = world.plan_of("ada")
    assert plan.link is not None
    assert say_origin(replace(plan, link=replace(plan.link, **changes)), world.names()) == expected


def test_a_report_that_patreon_took_back_is_said_so() -> None:
    world = World()
    world.patron("ada")
    world.trust_report("ada", has_ended=True)
    said = say_origin(world.plan_of("ada"), world.names())
    assert said.startswith("No longer linked: Patreon took back its report of this Discord account")


def test_who_parted_their_accounts_on_purpose_is_said_so() -> None:
    world = World()
    world.patron("ada")
    world.unlink("ada")
    said = say_origin(world.plan_of("ada"), world.names())
    assert said == "Unlinked on purpose: no Patreon account is linked; `/link` joins one"


def test_someone_unlinked_is_told_how_to_link() -> None:
    world = World()
    world.stranger("ben")
    assert say_origin(world.plan_of("ben"), world.names()) == "No Patreon account is linked; `/link` joins one"
