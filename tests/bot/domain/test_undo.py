"""What an undo would do, and what it leaves as it is."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditReason, AuditRow, Discovery, FoundReason
from bot.domain.changes import Outcome, Trigger
from bot.domain.holds import HoldState
from bot.domain.model import AuditId, DiscordUserId, GrantState, Mode, RunId
from bot.domain.plan import Action, plan_person
from bot.domain.reasons import OldText, RoleReason
from bot.domain.rules import Wanted
from bot.domain.runs import Run
from bot.domain.safeguards import facts_mark, rein_in
from bot.domain.undo import NetChange, Obstacle, UndoDraft, Undoing, UndoKind, conclude, judge, net_changes
from tests.fakes.world import GUILD, NEW_YEAR, ROLE, World

GOLD, ADA = ROLE["Gold"], DiscordUserId(1000)
GRANT, REVOKE, ADOPT = AuditAction.GRANT, AuditAction.REVOKE, AuditAction.ADOPT
GIVE_BACK, TAKE_BACK, DISOWN = UndoKind
WHY = RoleReason(role="Gold", action=Action.GRANT, wanted=Wanted.YES)


def row(
    number: int,
    action: AuditAction,
    *,
    who: DiscordUserId | None = ADA,
    outcome: Outcome | None = Outcome.DONE,
    reason: AuditReason = WHY,
    run: int | None = 7,
) -> AuditRow:
    entry = AuditEntry(
        at=NEW_YEAR,
        guild_id=GUILD,
        discord_user_id=who,
        role_id=GOLD,
        action=action,
        outcome=outcome,
        reason=reason,
        trigger=Trigger.SYNC,
    )
    return AuditRow(audit_id=AuditId(number), run_id=None if run is None else RunId(run), entry=entry)


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        ((GRANT,), TAKE_BACK),
        ((REVOKE,), GIVE_BACK),
        ((GRANT, REVOKE), None),
        ((REVOKE, GRANT), None),
        ((GRANT, REVOKE, GRANT), TAKE_BACK),
        ((ADOPT,), DISOWN),
        ((ADOPT, REVOKE), GIVE_BACK),
        ((AuditAction.RESTORE, GRANT), TAKE_BACK),
        ((AuditAction.FORGET,), None),
    ],
)
def test_what_a_run_did_in_the_end_is_what_an_undo_is_about(
    actions: Sequence[AuditAction], kind: UndoKind | None
) -> None:
    changes = net_changes(row(number, action) for number, action in enumerate(actions, start=1))
    assert [one.kind for one in changes] == ([] if kind is None else [kind])
    assert [(one.role, one.audit_id) for one in changes] == [("Gold", len(actions))] * len(changes)


def test_what_did_not_happen_or_is_of_nobody_is_nothing_to_undo() -> None:
    refused = row(1, GRANT, outcome=Outcome.REFUSED)
    of_nobody = row(2, GRANT, who=None)
    of_no_role = replace(refused, entry=replace(row(3, GRANT).entry, role_id=None))
    assert net_changes([refused, of_nobody, of_no_role]) == ()
    (nameless,) = net_changes([row(4, GRANT, reason=OldText("why"))])
    assert nameless.role == ""


# --- how it is judged


@pytest.fixture
def world() -> World:
    """Return a world with the one role Gold, which ada has by her pledge."""
    world = World()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    world.holder("ada")
    return world


def judged(world: World, kind: UndoKind, *later: AuditRow) -> Undoing:
    """Judge an undo of one change of Gold by the world as it is, up to what the plan says."""
    world.look("ada")
    guild, person = world.facts(), world.people["ada"]
    change = NetChange(discord_user_id=ADA, role_id=GOLD, role="Gold", kind=kind, audit_id=AuditId(5))
    undoing, after = judge(change, later, guild=guild, person=person)
    return conclude(undoing, rein_in(plan_person(guild, after), guild.settings), guild=guild, person=person)


def lapse(world: World) -> None:
    """Let ada lose Gold."""
    world.miss("ada")
    world.apply("ada")


def test_a_removal_is_undone_by_the_facts_of_now(world: World) -> None:
    lapse(world)
    undoing = judged(world, GIVE_BACK)
    assert undoing.is_possible
    assert undoing.item is not None
    assert (undoing.item.state, undoing.item.mark) == (HoldState.RETURNED, facts_mark(world.people["ada"]))


@pytest.mark.parametrize("state", [GrantState.HELD, GrantState.GRANTING])
def test_a_grant_is_undone_also_before_it_was_seen(world: World, state: GrantState) -> None:
    world.note("ada", "Gold", state)
    world.hide("ada", "Gold")
    undoing = judged(world, TAKE_BACK)
    assert undoing.is_possible
    assert undoing.grant == world.people["ada"].grants[GOLD]
    assert undoing.item is None


def test_an_adoption_is_undone_without_a_change_of_roles(world: World) -> None:
    undoing = judged(world, DISOWN)
    assert undoing.is_possible
    assert undoing.grant == world.people["ada"].grants[GOLD]


def test_a_removal_by_an_undo_is_undone_in_its_turn(world: World) -> None:
    world.undo_grant("ada", "Gold")
    world.apply("ada")
    assert judged(world, GIVE_BACK).is_possible


def test_a_grant_by_an_undo_is_undone_in_its_turn(world: World) -> None:
    lapse(world)
    world.undo_removal("ada", "Gold")
    world.apply("ada")
    assert judged(world, TAKE_BACK).is_possible


@pytest.mark.parametrize(
    ("later", "obstacle"),
    [
        (row(6, AuditAction.SUPPRESS, outcome=None), Obstacle.BY_HAND),
        (row(6, AuditAction.HOLD_AGAIN, outcome=None), Obstacle.BY_HAND),
        (
            row(6, AuditAction.FORGET, outcome=None, reason=FoundReason(found=Discovery.TAKEN_BUT_ENFORCED)),
            Obstacle.BY_HAND,
        ),
        (row(6, GRANT, run=9), Obstacle.CHANGED_SINCE),
        (row(6, AuditAction.COMP, outcome=None, run=9), Obstacle.CHANGED_SINCE),
        (row(6, GRANT, outcome=Outcome.UNKNOWN, run=9), None),
        (row(6, AuditAction.FORGET, outcome=None, run=9), None),
    ],
)
def test_what_was_changed_since_is_left_alone(world: World, later: AuditRow, obstacle: Obstacle | None) -> None:
    undoing = judged(world, TAKE_BACK, later)
    assert undoing.obstacle is obstacle
    assert undoing.later_run == (9 if obstacle is Obstacle.CHANGED_SINCE else None)


def test_of_a_role_that_is_gone_its_name_is_left(world: World) -> None:
    change = NetChange(discord_user_id=ADA, role_id=GOLD, role="Olden", kind=TAKE_BACK, audit_id=AuditId(5))
    undoing, _ = judge(change, (), guild=replace(world.facts(), roles={}), person=world.people["ada"])
    assert (undoing.obstacle, undoing.role) == (Obstacle.ROLE_GONE, "Olden")


def test_what_is_being_undone_is_not_undone_twice(world: World) -> None:
    world.undo_grant("ada", "Gold")
    assert judged(world, TAKE_BACK).obstacle is Obstacle.UNDER_WAY
    world.apply("ada")
    world.note("ada", "Gold", GrantState.WITHDRAWN)
    assert judged(world, TAKE_BACK).obstacle is Obstacle.UNDER_WAY, "the role went, and nobody wrote that down yet"
    world.undo_removal("ada", "Gold")
    assert judged(world, GIVE_BACK).obstacle is Obstacle.UNDER_WAY


def test_who_left_is_left_alone(world: World) -> None:
    world.leave("ada")
    assert judged(world, TAKE_BACK).obstacle is Obstacle.NOT_HERE


def test_who_unlinked_on_purpose_gets_nothing_back(world: World) -> None:
    world.unlink("ada")
    world.apply("ada")
    assert judged(world, GIVE_BACK).obstacle is Obstacle.UNLINKED


@pytest.mark.parametrize("kind", [TAKE_BACK, DISOWN])
def test_a_role_that_is_a_persons_own_by_now_is_left_alone(world: World, kind: UndoKind) -> None:
    world.people["ada"] = replace(world.people["ada"], grants={})
    assert judged(world, kind).obstacle is Obstacle.BY_HAND


def test_a_role_that_a_hand_took_stays_away(world: World) -> None:
    world.take("ada", "Gold")
    assert judged(world, TAKE_BACK).obstacle is Obstacle.BY_HAND
    assert judged(world, GIVE_BACK).obstacle is Obstacle.BY_HAND


def test_a_role_that_a_hand_gave_back_stays(world: World) -> None:
    lapse(world)
    world.give("ada", "Gold")
    assert judged(world, GIVE_BACK).obstacle is Obstacle.BY_HAND


@pytest.mark.parametrize("kind", [GIVE_BACK, TAKE_BACK])
def test_what_the_settings_forbid_is_not_done_and_its_reason_is_told(world: World, kind: UndoKind) -> None:
    if kind is GIVE_BACK:
        lapse(world)
    world.settings = replace(world.settings, mode=Mode.OFF)
    undoing = judged(world, kind)
    assert undoing.obstacle is Obstacle.BLOCKED
    assert undoing.reason is not None
    assert undoing.reason.action is Action.HELD_BACK


def test_where_the_plan_fails_nothing_is_undone(world: World) -> None:
    guild, person = world.facts(), world.people["ada"]
    change = NetChange(discord_user_id=ADA, role_id=GOLD, role="Gold", kind=TAKE_BACK, audit_id=AuditId(5))
    undoing, after = judge(change, (), guild=guild, person=person)
    failed = replace(plan_person(guild, after), decisions=())
    concluded = conclude(undoing, failed, guild=guild, person=person)
    assert (concluded.obstacle, concluded.reason) == (Obstacle.BLOCKED, None)


def test_a_draft_tells_what_is_possible_from_what_is_not(world: World) -> None:
    run = Run(run_id=RunId(7), guild_id=GUILD, trigger=Trigger.SYNC, began_at=NEW_YEAR)
    possible = judged(world, TAKE_BACK)
    world.leave("ada")
    draft = UndoDraft(run=run, undoings=(possible, judged(world, TAKE_BACK)))
    assert draft.possible == (possible,)
    assert possible.grant is not None
    assert possible.grant.state is GrantState.HELD
