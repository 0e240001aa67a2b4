from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.assignable import Block
from bot.domain.charge_status import ChargeStatus
from bot.domain.holds import HoldItem, HoldState
from bot.domain.model import DiscordUserId, HoldId, Mode, RoleId, RuleKind
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import CHANGES, Action, Decision, PersonPlan, Rail, plan_person
from bot.domain.reasons import OldText
from bot.domain.rules import Claim, Wanted
from bot.domain.safeguards import (
    Brake,
    counted_revokes,
    facts_mark,
    lost_by,
    outdated_items,
    records_mark,
    rein_in,
    returned_roles,
)
from tests.fakes.world import GUILD, ROLE, TIER, Changes, World, changes, role_rules

FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
GOLD = ROLE["Gold"]


@pytest.fixture
def world() -> World:
    """Return a world in which ada is about to lose Gold, and nothing else."""
    world = World()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    world.holder("ada")
    world.read("ada", **FORMER)
    return world


def item(state: HoldState, *, mark: str = "then", role: str = "Gold") -> HoldItem:
    return HoldItem(
        hold_id=HoldId(1),
        guild_id=GUILD,
        discord_user_id=DiscordUserId(1000),
        role_id=ROLE[role],
        state=state,
        mark=mark,
        reason=OldText(""),
    )


def some_plan(actions: list[Action]) -> PersonPlan:
    decisions = tuple(
        Decision(role_id=RoleId(number), action=action, claim=Claim(role_id=RoleId(number), wanted=Wanted.NO))
        for number, action in enumerate(actions)
    )
    return PersonPlan(discord_user_id=DiscordUserId(1000), decisions=decisions)


# --- modes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(Mode.SYNC, changes(grant=["Gold"], revoke=["Bronze"], keep=["Supporter"]), id="sync"),
        pytest.param(
            Mode.GRANT_ONLY, changes(grant=["Gold"], held_back=["Bronze"], keep=["Supporter"]), id="grant_only"
        ),
        pytest.param(Mode.OFF, changes(held_back=["Gold", "Bronze"], keep=["Supporter"]), id="off"),
    ],
)
def test_each_mode_lets_happen_what_the_table_says(mode: Mode, expected: Changes) -> None:
    world = World()
    world.holder("ada", tier="Bronze")
    world.read("ada", tiers=("Gold",))
    world.settings = replace(world.settings, mode=mode)
    assert world.plan("ada") == expected


@pytest.mark.parametrize("mode", Mode)
def test_a_row_that_means_nothing_any_more_is_forgotten_in_every_mode(world: World, mode: Mode) -> None:
    world.take("ada", "Gold")
    world.settings = replace(world.settings, mode=mode)
    assert world.plan("ada") == changes(forget=["Gold"])


@pytest.mark.parametrize(
    ("is_wanted", "expected"),
    [
        pytest.param(True, changes(grant=["Gold"], revoke=["Bronze"], keep=["Supporter"]), id="wanted"),
        pytest.param(False, changes(held_back=["Gold", "Bronze"], keep=["Supporter"]), id="not wanted"),
    ],
)
def test_a_link_by_report_gives_nothing_where_the_server_does_not_want_it(
    *, is_wanted: bool, expected: Changes
) -> None:
    world = World()
    world.holder("ada", tier="Bronze")
    world.trust_report("ada")
    world.read("ada", tiers=("Gold",))
    world.settings = replace(world.settings, zero_link=is_wanted)
    assert world.plan("ada") == expected


def test_a_link_by_report_that_is_not_wanted_still_takes_what_lapsed(world: World) -> None:
    world.trust_report("ada")
    world.settings = replace(world.settings, zero_link=False)
    assert world.plan("ada") == changes(revoke=["Gold"])


def test_a_link_by_command_gives_everywhere() -> None:
    world = World()
    world.patron("ada")
    world.settings = replace(world.settings, zero_link=False)
    assert world.plan("ada") == changes(grant=["Gold", "Supporter"], none=["Bronze"])


# --- holds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "held", "action", "rail"),
    [
        pytest.param(Mode.GRANT_ONLY, item(HoldState.APPROVED), Action.HELD_BACK, Rail.MODE, id="the mode goes first"),
        pytest.param(Mode.SYNC, None, Action.REVOKE, None, id="no hold"),
        pytest.param(Mode.SYNC, item(HoldState.OPEN), Action.HELD_BACK, Rail.HOLD, id="a hold that nobody answered"),
        pytest.param(
            Mode.SYNC, item(HoldState.OPEN, mark="now"), Action.HELD_BACK, Rail.HOLD, id="with the same facts"
        ),
        pytest.param(Mode.SYNC, item(HoldState.APPROVED), Action.REVOKE, None, id="a hold that was applied"),
        pytest.param(Mode.SYNC, item(HoldState.DISCARDED, mark="now"), Action.HELD_BACK, Rail.DISCARD, id="discarded"),
        pytest.param(Mode.SYNC, item(HoldState.DISCARDED), Action.REVOKE, None, id="discarded, but the facts changed"),
        pytest.param(Mode.SYNC, item(HoldState.OPEN, role="Bronze"), Action.REVOKE, None, id="a hold of another role"),
    ],
)
def test_each_rail_holds_back_what_the_table_says(
    world: World, mode: Mode, held: HoldItem | None, action: Action, rail: Rail | None
) -> None:
    items = {} if held is None else {held.role_id: held}
    (decision,) = rein_in(world.plan_of("ada"), replace(world.settings, mode=mode), items=items, mark="now").decisions
    assert (decision.action, decision.rail) == (action, rail)


def test_a_hold_keeps_no_role_from_being_given() -> None:
    world = World()
    world.patron("ada")
    items = {GOLD: item(HoldState.OPEN)}
    assert rein_in(world.plan_of("ada"), world.settings, items=items) == world.plan_of("ada")


@pytest.mark.parametrize("state", HoldState)
def test_no_hold_keeps_a_role_from_somebody_who_unlinked(world: World, state: HoldState) -> None:
    world.unlink("ada")
    reined = rein_in(world.plan_of("ada"), world.settings, items={GOLD: item(state, mark="now")}, mark="now")
    assert reined.having(Action.REVOKE)


@pytest.mark.parametrize("state", HoldState)
def test_no_hold_keeps_a_role_whose_last_rule_an_admin_removed(world: World, state: HoldState) -> None:
    world.drop_rule("Gold")
    reined = rein_in(world.plan_of("ada"), world.settings, items={GOLD: item(state, mark="now")}, mark="now")
    assert reined.having(Action.REVOKE)


def test_what_only_a_removed_rule_takes_is_told_from_what_was_lost_anyway() -> None:
    gold, bronze = some_plan([Action.REVOKE, Action.KEEP]), some_plan([Action.REVOKE, Action.REVOKE])
    assert [one.role_id for one in lost_by(gold, bronze)] == [RoleId(1)]
    assert lost_by(bronze, gold) == ()


def test_what_goes_only_after_the_days_of_another_rule_is_lost_too() -> None:
    world = World()
    world.drop_rule("Supporter")
    world.holder("ada", tier="Bronze")
    world.rules["paying"] = replace(world.rules["Bronze"], kind=RuleKind.PAYING, tier_id=None)
    world.rules["Bronze"] = replace(world.rules["Bronze"], tier_id=TIER["Gold"], keep_days=9)
    before = world.plan_of("ada")
    world.drop_rule("paying")
    after = world.plan_of("ada")
    assert [one.action for one in lost_by(before, after)] == [Action.SPARE]
    assert lost_by(after, after) == ()


@pytest.mark.parametrize(
    ("action", "is_outdated"),
    [(Action.REVOKE, False), (Action.HELD_BACK, False), (Action.KEEP, True), (Action.FORGET, True)],
    ids=["still due", "still held back", "kept after all", "gone by itself"],
)
def test_a_hold_is_outdated_where_the_plan_no_longer_removes(action: Action, is_outdated: bool) -> None:
    held = item(HoldState.OPEN)
    plan = some_plan([action])
    plan = replace(plan, decisions=(replace(plan.decisions[0], role_id=GOLD),))
    assert outdated_items(plan, {GOLD: held}) == ((held,) if is_outdated else ())


def test_what_was_given_back_is_remembered_while_that_decides_and_dropped_once_it_is_earned(world: World) -> None:
    returned = item(HoldState.RETURNED)
    world.undo_removal("ada", "Gold")
    assert outdated_items(world.plan_of("ada"), {GOLD: returned}) == ()
    world.read("ada")
    assert outdated_items(world.plan_of("ada"), {GOLD: returned}) == (returned,)


def test_nothing_is_outdated_by_a_plan_that_failed() -> None:
    failed = replace(some_plan([]), is_unplanned=True)
    assert outdated_items(failed, {GOLD: item(HoldState.RETURNED)}) == ()


def test_a_role_is_given_back_only_while_the_facts_are_the_same(world: World) -> None:
    records = world.people["ada"].records
    items = [item(HoldState.RETURNED, mark=records_mark(records)), item(HoldState.DISCARDED, role="Bronze")]
    assert returned_roles(items, records) == {GOLD}
    assert returned_roles(items[1:], records) == frozenset()
    world.read("ada", **FORMER, charge_status=ChargeStatus.FRAUD)
    assert returned_roles(items, world.people["ada"].records) == frozenset()


def test_no_brake_counts_and_no_hold_keeps_what_goes_by_an_undo(world: World) -> None:
    world.read("ada")
    world.undo_grant("ada", "Gold")
    plan = world.plan_of("ada")
    assert counted_revokes(plan, {}) == ()
    assert rein_in(plan, world.settings, items={GOLD: item(HoldState.OPEN)}).having(Action.REVOKE)


def test_a_role_that_was_given_back_makes_no_other_loss_a_change_of_tier() -> None:
    world = World()
    world.drop_rule("Bronze")
    world.rules["Supporter"] = replace(world.rules["Gold"], role_id=ROLE["Supporter"])
    world.holder("ada")
    world.read("ada", tiers=("Bronze",))
    world.undo_removal("ada", "Supporter")
    plan = world.plan_of("ada")
    assert [one.role_id for one in counted_revokes(plan, {})] == [GOLD]


def test_a_returned_item_holds_back_nothing_of_other_facts(world: World) -> None:
    plan = rein_in(world.plan_of("ada"), world.settings, items={GOLD: item(HoldState.RETURNED)}, mark="now")
    assert plan.having(Action.REVOKE)


def test_a_hold_on_a_role_that_is_not_in_the_plan_is_outdated() -> None:
    assert outdated_items(some_plan([]), {GOLD: item(HoldState.OPEN)}) == (item(HoldState.OPEN),)


# --- the brake --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recent", "held", "planned", "percent", "expected"),
    [
        pytest.param(0, 100, 20, 20, False, id="a fifth"),
        pytest.param(0, 100, 21, 20, True, id="more than a fifth"),
        pytest.param(19, 81, 1, 20, False, id="a fifth within the day"),
        pytest.param(19, 81, 2, 20, True, id="more than a fifth within the day, in small steps"),
        pytest.param(0, 4, 4, 20, False, id="four are few"),
        pytest.param(0, 5, 5, 20, True, id="five are asked"),
        pytest.param(4, 1, 1, 20, True, id="five within the day are asked"),
        pytest.param(0, 100, 100, 100, False, id="off"),
    ],
)
def test_the_brake_holds_what_is_too_much_for_a_day(
    recent: int, held: int, planned: int, percent: int, expected: bool
) -> None:
    assert Brake(recent=recent, held=held, percent=percent).must_hold(planned) is expected


def test_a_lapse_counts_for_the_brake(world: World) -> None:
    (counted,) = counted_revokes(world.plan_of("ada"), {})
    assert counted.role_id == GOLD


def test_who_keeps_a_role_does_not_count(world: World) -> None:
    world.read("ada")
    assert world.plan("ada") == changes(keep=["Gold"])
    assert counted_revokes(world.plan_of("ada"), {}) == ()


def test_an_unlinking_does_not_count(world: World) -> None:
    world.unlink("ada")
    assert counted_revokes(world.plan_of("ada"), {}) == ()


def test_a_removed_rule_does_not_count(world: World) -> None:
    world.drop_rule("Gold")
    assert world.plan("ada") == changes(revoke=["Gold"])
    assert counted_revokes(world.plan_of("ada"), {}) == ()


def test_a_tier_change_that_leaves_another_role_does_not_count() -> None:
    world = World()
    world.holder("ada", tier="Gold")
    world.read("ada", tiers=("Bronze",))
    assert world.plan("ada") == changes(grant=["Bronze"], revoke=["Gold"], keep=["Supporter"])
    assert counted_revokes(world.plan_of("ada"), {}) == ()


@pytest.mark.parametrize("kind", [RuleKind.FORMER, RuleKind.LIFETIME])
def test_a_lapse_counts_though_a_role_for_former_patrons_is_given(world: World, kind: RuleKind) -> None:
    world.rules["Bronze"] = replace(role_rules()["Bronze"], kind=kind, tier_id=None, amount_cents=500)
    world.read("ada", lifetime_cents=1000, **FORMER)
    assert world.plan("ada") == changes(grant=["Bronze"], revoke=["Gold"])
    (counted,) = counted_revokes(world.plan_of("ada"), {})
    assert counted.role_id == GOLD


def test_a_tier_change_takes_nothing_while_the_other_role_cannot_be_given() -> None:
    world = World()
    world.holder("ada", tier="Gold")
    world.read("ada", tiers=("Bronze",))
    world.block("Bronze", Block.ABOVE_BOT)
    assert world.plan("ada") == changes(held_back=["Gold"], blocked=["Bronze"], keep=["Supporter"])
    world.read("ada", **FORMER)
    assert world.plan("ada") == changes(revoke=["Gold", "Supporter"], none=["Bronze"])


def test_a_role_of_someone_who_was_never_linked_counts(world: World) -> None:
    world.people["ada"] = replace(world.people["ada"], link=None)
    assert len(counted_revokes(world.plan_of("ada"), {})) == 1


def test_what_an_admin_applied_does_not_count_again(world: World) -> None:
    assert counted_revokes(world.plan_of("ada"), {GOLD: item(HoldState.APPROVED)}) == ()


# --- marks ------------------------------------------------------------------------------------------------------


def mark_after(world: World, **facts: Any) -> str:
    world.read("ada", **facts)
    return facts_mark(world.people["ada"])


def test_the_mark_of_the_same_facts_read_again_is_the_same(world: World) -> None:
    assert mark_after(world, **FORMER) == mark_after(world, **FORMER)


def test_the_mark_changes_with_the_facts(world: World) -> None:
    before = facts_mark(world.people["ada"])
    marks = [mark_after(world), mark_after(world, tiers=("Bronze",)), mark_after(world, is_gifted=True)]
    world.miss("ada")
    assert len({before, *marks, facts_mark(world.people["ada"])}) == 5


def test_nobody_known_has_a_mark_too() -> None:
    world = World()
    world.stranger("ben")
    assert facts_mark(world.people["ben"])


# --- always -----------------------------------------------------------------------------------------------------


@given(
    actions=st.lists(st.sampled_from(Action)),
    mode=st.sampled_from(Mode),
    states=st.lists(st.sampled_from(HoldState)),
    mark=st.sampled_from(["then", "now"]),
)
def test_a_rail_never_adds_a_change_and_leaves_all_else_alone(
    actions: list[Action], mode: Mode, states: list[HoldState], mark: str
) -> None:
    plan = some_plan(actions)
    items = {RoleId(number): item(state) for number, state in enumerate(states)}
    reined = rein_in(plan, replace(World().settings, mode=mode), items=items, mark=mark)
    for before, after in zip(plan.decisions, reined.decisions, strict=True):
        held_back = replace(before, action=Action.HELD_BACK, rail=after.rail)
        assert after == before or (before.action in CHANGES and after == held_back)
    assert replace(reined, decisions=plan.decisions) == plan


def test_a_mode_or_a_hold_that_nobody_thought_of_lets_nothing_happen(world: World) -> None:
    unheard: Any = "unheard of"
    plan = plan_person(world.facts(), world.people["ada"])
    with pytest.raises(AssertionError):
        rein_in(plan, replace(world.settings, mode=unheard))
    with pytest.raises(AssertionError):
        rein_in(plan, world.settings, items={GOLD: item(unheard)})


# --- roles that admins give without a pledge ----------------------------------------------------------------------


@pytest.fixture
def guest() -> World:
    """Return a world in which gus, who paid once, is about to lose Gold: the admin's word for it has ended."""
    world = World()
    world.drop_rule("Supporter")
    world.patron("gus")
    world.read("gus", **FORMER)
    world.comp("gus", "Gold", days=1)
    world.apply("gus")
    world.days_pass(1)
    return world


def test_the_end_of_a_comp_counts_not_and_is_not_held(guest: World) -> None:
    plan = guest.plan_of("gus")
    assert [one.role_id for one in plan.having(Action.REVOKE)] == [GOLD]
    assert counted_revokes(plan, {}) == ()
    for state in HoldState:
        held = {GOLD: item(state)}
        assert rein_in(plan, guest.settings, items=held, mark="then").having(Action.REVOKE)


def test_a_mode_keeps_a_comp_from_ending(guest: World) -> None:
    guest.settings = replace(guest.settings, mode=Mode.GRANT_ONLY)
    assert guest.plan("gus")["held_back"] == ["Gold"]


def test_a_report_that_is_not_wanted_keeps_no_role_that_an_admin_gave() -> None:
    world = World()
    world.patron("ada", tier="Bronze")
    world.trust_report("ada")
    world.settings = replace(world.settings, zero_link=False)
    world.comp("ada", "Gold")
    assert world.plan("ada") == changes(grant=["Gold"], held_back=["Bronze", "Supporter"])
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    assert world.plan("ada") == changes(grant=["Gold"])


def test_a_role_that_an_admin_gives_keeps_none_that_lapsed(world: World) -> None:
    world.trust_report("ada")
    world.settings = replace(world.settings, zero_link=False)
    world.comp("ada", "Bronze")
    assert world.plan("ada") == changes(grant=["Bronze"], revoke=["Gold"])


def test_a_comp_that_cannot_be_given_holds_no_tier_change_back() -> None:
    world = World()
    world.holder("ada")
    world.comp("ada", "Bronze")
    world.block("Bronze", Block.ABOVE_BOT)
    world.drop_rule("Bronze")
    world.read("ada", tiers=("Bronze",))
    assert world.plan("ada") == changes(blocked=["Bronze"], revoke=["Gold"], keep=["Supporter"])


def test_a_lapse_counts_though_an_admin_gave_another_role() -> None:
    world = World()
    world.drop_rule("Supporter")
    world.holder("ada")
    world.comp("ada", "Bronze")
    world.apply("ada")
    world.read("ada", **FORMER)
    assert [one.role_id for one in counted_revokes(world.plan_of("ada"), {})] == [GOLD]


def test_a_higher_role_of_a_group_counts_not_and_is_not_held() -> None:
    world = World()
    lifetime = replace(world.rules["Supporter"], kind=RuleKind.LIFETIME, amount_cents=100)
    world.rules["Supporter"] = lifetime
    world.holder("ada", tier="Bronze")
    world.read("ada", **FORMER, lifetime_cents=300)
    world.rules["Bronze"] = replace(world.rules["Bronze"], kind=RuleKind.LIFETIME, amount_cents=200, tier_id=None)
    world.groups = (("Supporter", "Bronze"),)
    plan = world.plan_of("ada")
    assert [one.role_id for one in plan.having(Action.REVOKE)] == [ROLE["Bronze"]]
    assert counted_revokes(plan, {}) == ()
    held = {ROLE["Bronze"]: item(HoldState.OPEN, role="Bronze")}
    assert rein_in(plan, world.settings, items=held).having(Action.REVOKE)
