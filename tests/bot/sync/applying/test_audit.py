from collections.abc import Container
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.ledger import settle
from bot.domain.model import DiscordUserId, GrantState, HandEdits, ReadId, RoleId
from bot.domain.plan import Action, Decision
from bot.domain.rules import Claim, Wanted
from bot.sync.applying.audit import Deed, deed_entries, found_entries, gone_entries, seen_entries
from tests.fakes.world import GUILD, NEW_YEAR, ROLE, ROLE_NAME, World


@pytest.fixture
def world() -> World:
    """Return a world in which ada holds Gold by us, and nothing else."""
    world = World()
    world.drop_rule("Bronze")
    world.drop_rule("Supporter")
    world.holder("ada")
    return world


def seen(world: World, *, existing: Container[RoleId] = ROLE_NAME) -> list[tuple[str, str]]:
    """Return what a look at ada would write down."""
    person, guild = world.people["ada"], world.facts()
    hand_edits = world.settings.hand_edits
    found = settle(person.grants.values(), person.seat, hand_edits=hand_edits, now=guild.now, existing=existing)
    entries = seen_entries(guild, person, found, existing=existing)
    assert all((entry.at, entry.guild_id, entry.role_id) == (world.now, GUILD, ROLE["Gold"]) for entry in entries)
    return [(entry.action, entry.reason) for entry in entries]


def test_a_look_that_shows_no_news_is_not_written_down(world: World) -> None:
    assert seen(world) == []


def test_a_hand_edit_is_written_down(world: World) -> None:
    world.take("ada", "Gold")
    assert seen(world) == [("suppress", "somebody took it away by hand; it stays away")]


@pytest.mark.parametrize("state", [GrantState.HELD, GrantState.SUPPRESSED])
def test_a_hand_edit_that_is_not_respected_is_written_down(world: World, state: GrantState) -> None:
    world.settings = replace(world.settings, hand_edits=HandEdits.ENFORCE)
    world.note("ada", "Gold", state)
    world.take("ada", "Gold")
    ((action, reason),) = seen(world)
    assert action == "forget"
    assert "given again while earned" in reason


def test_a_role_given_back_by_hand_is_written_down(world: World) -> None:
    world.note("ada", "Gold", GrantState.SUPPRESSED)
    assert seen(world) == [("hold again", "somebody gave it back by hand")]


def test_a_role_that_went_with_its_deletion_is_written_down(world: World) -> None:
    assert seen(world, existing=()) == [("forget", "the role was deleted")]


@pytest.mark.parametrize("hand_edits", HandEdits)
def test_a_return_is_no_hand_edit(world: World, hand_edits: HandEdits) -> None:
    world.settings = replace(world.settings, hand_edits=hand_edits)
    world.join("ada")
    assert seen(world) == []


@pytest.mark.parametrize("state", [GrantState.GRANTING, GrantState.REVOKING])
def test_our_own_writes_have_rows_of_their_own(world: World, state: GrantState) -> None:
    world.settings = replace(world.settings, hand_edits=HandEdits.ENFORCE)
    world.note("ada", "Gold", state)
    world.take("ada", "Gold")
    assert seen(world) == []


def test_a_write_that_we_were_cut_off_from_is_written_down_and_counts_in_doubt(world: World) -> None:
    def rows(state: GrantState, *, has_unlinked: bool = False) -> list[tuple[str, bool]]:
        world.note("ada", "Gold", state)
        person = replace(world.people["ada"], has_unlinked=has_unlinked)
        entries = found_entries(world.facts(), person, person.grants.values())
        assert all("looked again" in entry.reason and entry.trigger == "seen on Discord" for entry in entries)
        return [(entry.action, entry.is_counted) for entry in entries]

    assert rows(GrantState.GRANTING) == [("grant done", False)]
    assert rows(GrantState.REVOKING) == [("revoke done", True)]
    assert rows(GrantState.REVOKING, has_unlinked=True) == [("revoke done", False)]
    world.drop_rule("Gold")
    assert rows(GrantState.REVOKING) == [("revoke done", False)], "an admin took the rule away"


def test_a_deed_is_written_down_with_who_which_role_why_which_trigger_and_which_read(world: World) -> None:
    decision = Decision(role_id=ROLE["Gold"], action=Action.REVOKE, claim=Claim(role_id=ROLE["Gold"], wanted=Wanted.NO))
    deed = Deed(decision=decision, outcome="done", read_id=ReadId(7), is_counted=True)
    at = NEW_YEAR + timedelta(hours=1)
    (entry,) = deed_entries(GUILD, DiscordUserId(11), [deed], at=at, names=world.names(), trigger="webhook")
    assert (entry.at, entry.guild_id, entry.discord_user_id, entry.role_id) == (at, GUILD, 11, ROLE["Gold"])
    assert (entry.action, entry.trigger, entry.read_id, entry.is_counted) == ("revoke done", "webhook", 7, True)
    assert entry.reason == "**Gold**: taken away, no rule names it any more"
    (tried,) = deed_entries(
        GUILD, DiscordUserId(11), [replace(deed, outcome="unknown")], at=at, names=world.names(), trigger="x"
    )
    assert tried.reason == "**Gold**: to be removed, no rule names it any more"


def test_rows_that_go_with_their_role_are_written_down_person_by_person(world: World) -> None:
    world.holder("ben")
    grants = [grant for person in world.people.values() for grant in person.grants.values()]
    entries = gone_entries(grants, at=world.now, trigger="role deleted")
    assert [(entry.discord_user_id, entry.trigger) for entry in entries] == [
        (1000, "role deleted"),
        (1001, "role deleted"),
    ]
