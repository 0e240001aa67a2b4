"""What one person is told of their roles after a turn."""

from typing import Any

import pytest

from bot.domain import role_news
from bot.domain.assignable import Block
from bot.domain.plan import Action, Decision
from bot.domain.reasons import RoleReason, Status
from bot.domain.role_news import RoleNews, RoleStatus, gather_news
from bot.domain.rules import Claim, Wanted
from tests.fakes.world import ROLE, World

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
