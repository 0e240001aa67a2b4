from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction, Discovery, FoundReason
from bot.domain.changes import Outcome, RoleChange, Trigger
from bot.domain.ledger import settle
from bot.domain.model import DiscordUserId, GrantState, HandEdits, ReadId
from bot.domain.plan import Action, Decision
from bot.domain.reasons import RoleReason
from bot.domain.rules import Claim, Wanted
from bot.sync.applying.audit_role_changes import (
    change_entries,
    found_entries,
    gone_entries,
    is_taken_again,
    seen_entries,
)
from tests.fakes.world import GUILD, NEW_YEAR, ROLE, World

OURS = FoundReason(found=Discovery.OURS)


@pytest.fixture
def world() -> World:
    """Return a world in which ada holds Gold by us, and nothing else."""
    world = World()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    world.holder("ada")
    return world


def seen(world: World, *, has_role: bool = True) -> list[tuple[AuditAction, Discovery]]:
    """Return what a look at ada would write down."""
    person, guild = world.people["ada"], world.facts()
    guild = guild if has_role else replace(guild, roles={})
    hand_edits = world.settings.hand_edits
    found = settle(person.grants.values(), person.member, hand_edits=hand_edits, now=guild.now, existing=guild.roles)
    entries = seen_entries(guild, person, found)
    assert all((entry.at, entry.guild_id, entry.role_id) == (world.now, GUILD, ROLE["Gold"]) for entry in entries)
    assert all(entry.outcome is None for entry in entries), "nothing was asked of Discord"
    for entry in entries:
        assert isinstance(entry.reason, FoundReason)
        assert is_taken_again(entry) is (entry.reason.found is Discovery.TAKEN_BUT_ENFORCED)
    return [(entry.action, entry.reason.found) for entry in entries if isinstance(entry.reason, FoundReason)]


def test_a_look_that_shows_no_news_is_not_written_down(world: World) -> None:
    assert seen(world) == []


def test_a_hand_edit_is_written_down(world: World) -> None:
    world.take("ada", "Gold")
    assert seen(world) == [(AuditAction.SUPPRESS, Discovery.TAKEN)]


@pytest.mark.parametrize("state", [GrantState.HELD, GrantState.SUPPRESSED])
def test_a_hand_edit_that_is_not_respected_is_written_down(world: World, state: GrantState) -> None:
    world.settings = replace(world.settings, hand_edits=HandEdits.ENFORCE)
    world.note("ada", "Gold", state)
    world.take("ada", "Gold")
    assert seen(world) == [(AuditAction.FORGET, Discovery.TAKEN_BUT_ENFORCED)]


@pytest.mark.parametrize("state", [GrantState.SUPPRESSED, GrantState.WITHDRAWN])
def test_a_role_given_back_by_hand_is_written_down(world: World, state: GrantState) -> None:
    world.note("ada", "Gold", state)
    assert seen(world) == [(AuditAction.HOLD_AGAIN, Discovery.GIVEN_BACK)]


def test_a_role_that_went_with_its_deletion_is_written_down(world: World) -> None:
    assert seen(world, has_role=False) == [(AuditAction.FORGET, Discovery.ROLE_DELETED)]


@pytest.mark.parametrize("hand_edits", HandEdits)
def test_a_return_is_no_hand_edit(world: World, hand_edits: HandEdits) -> None:
    world.settings = replace(world.settings, hand_edits=hand_edits)
    world.join("ada")
    assert seen(world) == []


@pytest.mark.parametrize("state", [GrantState.GRANTING, GrantState.REVOKING, GrantState.WITHDRAWING])
def test_our_own_writes_have_rows_of_their_own(world: World, state: GrantState) -> None:
    world.settings = replace(world.settings, hand_edits=HandEdits.ENFORCE)
    world.note("ada", "Gold", state)
    world.take("ada", "Gold")
    assert seen(world) == []


def test_a_write_that_we_were_cut_off_from_is_written_down_and_counts_in_doubt(world: World) -> None:
    def rows(state: GrantState, *, has_unlinked: bool = False) -> list[tuple[AuditAction, bool]]:
        world.note("ada", "Gold", state)
        person = replace(world.people["ada"], has_unlinked=has_unlinked)
        entries = found_entries(world.facts(), person, person.grants.values())
        assert all((one.reason, one.trigger, one.outcome) == (OURS, Trigger.SEEN, Outcome.DONE) for one in entries)
        return [(entry.action, entry.is_counted) for entry in entries]

    assert rows(GrantState.GRANTING) == [(AuditAction.GRANT, False)]
    assert rows(GrantState.REVOKING) == [(AuditAction.REVOKE, True)]
    assert rows(GrantState.WITHDRAWING) == [(AuditAction.REVOKE, False)], "no brake counts an undo"
    assert rows(GrantState.REVOKING, has_unlinked=True) == [(AuditAction.REVOKE, False)]
    world.drop_rule("Gold")
    assert rows(GrantState.REVOKING) == [(AuditAction.REVOKE, False)], "an admin took the rule away"


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.UNKNOWN])
def test_a_change_is_written_down_with_who_which_role_why_which_trigger_and_which_read(
    world: World, outcome: Outcome
) -> None:
    decision = Decision(role_id=ROLE["Gold"], action=Action.REVOKE, claim=Claim(role_id=ROLE["Gold"], wanted=Wanted.NO))
    change = RoleChange(decision=decision, outcome=outcome, read_id=ReadId(7), is_counted=True)
    at = NEW_YEAR + timedelta(hours=1)
    (entry,) = change_entries(world.facts(), DiscordUserId(11), [change], at=at, trigger=Trigger.WEBHOOK)
    assert (entry.at, entry.guild_id, entry.discord_user_id, entry.role_id) == (at, GUILD, 11, ROLE["Gold"])
    assert (entry.action, entry.outcome) == (AuditAction.REVOKE, outcome)
    assert (entry.trigger, entry.read_id, entry.is_counted) == (Trigger.WEBHOOK, 7, True)
    assert entry.reason == RoleReason(role="Gold", action=Action.REVOKE, wanted=Wanted.NO)


def test_rows_that_go_with_their_role_are_written_down_person_by_person(world: World) -> None:
    world.holder("ben")
    grants = [grant for person in world.people.values() for grant in person.grants.values()]
    entries = gone_entries(grants, at=world.now, trigger=Trigger.ROLE_DELETED)
    assert [(entry.discord_user_id, entry.trigger) for entry in entries] == [
        (1000, Trigger.ROLE_DELETED),
        (1001, Trigger.ROLE_DELETED),
    ]
