"""What one person is told of their roles after a turn."""

import pytest

from bot.domain.assignable import Block
from bot.domain.consent import RoleStatus
from bot.sync.applying.news import gather_news
from tests.fakes.world import GUILD, World


def told(world: World) -> dict[str, tuple[RoleStatus, str]]:
    news = gather_news(world.plan_of("ada"), world.names(), guild_id=GUILD, guild_name="Hollow", written=())
    return {one.role_name: (one.status, one.why) for one in news}


@pytest.fixture
def world() -> World:
    """Return a world in which Patreon has said nothing of ada yet."""
    world = World()
    world.stranger("ada")
    world.link("ada")
    return world


def test_what_nothing_proves_yet_is_said_so(world: World) -> None:
    status, why = told(world)["Gold"]
    assert status == "missing"
    assert why.endswith("; I haven't been able to check your membership of Moth Tales yet (not read yet)")


def test_what_a_person_gave_stays_whatever_is_earned(world: World) -> None:
    world.give("ada", "Gold")
    assert told(world)["Gold"] == ("kept", "a person gave it to you")
    world.read("ada", tiers=("Bronze",))
    assert told(world)["Gold"] == ("kept", "a person gave it to you")
    assert told(world)["Supporter"][0] == "waiting"


def test_a_role_out_of_reach_is_the_teams_to_mend(world: World) -> None:
    world.read("ada")
    world.block("Gold", Block.ABOVE_BOT)
    status, why = told(world)["Gold"]
    assert status == "missing"
    assert why == "I can't change this role because of how this server is set up; let this server's team know"
