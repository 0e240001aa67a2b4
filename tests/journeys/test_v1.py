"""What Patreon's API v1 can do, once more on v1."""

from collections.abc import AsyncIterator

import pytest

from sandbox.main import Options
from tests.fakes.stage import Stage


@pytest.fixture
async def stage_v1() -> AsyncIterator[Stage]:
    async with Stage(Options(interval=1, env={"PATREON_API_VERSION": "v1"})) as stage:
        yield stage


async def test_on_v1_a_patron_links_upgrades_and_keeps_the_role_in_grace(stage_v1: Stage) -> None:
    stage = stage_v1
    await stage.add_rule(role="Silver", tier="Silver")
    await stage.add_rule(role="Gold", tier="Gold")
    assert (await stage.link("hazel.hollow", "Saga Mirren")).result == "linked"
    await stage.until(lambda: "Silver" in stage.roles("hazel.hollow"), "the role")
    saga = stage.patron_id("Saga Mirren")
    stage.sandbox.patreon.change_tier(saga, stage.tier_id("Gold"))
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the dearer role")
    await stage.until(lambda: "Silver" not in stage.roles("hazel.hollow"), "the cheaper one goes")
    stage.sandbox.patreon.cancel(saga)  # v1 drops a cancelled pledge at once
    await stage.rounds(3)
    assert "Gold" in stage.roles("hazel.hollow")


async def test_on_v1_a_read_that_breaks_takes_nothing(stage_v1: Stage) -> None:
    stage = stage_v1
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    stage.weather("patreon", "/pledges", "502")
    await stage.rounds(2)
    assert "Gold" in stage.roles("hazel.hollow")
