from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain import plan
from bot.domain.assignable import Block
from bot.domain.charge_status import ChargeStatus
from bot.domain.model import CampaignId, GrantState, HandEdits, Mode, RuleKind
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import CHANGES, Action, ended_comps, plan_person
from bot.domain.rules import Claim, Wanted, days_kept
from tests.fakes.world import ROLE, World, changes

DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def gold() -> World:
    """Return a world with the one role Gold, and ada, of whom nothing but the link is known."""
    world = World()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    world.stranger("ada")
    world.link("ada")
    return world


# --- the table --------------------------------------------------------------------------------------------------


def _gone(world: World) -> None:
    world.block("Gold", Block.GONE)


def _refused(world: World) -> None:
    world.block("Gold", Block.REFUSED)


def _dangerous(world: World) -> None:
    world.block("Gold", Block.DANGEROUS)


def _pending(world: World) -> None:
    world.screen("ada", is_pending=True)


def _being_removed(world: World) -> None:
    world.note("ada", "Gold", GrantState.REVOKING)
    world.hide("ada", "Gold")


Twist = Callable[[World], None]
YES, NO, UNSURE = Wanted
OURS, SUPPRESSED = GrantState.HELD, GrantState.SUPPRESSED


@pytest.mark.parametrize(
    ("wanted", "on_member", "ledger", "twist", "action"),
    [
        *(
            pytest.param(wanted, None, ledger, None, Action.AWAY, id=f"{wanted}, not a member, {ledger}")
            for wanted in Wanted
            for ledger in (None, OURS, SUPPRESSED)
        ),
        pytest.param(YES, True, OURS, None, Action.KEEP, id="yes, on member, ours"),
        pytest.param(YES, True, OURS, _refused, Action.KEEP, id="yes, on member, ours, refused"),
        pytest.param(YES, True, None, None, Action.LEAVE, id="yes, on member, given by a person"),
        pytest.param(YES, False, SUPPRESSED, None, Action.SUPPRESSED, id="yes, taken away by hand"),
        pytest.param(YES, False, SUPPRESSED, _refused, Action.SUPPRESSED, id="yes, taken away by hand, refused"),
        pytest.param(YES, False, None, _gone, Action.BLOCKED, id="yes, the role is gone"),
        pytest.param(YES, False, None, _dangerous, Action.BLOCKED, id="yes, the role is dangerous"),
        pytest.param(YES, False, None, _pending, Action.SCREENING, id="yes, screening pending"),
        pytest.param(YES, False, None, None, Action.GRANT, id="yes, not on member"),
        pytest.param(NO, True, OURS, _gone, Action.FORGET, id="no, on member, ours, the role is gone"),
        pytest.param(NO, False, SUPPRESSED, _gone, Action.FORGET, id="no, not on member, the role is gone"),
        pytest.param(NO, True, OURS, _refused, Action.BLOCKED, id="no, on member, ours, refused"),
        pytest.param(NO, True, OURS, _dangerous, Action.REVOKE, id="no, on member, ours, dangerous"),
        pytest.param(NO, True, OURS, _pending, Action.REVOKE, id="no, on member, ours, screening pending"),
        pytest.param(NO, True, OURS, None, Action.REVOKE, id="no, on member, ours"),
        pytest.param(NO, False, None, _being_removed, Action.NONE, id="no, our removal not shown yet"),
        pytest.param(NO, False, SUPPRESSED, None, Action.FORGET, id="no, not on member, ours"),
        pytest.param(NO, True, None, None, Action.NONE, id="no, on member, given by a person"),
        pytest.param(NO, False, None, None, Action.NONE, id="no, not on member"),
        pytest.param(UNSURE, True, OURS, None, Action.UNPROVEN, id="unsure, on member, ours"),
        pytest.param(UNSURE, False, SUPPRESSED, None, Action.UNPROVEN, id="unsure, not on member, ours"),
        pytest.param(UNSURE, True, None, None, Action.NONE, id="unsure, on member, given by a person"),
        pytest.param(UNSURE, False, None, None, Action.NONE, id="unsure, not on member"),
    ],
)
def test_each_case_is_decided_as_the_table_says(
    gold: World,
    *,
    wanted: Wanted,
    on_member: bool | None,
    ledger: GrantState | None,
    twist: Twist | None,
    action: Action,
) -> None:
    if wanted is not UNSURE:
        gold.read("ada", **({} if wanted is YES else FORMER))
    if on_member:
        gold.give("ada", "Gold")
    if ledger is not None:
        gold.note("ada", "Gold", ledger)
    if on_member is None:
        gold.leave("ada")
    if twist is not None:
        twist(gold)
    assert gold.plan("ada") == changes(**{action: ["Gold"]})


def test_only_a_blocked_decision_names_the_block(gold: World) -> None:
    gold.read("ada")
    gold.block("Gold", Block.ABOVE_BOT)
    assert gold.plan_of("ada").decisions[0].block is Block.ABOVE_BOT
    gold.give("ada", "Gold")
    assert gold.plan_of("ada").decisions[0].block is None


# --- the life of a pledge ---------------------------------------------------------------------------------------


def test_a_new_patron_gets_what_they_earn(world: World) -> None:
    world.patron("ada", tier="Gold")
    assert world.plan("ada") == changes(grant=["Gold", "Supporter"], none=["Bronze"])


def test_someone_who_has_all_that_they_earn_has_nothing_to_change(world: World) -> None:
    world.holder("ada", tier="Gold")
    assert world.plan("ada") == changes(keep=["Gold", "Supporter"], none=["Bronze"])


def test_an_upgrade_swaps_the_role(world: World) -> None:
    world.holder("ada", tier="Bronze")
    world.read("ada", tiers=("Gold",))
    assert world.plan("ada") == changes(grant=["Gold"], revoke=["Bronze"], keep=["Supporter"])


def test_a_declined_patron_keeps_the_roles_during_grace_and_loses_them_after(world: World) -> None:
    world.holder("ada")
    world.read("ada", **DECLINED)
    assert world.plan("ada") == changes(keep=["Gold", "Supporter"], none=["Bronze"])
    world.days_pass(7)
    assert world.plan("ada") == changes(revoke=["Gold", "Supporter"], none=["Bronze"])


def test_a_cancelled_pledge_keeps_the_roles_while_patreon_lists_the_tier(world: World) -> None:
    world.holder("ada")
    world.read("ada", patron_status=PatronStatus.FORMER)
    assert world.plan("ada") == changes(keep=["Gold", "Supporter"], none=["Bronze"])
    world.read("ada", **FORMER)
    assert world.plan("ada") == changes(revoke=["Gold", "Supporter"], none=["Bronze"])


def test_a_gifted_patron_gets_the_roles_for_no_money(world: World) -> None:
    world.patron("ada", is_gifted=True, entitled_cents=0)
    assert world.plan("ada") == changes(grant=["Gold", "Supporter"], none=["Bronze"])


def test_a_free_member_earns_nothing(world: World) -> None:
    world.patron("ada", tier="Free", patron_status=PatronStatus.NEVER)
    assert world.plan("ada") == changes(none=["Bronze", "Gold", "Supporter"])


def test_a_patron_missing_from_a_complete_read_loses_the_roles(world: World) -> None:
    world.holder("ada")
    world.miss("ada")
    assert world.plan("ada") == changes(revoke=["Gold", "Supporter"], none=["Bronze"])


def test_an_unproven_reading_gives_and_never_takes(world: World) -> None:
    world.holder("ada", tier="Bronze")
    world.read("ada", is_believed=False, tiers=("Gold",))
    assert world.plan("ada") == changes(grant=["Gold"], keep=["Bronze", "Supporter"])
    world.read("ada", is_believed=False, **FORMER)
    assert world.plan("ada") == changes(keep=["Bronze", "Supporter"], none=["Gold"])


def test_unlinking_is_its_own_proof(world: World) -> None:
    world.holder("ada")
    world.unlink("ada")
    assert world.plan("ada") == changes(revoke=["Gold", "Supporter"], none=["Bronze"])


def test_a_report_that_patreon_took_back_is_its_own_proof_and_stays_visible(world: World) -> None:
    world.holder("ada")
    world.trust_report("ada", has_ended=True)
    assert world.plan("ada") == changes(revoke=["Gold", "Supporter"], none=["Bronze"])
    plan = world.plan_of("ada")
    assert plan.link is not None
    assert all(one.claim.rule is not None for one in plan.decisions), "so the brake counts them"


def test_removing_a_rule_is_its_own_proof(world: World) -> None:
    world.holder("ada")
    world.drop_rule("Gold")
    assert world.plan("ada") == changes(revoke=["Gold"], keep=["Supporter"], none=["Bronze"])


def test_someone_unlinked_with_no_row_of_ours_is_left_alone(world: World) -> None:
    world.stranger("ben")
    world.give("ben", "Gold")
    assert world.plan("ben") == changes(none=["Bronze", "Gold", "Supporter"])


# --- hands, and coming back -------------------------------------------------------------------------------------


def test_a_role_given_by_a_person_stays_theirs_through_the_whole_pledge(world: World) -> None:
    world.stranger("ada")
    world.link("ada")
    world.give("ada", "Gold")
    world.read("ada")
    assert world.plan("ada") == changes(grant=["Supporter"], leave=["Gold"], none=["Bronze"])
    world.apply("ada")
    world.read("ada", **FORMER)
    assert world.plan("ada") == changes(revoke=["Supporter"], none=["Bronze", "Gold"])


def test_a_role_taken_by_hand_stays_away(world: World) -> None:
    world.holder("ada")
    world.take("ada", "Gold")
    assert world.plan("ada") == changes(keep=["Supporter"], suppressed=["Gold"], none=["Bronze"])


def test_a_role_taken_by_hand_comes_back_where_hand_edits_are_enforced(world: World) -> None:
    world.settings = replace(world.settings, hand_edits=HandEdits.ENFORCE)
    world.holder("ada")
    world.take("ada", "Gold")
    assert world.plan("ada") == changes(grant=["Gold"], keep=["Supporter"], none=["Bronze"])


def test_a_role_given_back_by_hand_is_ours_again(world: World) -> None:
    world.holder("ada")
    world.take("ada", "Gold")
    world.look("ada")
    world.give("ada", "Gold")
    assert world.plan("ada") == changes(keep=["Gold", "Supporter"], none=["Bronze"])


def test_a_new_pledge_after_a_lapse_lifts_a_hand_edit(world: World) -> None:
    world.holder("ada")
    world.take("ada", "Gold")
    world.read("ada", **FORMER)
    assert world.plan("ada") == changes(revoke=["Supporter"], forget=["Gold"], none=["Bronze"])
    world.apply("ada")
    world.read("ada")
    assert world.plan("ada") == changes(grant=["Gold", "Supporter"], none=["Bronze"])


def test_someone_who_left_is_away_and_gets_the_roles_when_they_come_back(world: World) -> None:
    world.holder("ada")
    world.leave("ada")
    assert world.plan("ada") == changes(away=["Bronze", "Gold", "Supporter"])
    world.join("ada")
    assert world.plan("ada") == changes(grant=["Gold", "Supporter"], none=["Bronze"])


def test_someone_who_lapsed_while_away_comes_back_to_nothing(world: World) -> None:
    world.holder("ada")
    world.leave("ada")
    world.read("ada", **FORMER)
    world.join("ada")
    assert world.plan("ada") == changes(none=["Bronze", "Gold", "Supporter"])


def test_a_new_member_waits_for_the_screening(world: World) -> None:
    world.patron("ada")
    world.join("ada", is_pending=True)
    assert world.plan("ada") == changes(screening=["Gold", "Supporter"], none=["Bronze"])


# --- the plan as a value ----------------------------------------------------------------------------------------


def test_a_plan_is_a_change_when_something_is_to_be_written(world: World) -> None:
    world.patron("ada")
    assert world.plan_of("ada").is_change
    world.apply("ada")
    assert not world.plan_of("ada").is_change


def test_a_plan_is_of_note_unless_every_role_is_as_it_should_be(world: World) -> None:
    world.patron("ada")
    plan = world.plan_of("ada")
    world.apply("ada")
    assert not world.plan_of("ada").is_of_note
    assert replace(world.plan_of("ada"), is_unplanned=True).is_of_note
    (gold, *_) = plan.decisions
    of_note = {action for action in Action if replace(plan, decisions=(replace(gold, action=action),)).is_of_note}
    assert of_note == CHANGES | {Action.HELD_BACK, Action.SCREENING, Action.SUPPRESSED, Action.BLOCKED}


def test_a_forgotten_row_is_a_change(gold: World) -> None:
    gold.read("ada", **FORMER)
    gold.note("ada", "Gold", SUPPRESSED)
    assert gold.plan_of("ada").is_change


def test_grants_come_first_and_revokes_last(world: World) -> None:
    world.holder("ada", tier="Bronze")
    world.read("ada", tiers=("Gold",))
    assert [one.action for one in world.plan_of("ada").decisions] == [Action.GRANT, Action.KEEP, Action.REVOKE]


def test_what_patreon_says_of_someone_unlinked_decides_nothing(gold: World) -> None:
    gold.read("ada")
    gold.unlink("ada")
    (decision,) = gold.plan_of("ada").decisions
    assert decision.claim.entitlement is not None
    assert decision.claim.entitlement.reading is None


def test_a_plan_carries_the_link_that_it_rests_on(world: World) -> None:
    world.patron("ada")
    assert world.plan_of("ada").link == world.people["ada"].link


def test_each_decision_carries_the_rule_and_the_fact_that_decided_it(gold: World) -> None:
    gold.read("ada")
    (decision,) = gold.plan_of("ada").decisions
    assert decision.claim.rule == gold.rules["Gold"]
    assert decision.claim.entitlement is not None
    assert decision.claim.entitlement.reading is not None


# --- whatever happens -------------------------------------------------------------------------------------------

READINGS: list[dict[str, Any]] = [
    {},
    {"tiers": ("Bronze",)},
    {"tiers": ("Bronze", "Gold")},
    {"tiers": ()},
    {"tiers": ("Free",), "entitled_cents": 0},
    {"patron_status": PatronStatus.FORMER},
    {"patron_status": PatronStatus.UNKNOWN, "tiers": ()},
    {"charge_status": ChargeStatus.REFUNDED},
    DECLINED,
    FORMER,
]
EVENTS: list[tuple[str, Any]] = [
    *((verb, facts) for verb in ("read", "doubt") for facts in READINGS),
    *((verb, role) for verb in ("give", "take", "drop_rule") for role in ROLE),
    *(("block", (role, why)) for role in ROLE for why in (Block.GONE, Block.REFUSED, Block.DANGEROUS)),
    *(("pass", days) for days in (0.5, 3, 8)),
    *((verb, None) for verb in ("apply", "apply", "miss", "link", "unlink", "leave", "join")),
]


def happen(world: World, event: tuple[str, Any]) -> None:
    match event:
        case ("read", facts):
            world.read("ada", **facts)
        case ("doubt", facts):
            world.read("ada", is_believed=False, **facts)
        case ("give" | "take" as verb, role) if world.people["ada"].member is not None:
            getattr(world, verb)("ada", role)
        case ("drop_rule", role):
            world.rules.pop(role, None)
        case ("block", (role, why)):
            world.block(role, why)
        case ("pass", days):
            world.days_pass(days)
        case ("apply" | "miss" | "link" | "unlink" | "leave" | "join" as verb, None):
            getattr(world, verb)("ada")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World(settings=draw(st.sampled_from([World().settings, replace(World().settings, mode=Mode.GRANT_ONLY)])))
    world.patron("ada", tier=draw(st.sampled_from(["Free", "Bronze", "Gold"])))
    for event in draw(st.lists(st.sampled_from(EVENTS), max_size=10)):
        happen(world, event)
    return world


@given(worlds())
def test_planning_again_after_applying_changes_nothing(world: World) -> None:
    world.apply("ada")
    assert not world.plan_of("ada").is_change


@given(worlds())
def test_only_roles_of_ours_that_are_on_the_member_are_revoked_and_only_after_the_grants(world: World) -> None:
    plan = world.plan_of("ada")
    person = world.people["ada"]
    on_member = person.member.role_ids if person.member is not None else frozenset()
    revoked = {one.role_id for one in plan.having(Action.REVOKE)}
    assert revoked <= on_member & person.grants.keys()
    assert {one.role_id for one in plan.having(Action.FORGET)} <= person.grants.keys()
    assert not on_member & {one.role_id for one in plan.having(Action.GRANT)}
    changes_in_order = [one.action for one in plan.decisions if one.action in {Action.GRANT, Action.REVOKE}]
    assert changes_in_order == sorted(changes_in_order)  # "grant" < "revoke"


@given(worlds())
def test_readings_that_are_not_proven_revoke_nothing_that_the_proven_ones_would_not(world: World) -> None:
    with_doubts = {one.role_id for one in world.plan_of("ada").having(Action.REVOKE)}
    person = world.people["ada"]
    proven = {campaign: replace(record, unproven=None) for campaign, record in person.records.items()}
    world.people["ada"] = replace(person, records=proven)
    assert with_doubts <= {one.role_id for one in world.plan_of("ada").having(Action.REVOKE)}


@given(worlds())
def test_a_missing_fact_revokes_nothing_that_a_rule_names(world: World) -> None:
    world.link("ada")
    world.people["ada"] = replace(world.people["ada"], records={})
    ruled = {rule.role_id for rule in world.rules.values()}
    assert not ruled & {one.role_id for one in world.plan_of("ada").having(Action.REVOKE)}


@given(worlds())
def test_each_pledge_role_and_each_row_is_decided_once(world: World) -> None:
    world.look("ada")
    person = world.people["ada"]
    decided = [one.role_id for one in plan_person(world.facts(), person).decisions]
    assert sorted(decided) == sorted({rule.role_id for rule in world.rules.values()} | person.grants.keys())


def test_an_answer_that_nobody_thought_of_takes_no_role(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.holder("ada")
    perhaps: Any = "perhaps"
    claim = Claim(role_id=ROLE["Gold"], wanted=perhaps, rule=world.rules["Gold"])
    monkeypatch.setattr(plan, "claim_roles", lambda *_: {ROLE["Gold"]: claim})
    with pytest.raises(AssertionError):
        plan_person(world.facts(), world.people["ada"])


# --- roles that admins give without a pledge ----------------------------------------------------------------------


@pytest.fixture
def guest() -> World:
    """Return a world with guests: gus, who is not linked, and pia, who pays for Gold and has all that she earns."""
    world = World()
    world.stranger("gus")
    world.holder("pia")
    return world


def test_a_comp_gives_a_role_to_somebody_without_a_link_and_takes_it_at_its_end(guest: World) -> None:
    guest.comp("gus", "Gold", days=30)
    assert guest.plan("gus") == changes(grant=["Gold"], none=["Bronze", "Supporter"])
    guest.apply("gus")
    guest.days_pass(29)
    assert guest.plan("gus") == changes(keep=["Gold"], none=["Bronze", "Supporter"])
    guest.days_pass(1)
    assert guest.plan("gus") == changes(revoke=["Gold"], none=["Bronze", "Supporter"])


def test_a_comp_for_a_role_that_no_rule_names_is_planned_too(guest: World) -> None:
    guest.rules.clear()
    guest.comp("gus", "Gold", days=1)
    assert guest.plan("gus") == changes(grant=["Gold"])
    guest.apply("gus")
    guest.days_pass(1)
    assert guest.plan("gus") == changes(revoke=["Gold"])
    guest.apply("gus")
    assert guest.plan("gus") == changes()


def test_a_comp_without_an_end_stays(guest: World) -> None:
    guest.comp("gus", "Gold")
    guest.apply("gus")
    guest.days_pass(10_000)
    assert guest.plan("gus")["keep"] == ["Gold"]


def test_neither_a_pledge_nor_a_comp_takes_what_the_other_gives(guest: World) -> None:
    guest.comp("pia", "Gold", days=30)
    guest.read("pia", **FORMER)
    assert guest.plan("pia") == changes(keep=["Gold"], revoke=["Supporter"], none=["Bronze"])
    guest.read("pia")
    guest.apply("pia")
    guest.days_pass(31)
    assert guest.plan("pia") == changes(keep=["Gold", "Supporter"], none=["Bronze"])
    guest.read("pia", **FORMER)
    assert guest.plan("pia")["revoke"] == ["Gold", "Supporter"]


def test_who_unlinks_keeps_what_an_admin_gave(guest: World) -> None:
    guest.comp("pia", "Gold")
    guest.unlink("pia")
    assert guest.plan("pia") == changes(keep=["Gold"], revoke=["Supporter"], none=["Bronze"])


def test_a_role_that_a_person_gave_stays_when_the_comp_ends(guest: World) -> None:
    guest.give("gus", "Gold")
    guest.comp("gus", "Gold", days=1)
    assert guest.plan("gus")["leave"] == ["Gold"]
    guest.apply("gus")
    guest.days_pass(1)
    assert guest.plan("gus") == changes(none=["Bronze", "Gold", "Supporter"])


def test_in_doubt_a_role_stays_though_its_comp_has_ended(guest: World) -> None:
    guest.link("gus")
    guest.comp("gus", "Gold", days=1)
    guest.apply("gus")
    guest.days_pass(1)
    assert guest.plan("gus")["unproven"] == ["Gold"]


def test_a_comp_for_a_role_that_is_gone_gives_nothing(guest: World) -> None:
    guest.comp("gus", "Gold")
    facts = replace(guest.facts(), roles={})
    (gold,) = [one for one in plan_person(facts, guest.people["gus"]).decisions if one.role_id == ROLE["Gold"]]
    assert (gold.action, gold.block) == (Action.BLOCKED, Block.GONE)


def test_a_comp_that_ended_may_be_forgotten_when_no_role_rests_on_it(guest: World) -> None:
    def forgotten(name: str) -> set[int]:
        person, now = guest.people[name], guest.now
        return {comp.role_id for comp in ended_comps(plan_person(guest.facts(), person), person, now)}

    for name in ("gus", "pia"):
        guest.comp(name, "Gold", days=1)
        guest.apply(name)
    guest.comp("gus", "Bronze")
    assert (forgotten("gus"), forgotten("pia")) == (set(), set()), "they run"
    guest.days_pass(1)
    assert (forgotten("gus"), forgotten("pia")) == (set(), {ROLE["Gold"]}), "hers is earned, his is to be taken"
    guest.apply("gus")
    assert forgotten("gus") == {ROLE["Gold"]}


# --- roles that stay for a while ----------------------------------------------------------------------------------


@pytest.fixture
def kept() -> World:
    """Return a world in which the role of the Gold tier stays for 14 days, and ada has all that she earns."""
    world = World()
    world.rules["Gold"] = replace(world.rules["Gold"], keep_days=14)
    world.holder("ada")
    return world


def gold_of(world: World, name: str = "ada") -> tuple[Action, float | None]:
    """Return what becomes of Gold, and for how many days more it stays."""
    (gold,) = [one for one in world.plan_of(name).decisions if one.role_id == ROLE["Gold"]]
    return gold.action, None if gold.kept_until is None else (gold.kept_until - world.now) / timedelta(days=1)


def test_a_role_stays_for_its_rules_days_from_when_it_was_seen_unearned(kept: World) -> None:
    assert gold_of(kept) == (Action.KEEP, None)
    kept.read("ada", **FORMER)
    assert kept.plan("ada") == changes(spare=["Gold"], revoke=["Supporter"], none=["Bronze"])
    assert gold_of(kept) == (Action.SPARE, 14)
    kept.apply("ada")
    assert gold_of(kept) == (Action.LINGER, 14)
    kept.days_pass(13.5)
    assert gold_of(kept) == (Action.LINGER, 0.5)
    kept.days_pass(0.5)
    assert gold_of(kept)[0] is Action.REVOKE


def test_who_pays_again_begins_anew(kept: World) -> None:
    kept.read("ada", **FORMER)
    kept.apply("ada")
    kept.days_pass(10)
    kept.read("ada")
    assert gold_of(kept) == (Action.EARNED_AGAIN, None)
    kept.apply("ada")
    assert gold_of(kept) == (Action.KEEP, None)
    kept.days_pass(100)
    kept.read("ada", **FORMER)
    assert gold_of(kept) == (Action.SPARE, 14)


def test_a_smaller_pledge_ends_it_in_the_same_way(kept: World) -> None:
    kept.read("ada", tiers=("Bronze",))
    assert kept.plan("ada") == changes(grant=["Bronze"], spare=["Gold"], keep=["Supporter"])


def test_a_declined_charge_has_its_grace_and_no_days_more(kept: World) -> None:
    kept.read("ada", **DECLINED)
    assert gold_of(kept) == (Action.KEEP, None)
    kept.days_pass(8)
    kept.read("ada", **DECLINED)
    assert gold_of(kept) == (Action.REVOKE, None)


def test_money_that_was_taken_back_ends_it_at_once_also_in_between(kept: World) -> None:
    kept.read("ada", **FORMER)
    kept.apply("ada")
    kept.read("ada", **FORMER, charge_status=ChargeStatus.REFUNDED)
    assert gold_of(kept) == (Action.REVOKE, None)


def test_an_unlinking_and_a_removed_rule_end_it_at_once(kept: World) -> None:
    kept.read("ada", **FORMER)
    kept.apply("ada")
    kept.unlink("ada")
    assert gold_of(kept) == (Action.REVOKE, None)
    kept.link("ada")
    assert gold_of(kept)[0] is Action.LINGER
    kept.drop_rule("Gold")
    assert gold_of(kept) == (Action.REVOKE, None)


def test_the_end_of_a_comp_is_its_end(kept: World) -> None:
    kept.comp("ada", "Gold", days=1)
    kept.read("ada", **FORMER)
    kept.days_pass(1)
    assert gold_of(kept) == (Action.REVOKE, None)


def test_of_several_rules_the_longest_counts_of_a_campaign_that_knows_them(kept: World) -> None:
    rule = kept.rules["Gold"]
    kept.rules["paying"] = replace(rule, kind=RuleKind.PAYING, tier_id=None, keep_days=30)
    kept.rules["lifetime"] = replace(rule, kind=RuleKind.LIFETIME, tier_id=None, amount_cents=10**6, keep_days=5)
    kept.rules["elsewhere"] = replace(rule, campaign_id=CampaignId("elsewhere"), keep_days=60)
    assert days_kept(kept.rules.values(), {}) == {}
    kept.read("ada", **FORMER, lifetime_cents=1)
    del kept.rules["elsewhere"]
    assert gold_of(kept) == (Action.SPARE, 30)


def test_a_role_that_a_person_gave_is_not_ours_to_keep(kept: World) -> None:
    kept.patron("ben", tier="Bronze")
    kept.give("ben", "Gold")
    assert gold_of(kept, "ben") == (Action.NONE, None)


def test_a_mode_that_changes_nothing_still_notes_it(kept: World) -> None:
    kept.settings = replace(kept.settings, mode=Mode.OFF)
    kept.read("ada", **FORMER)
    assert gold_of(kept) == (Action.SPARE, 14)


# --- exclusive groups ---------------------------------------------------------------------------------------------


@pytest.fixture
def grouped() -> World:
    """Return a world in which Gold, Bronze and Supporter exclude each other, in this order, and ada has Bronze."""
    world = World()
    world.groups = (("Gold", "Bronze", "Supporter"),)
    world.holder("ada", tier="Bronze")
    return world


def test_of_a_group_only_the_highest_that_is_earned_is_given(grouped: World) -> None:
    grouped.patron("ben")
    assert grouped.plan("ben") == changes(grant=["Gold"], none=["Bronze", "Supporter"])
    assert grouped.plan("ada") == changes(keep=["Bronze"], none=["Gold", "Supporter"])
    grouped.read("ada")
    assert grouped.plan("ada") == changes(grant=["Gold"], revoke=["Bronze"], none=["Supporter"])
    plan = grouped.apply("ada")
    assert [one.action for one in plan.decisions][::2] == [Action.GRANT, Action.REVOKE], "the PUT comes first"
    grouped.read("ada", tiers=("Bronze",))
    assert grouped.plan("ada") == changes(grant=["Bronze"], revoke=["Gold"], none=["Supporter"])


def test_the_order_is_the_admins(grouped: World) -> None:
    grouped.groups = (("Supporter", "Gold", "Bronze"),)
    assert grouped.plan("ada") == changes(grant=["Supporter"], revoke=["Bronze"], none=["Gold"])


def test_a_new_group_takes_the_lower_and_its_end_gives_it_back(grouped: World) -> None:
    grouped.groups = ()
    grouped.apply("ada")
    assert grouped.plan("ada")["keep"] == ["Bronze", "Supporter"]
    grouped.groups = (("Bronze", "Supporter"),)
    assert grouped.plan("ada")["revoke"] == ["Supporter"]
    grouped.apply("ada")
    grouped.groups = ()
    assert grouped.plan("ada")["grant"] == ["Supporter"]


def _above_the_bot(world: World) -> None:
    world.block("Gold", Block.ABOVE_BOT)


def _taken_by_hand(world: World) -> None:
    world.note("ada", "Gold", GrantState.SUPPRESSED)


@pytest.mark.parametrize("twist", [_above_the_bot, _refused, _taken_by_hand, _pending])
def test_where_the_higher_cannot_be_given_the_lower_stays(grouped: World, twist: Twist) -> None:
    grouped.read("ada", tiers=("Gold", "Bronze"))
    twist(grouped)
    assert grouped.plan("ada")["keep"] == ["Bronze"]
    assert grouped.plan("ada")["revoke"] == []


def test_a_higher_one_that_nothing_proves_takes_no_lower(grouped: World) -> None:
    grouped.read("ada", tiers=("Gold", "Bronze"), is_believed=False)
    assert grouped.plan("ada") == changes(grant=["Gold"], keep=["Bronze"], none=["Supporter"])


def test_a_lower_one_in_doubt_goes_too(grouped: World) -> None:
    grouped.rules["Bronze"] = replace(grouped.rules["Bronze"], campaign_id=CampaignId("elsewhere"))
    assert grouped.plan("ada")["unproven"] == ["Bronze"]
    grouped.read("ada")
    assert grouped.plan("ada")["revoke"] == ["Bronze"]


def test_a_role_that_a_person_gave_is_never_taken_for_a_higher_one_and_counts_as_the_highest(grouped: World) -> None:
    grouped.patron("ben", tier="Bronze")
    grouped.give("ben", "Supporter")
    assert grouped.plan("ben") == changes(grant=["Bronze"], none=["Gold", "Supporter"])
    grouped.groups = (("Supporter", "Bronze"),)
    assert grouped.plan("ben") == changes(leave=["Supporter"], none=["Bronze", "Gold"])


def test_what_an_admin_gave_without_a_pledge_stands_beside_a_group(grouped: World) -> None:
    grouped.comp("ada", "Gold")
    assert grouped.plan("ada") == changes(grant=["Gold"], keep=["Bronze"], none=["Supporter"])
    grouped.comp("ada", "Supporter")
    assert grouped.plan("ada")["grant"] == ["Gold", "Supporter"]


def test_a_role_of_a_group_does_not_stay_for_a_while_beside_another_of_it(grouped: World) -> None:
    grouped.rules["Bronze"] = replace(grouped.rules["Bronze"], keep_days=14)
    grouped.read("ada")
    assert grouped.plan("ada")["revoke"] == ["Bronze"]
    grouped.read("ada", **FORMER)
    assert grouped.plan("ada")["spare"] == ["Bronze"], "nothing of the group is earned"


def test_who_is_not_in_the_guild_is_in_no_group(grouped: World) -> None:
    grouped.leave("ada")
    assert grouped.plan("ada")["away"] == ["Bronze", "Gold", "Supporter"]


# --- what admins undid --------------------------------------------------------------------------------------------


@pytest.fixture
def undone() -> World:
    """Return a world with the one role Gold, which ada has."""
    world = World()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    world.holder("ada")
    return world


def test_a_removal_that_is_undone_gives_the_role_back_until_the_facts_change(undone: World) -> None:
    undone.read("ada", **FORMER)
    undone.apply("ada")
    assert undone.plan("ada") == changes(none=["Gold"])
    undone.undo_removal("ada", "Gold")
    assert undone.plan("ada") == changes(grant=["Gold"])
    undone.apply("ada")
    assert undone.plan("ada") == changes(keep=["Gold"])
    undone.end_undo("ada")
    assert undone.plan("ada") == changes(revoke=["Gold"])


def test_a_removal_that_is_undone_is_undone_for_strangers_and_without_a_rule_too(undone: World) -> None:
    undone.stranger("gus")
    undone.rules.clear()
    undone.undo_removal("gus", "Gold")
    assert undone.plan("gus") == changes(grant=["Gold"])
    undone.block("Gold", Block.REFUSED)
    assert undone.plan("gus") == changes(blocked=["Gold"])
    undone.stranger("hal")
    undone.undo_removal("hal", "Gold")
    undone.unlink("hal")
    assert undone.plan("hal") == changes(none=["Gold"]), "who unlinked did so on purpose"


def test_a_role_that_is_gone_is_not_given_back(undone: World) -> None:
    undone.stranger("gus")
    undone.undo_removal("gus", "Gold")
    person, facts = undone.people["gus"], replace(undone.facts(), roles={}, rules=())
    assert [one.action for one in plan_person(facts, person).decisions] == [Action.BLOCKED]


def test_a_grant_that_is_undone_goes_and_stays_away_while_it_is_earned(undone: World) -> None:
    undone.settings = replace(undone.settings, hand_edits=HandEdits.ENFORCE)
    undone.undo_grant("ada", "Gold")
    assert undone.plan("ada") == changes(revoke=["Gold"])
    assert undone.reason("ada", "Gold").is_undone
    undone.apply("ada")
    assert undone.plan("ada") == changes(suppressed=["Gold"])
    assert undone.reason("ada", "Gold").is_undone
    undone.read("ada", **FORMER)
    assert undone.plan("ada") == changes(forget=["Gold"]), "so that a new pledge is granted again"


def test_a_grant_that_is_undone_goes_whatever_else_speaks_for_it(undone: World) -> None:
    undone.rules["Gold"] = replace(undone.rules["Gold"], keep_days=30)
    undone.comp("ada", "Gold")
    undone.undo_removal("ada", "Gold")
    undone.undo_grant("ada", "Gold")
    undone.read("ada", **FORMER)
    assert undone.plan("ada") == changes(revoke=["Gold"])


def test_a_role_that_is_to_go_by_an_undo_takes_no_other_ones_place() -> None:
    world = World()
    world.holder("ada")
    world.read("ada", tiers=("Bronze", "Gold"))
    world.apply("ada")
    world.groups = (("Gold", "Bronze"),)
    world.undo_grant("ada", "Gold")
    assert world.plan("ada") == changes(revoke=["Gold"], keep=["Bronze", "Supporter"])


def test_a_role_that_somebody_gives_back_after_an_undo_is_ours_again(undone: World) -> None:
    undone.undo_grant("ada", "Gold")
    undone.apply("ada")
    undone.look("ada")
    undone.give("ada", "Gold")
    assert undone.plan("ada") == changes(keep=["Gold"])
