"""What one person is told of their roles after a turn."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain import role_news
from bot.domain.assignable import Block
from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import DiscordUserId, Grant, GrantState, RoleId
from bot.domain.plan import Action, Decision
from bot.domain.reasons import OldText, RoleReason, Status
from bot.domain.role_news import RoleNews, RoleStatus, gather_news, stored_news
from bot.domain.rules import Claim, Wanted
from tests.fakes.world import GUILD, ROLE, World

GOLD = Claim(role_id=ROLE["Gold"], wanted=Wanted.YES)


def told(world: World, *written: str) -> dict[str, RoleNews]:
    roles = [ROLE[role] for role in written]
    return {
        one.role_name: one
        for one in gather_news(world.plan_of("ada"), world.facts(), guild_name="Hollow", written=roles)
    }


def reason(news: RoleNews) -> RoleReason:
    assert isinstance(news.reason, RoleReason)
    return news.reason


@pytest.fixture
def world() -> World:
    """Return a world in which Patreon has said nothing of ada yet."""
    world = World()
    world.stranger("ada")
    world.link("ada")
    return world


def test_what_nothing_proves_yet_is_said_so(world: World) -> None:
    news = told(world)["Gold"]
    assert news.status is RoleStatus.MISSING
    assert news.guild_name == "Hollow"
    patron = reason(news).patron
    assert patron is not None
    assert patron.status is Status.UNREAD


def test_what_a_person_gave_stays_whatever_is_earned(world: World) -> None:
    world.give("ada", "Gold")
    assert told(world)["Gold"].status is RoleStatus.KEPT
    assert reason(told(world)["Gold"]).has_role
    world.read("ada", tiers=("Bronze",))
    assert told(world)["Gold"].status is RoleStatus.KEPT
    assert told(world)["Supporter"].status is RoleStatus.WAITING


def test_a_role_out_of_reach_is_missing_with_its_block(world: World) -> None:
    world.read("ada")
    world.block("Gold", Block.ABOVE_BOT)
    news = told(world)["Gold"]
    assert (news.status, reason(news).block) == (RoleStatus.MISSING, Block.ABOVE_BOT)


def test_what_this_turn_wrote_was_given_or_removed(world: World) -> None:
    world.read("ada")
    assert told(world, "Gold")["Gold"].status is RoleStatus.WAITING, "not seen yet"
    world.apply("ada")
    assert told(world, "Gold")["Gold"].status is RoleStatus.GIVEN
    assert told(world)["Gold"].status is RoleStatus.KEPT
    world.read("ada", tiers=("Bronze",))
    assert told(world)["Gold"].status is RoleStatus.STAYS
    world.apply("ada")
    assert told(world, "Gold")["Gold"].status is RoleStatus.REMOVED


def test_who_left_the_server_is_told_nothing(world: World) -> None:
    world.leave("ada")
    assert told(world) == {}
    assert {one.action for one in world.plan_of("ada").decisions} == {Action.AWAY}


def test_a_role_that_somebody_took_away_is_missing(world: World) -> None:
    world.read("ada")
    world.apply("ada")
    world.look("ada")
    world.take("ada", "Gold")
    world.look("ada")
    assert told(world)["Gold"].status is RoleStatus.MISSING


def test_an_action_that_nobody_wrote_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        role_news._standing_status(Decision(role_id=ROLE["Gold"], action=unheard, claim=GOLD))


# --- from what is stored


NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
GRANT, REVOKE = AuditAction.GRANT, AuditAction.REVOKE
LONG_AGO = timedelta(hours=1)


def written(
    action: AuditAction, outcome: Outcome | None = Outcome.DONE, *, ago: timedelta = timedelta(seconds=1), role: int = 7
) -> AuditEntry:
    why = RoleReason(
        role="Gold", action=Action.GRANT if action is GRANT else Action.REVOKE, wanted=Wanted.YES, has_role=False
    )
    return AuditEntry(
        at=NOW - ago,
        guild_id=GUILD,
        role_id=RoleId(role),
        action=action,
        outcome=outcome,
        reason=why,
        trigger=Trigger.LINK,
    )


def row(state: GrantState) -> Grant:
    return Grant(guild_id=GUILD, discord_user_id=DiscordUserId(1), role_id=RoleId(7), state=state, since=NOW)


@pytest.mark.parametrize(
    ("state", "entry", "status"),
    [
        (GrantState.HELD, written(GRANT), RoleStatus.GIVEN),
        (GrantState.HELD, written(GRANT, ago=LONG_AGO), RoleStatus.KEPT),
        (GrantState.HELD, written(REVOKE, Outcome.REFUSED), RoleStatus.KEPT),
        (GrantState.GRANTING, written(GRANT), RoleStatus.GIVEN),
        (GrantState.GRANTING, written(GRANT, Outcome.UNKNOWN), RoleStatus.WAITING),
        (GrantState.GRANTING, written(GRANT, ago=LONG_AGO), RoleStatus.WAITING),
        (GrantState.GRANTING, written(REVOKE), RoleStatus.WAITING),
        (GrantState.REVOKING, written(REVOKE), RoleStatus.REMOVED),
        (GrantState.REVOKING, written(REVOKE, Outcome.UNKNOWN), RoleStatus.STAYS),
        (GrantState.REVOKING, written(REVOKE, ago=LONG_AGO), RoleStatus.STAYS),
        (GrantState.REVOKING, written(GRANT), RoleStatus.STAYS),
        (GrantState.SUPPRESSED, written(GRANT), RoleStatus.MISSING),
        (GrantState.WITHDRAWING, written(GRANT), RoleStatus.STAYS),
        (GrantState.WITHDRAWN, written(REVOKE), RoleStatus.MISSING),
        (None, written(REVOKE), RoleStatus.REMOVED),
        (None, written(GRANT, Outcome.REFUSED), RoleStatus.WAITING),
        (None, written(REVOKE, Outcome.GONE), None),
        (None, written(GRANT), None),
        (None, written(REVOKE, ago=LONG_AGO), None),
        (None, written(GRANT, Outcome.REFUSED, ago=LONG_AGO), None),
    ],
)
def test_how_a_role_stands_where_another_process_shows_the_server(
    state: GrantState | None, entry: AuditEntry, status: RoleStatus | None
) -> None:
    grants = {} if state is None else {RoleId(7): row(state)}
    told = stored_news(GUILD, grants, [entry], guild_name="Hollow", now=NOW)
    assert [one.status for one in told] == ([] if status is None else [status])
    assert [(one.role_name, one.guild_name) for one in told] == [("Gold", "Hollow")] * len(told)


def test_the_newest_write_of_each_role_counts_and_what_has_no_reason_is_left_out() -> None:
    grants = {RoleId(7): row(GrantState.HELD)}
    seen = replace(written(GRANT), action=AuditAction.HOLD_AGAIN)
    old_text = replace(written(GRANT, role=8), reason=OldText("why"))
    of_no_role = replace(written(GRANT), role_id=None)
    entries = [seen, old_text, of_no_role, written(GRANT), written(GRANT, Outcome.REFUSED, role=9), written(REVOKE)]
    given, waiting = stored_news(GUILD, grants, entries, guild_name="Hollow", now=NOW)
    assert (given.status, waiting.status) == (RoleStatus.GIVEN, RoleStatus.WAITING)
    assert reason(given).action is Action.KEEP
    assert reason(waiting).action is Action.GRANT


def test_a_state_that_nobody_thought_of_is_an_error() -> None:
    with pytest.raises(AssertionError):
        role_news._stored_status("lost", written(GRANT), is_fresh=True)  # type: ignore[arg-type]
