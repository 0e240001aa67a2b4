import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.model import DiscordUserId, Mode, PatronStatus, RoleId
from bot.roles.plan import CHANGES, Action, Decision, PersonPlan
from bot.roles.policy import rein_in
from bot.roles.rules import Claim, Wanted
from tests.fakes.world import Changes, World, changes


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
def test_a_row_that_means_nothing_any_more_is_forgotten_in_every_mode(mode: Mode) -> None:
    world = World()
    world.holder("ada")
    world.take("ada", "Gold", "Supporter")
    world.read("ada", patron_status=PatronStatus.FORMER, tiers=())
    world.settings = replace(world.settings, mode=mode)
    assert world.plan("ada") == changes(forget=["Gold", "Supporter"], none=["Bronze"])


@given(actions=st.lists(st.sampled_from(Action)), mode=st.sampled_from(Mode))
def test_a_rail_never_adds_a_change_and_leaves_all_else_alone(actions: list[Action], mode: Mode) -> None:
    decisions = tuple(
        Decision(role_id=RoleId(number), action=action, claim=Claim(role_id=RoleId(number), wanted=Wanted.NO))
        for number, action in enumerate(actions)
    )
    plan = PersonPlan(discord_user_id=DiscordUserId(1), decisions=decisions)
    reined = rein_in(plan, replace(World().settings, mode=mode))
    for before, after in zip(plan.decisions, reined.decisions, strict=True):
        assert after == before or (before.action in CHANGES and after == replace(before, action=Action.HELD_BACK))
    assert replace(reined, decisions=decisions) == plan
