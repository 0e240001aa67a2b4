"""Patreon fails or lies: nobody loses a role, and the bot comes back by itself."""

from datetime import timedelta

import pytest

from sandbox.patreon import api_v2
from tests.fakes.stage import Stage

MEMBERS = "/members"


@pytest.fixture
async def linked(stage: Stage) -> Stage:
    """Two linked patrons with their roles."""
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.link("ivy_afterdark", "Goldie Marsh")
    await stage.until(lambda: _both_have_it(stage), "both roles")
    return stage


def _both_have_it(stage: Stage) -> bool:
    return "Gold" in stage.roles("hazel.hollow") and "Gold" in stage.roles("ivy_afterdark")


async def test_a_read_that_breaks_on_page_three_of_five_takes_nothing(
    linked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", 7)
    await linked.rounds(2)
    for fault in ("502", "html", "cut", "empty", "repeat_page", "wrong_total"):
        linked.sandbox.weather.clear()
        linked.weather("patreon", MEMBERS, fault, after=2)
        await linked.rounds(3)
        assert _both_have_it(linked), fault


async def test_a_whole_list_that_lies_takes_nothing_and_the_admin_hears_of_it(linked: Stage) -> None:
    for fault in ("null_users", "no_tiers", "empty"):
        linked.weather("patreon", MEMBERS, fault)
        await linked.rounds(4)
        assert _both_have_it(linked), fault
        said = await linked.say("ash.keeper", "patreon sync")
        assert "looks wrong" in said or "couldn't read" in said or "incomplete" in said, fault
        linked.sandbox.weather.clear()
        await linked.rounds(2)
        assert _both_have_it(linked), fault
        said = await linked.say("ash.keeper", "patreon sync")
        assert "looks wrong" not in said, f"it looks well again after {fault}"


async def test_patreon_down_for_ten_runs_takes_nothing_and_the_bot_recovers_by_itself(linked: Stage) -> None:
    linked.weather("patreon", MEMBERS, "404")  # an answer that is not tried again within a run
    await linked.rounds(10)
    assert _both_have_it(linked)
    assert (await linked.health())["http"] == 503
    linked.sandbox.weather.clear()
    linked.sandbox.patreon.change_tier(linked.patron_id("Goldie Marsh"), linked.tier_id("Bronze"))
    await linked.until(lambda: "Gold" not in linked.roles("ivy_afterdark"), "facts count again", 40)
    assert "Gold" in linked.roles("hazel.hollow")
    await linked.ready()


async def test_large_pages_that_fail_where_smaller_ones_work_are_read_smaller_for_a_day(stage: Stage) -> None:
    stage.weather("patreon", MEMBERS, "504", above=200)
    await stage.add_rule()
    await stage.rounds(2)
    _sizes(stage)
    await stage.rounds(2)
    assert set(_sizes(stage)) == {200}
    await stage.until(lambda: "Gold" in stage.roles("kestrel_kite"), "read in full: the role by Patreon's own report")
    await stage.sandbox.bot.stop()
    _sizes(stage)
    await stage.restart()
    await stage.rounds(2)
    assert set(_sizes(stage)) == {200}, "the size survives a restart"
    stage.sandbox.weather.clear()
    await stage.move(timedelta(hours=25))
    await stage.rounds(2)
    assert _sizes(stage)[-1] == 1000, "the large one is tried again the next day"


def _sizes(stage: Stage) -> list[int | None]:
    """Return which sizes the member list was asked for in since this was asked last."""
    calls = [call.rows for call in stage.sandbox.patreon.calls if call.route.endswith("/members")]
    stage.sandbox.patreon.calls.clear()
    return calls
