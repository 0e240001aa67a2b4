"""Without the privileged members intent: Discord tells of nobody, so the bot asks for the people it follows."""

from collections.abc import AsyncIterator

import pytest

from sandbox.main import Options
from tests.fakes.stage import ADMIN, Stage


@pytest.fixture
async def unseeing() -> AsyncIterator[Stage]:
    stage = Stage(Options(interval=1))
    stage.sandbox.world.discord.intents_allowed.clear()
    async with stage:
        yield stage


async def test_roles_follow_pledges_and_people_though_no_member_event_comes(unseeing: Stage) -> None:
    stage, discord = unseeing, unseeing.sandbox.discord
    hazel, saga = stage.user_id("hazel.hollow"), stage.patron_id("Saga Mirren")
    await stage.add_rule(role="Silver", tier="Silver")
    await stage.add_rule(role="Gold", tier="Gold")
    await stage.link("hazel.hollow", "Saga Mirren")
    await stage.until(lambda: "Silver" in stage.roles("hazel.hollow"), "the role of the link")

    stage.sandbox.patreon.change_tier(saga, stage.tier_id("Gold"))
    await stage.until(lambda: stage.roles("hazel.hollow") & {"Silver", "Gold"} == {"Gold"}, "the upgrade")
    await stage.until_held("Gold", "hazel.hollow")  # a look showed it
    discord.take_role(hazel, stage.role_id("Gold"))
    await stage.until_said("removed it manually", ADMIN, "patreon why", user=hazel)
    await stage.rounds(2)
    assert "Gold" not in stage.roles("hazel.hollow")

    discord.give_role(hazel, stage.role_id("Gold"))
    await stage.until_held("Gold", "hazel.hollow")
    discord.leave(hazel)
    await stage.rounds(2)
    discord.join(hazel)
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role after the return")

    discord.give_role(stage.user_id("ivy_afterdark"), stage.role_id("Gold"))  # a person's own, before any pledge
    await stage.link("ivy_afterdark", "Goldie Marsh")
    await stage.rounds(2)
    stage.sandbox.patreon.refund(stage.patron_id("Goldie Marsh"))
    stage.sandbox.patreon.refund(saga)
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "ours is taken")
    assert "Gold" in stage.roles("ivy_afterdark")
    assert [call.path for call in discord.calls if call.method == "GET" and "/members" in call.path] == []
