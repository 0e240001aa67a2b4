"""Discord refuses, does not know, bans, loses: what stops, what goes on, and how few calls it costs."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest

from sandbox.discord.ratelimits import Limit
from sandbox.main import Options
from tests.fakes.stage import ADMIN, Stage

CROWD = tuple(f"crowd.{number:02}" for number in range(8))
REFUSED = {401, 403, 429}
MOST_REFUSED, WINDOW_SECONDS = 10_000, 600  # beyond, the address is blocked (discord-api-docs, Rate Limits)


@pytest.fixture
async def crowded() -> AsyncIterator[Stage]:
    """Patrons whom Patreon names and a log channel; no rule yet."""
    stage = Stage(Options(interval=1))
    for username in CROWD:
        stage.add_named_patron(username)
    stage.sandbox.discord.limits.limits["role_writes"] = Limit(20, 1.0)
    async with stage:
        await stage.choose_log_channel()
        yield stage


async def test_a_refused_role_costs_one_call_and_one_message_until_the_roles_change(crowded: Stage) -> None:
    stage = crowded
    gold = stage.role_id("Gold")
    stage.weather("discord", f"/roles/{gold}", "missing_permission")
    await stage.add_rule("Gold")
    await stage.add_rule("Bronze", tier=None, kind="paying")
    await stage.until(lambda: _holders(stage, "Bronze") == set(CROWD), "the other role", 40)
    await stage.until(lambda: stage.logged("I can't change the role **Gold**"), "the admin is told")
    await stage.rounds(3)
    assert _statuses(stage, "Gold") == [403], "of all who want it one was tried"
    assert _holders(stage, "Gold") == set()
    assert stage.logged("I can't change the role **Gold**") == 1, "once"
    assert stage.logged("Check that I have the Manage Roles permission") == 1, "with the cure"

    stage.sandbox.discord.edit_role(stage.role_id("Silver"), name="Sterling")  # the roles change, the refusal stays
    await stage.until(lambda: len(_statuses(stage, "Gold")) == 2, "one more try")
    await stage.rounds(3)
    assert _statuses(stage, "Gold") == [403, 403]

    stage.sandbox.weather.clear()
    stage.sandbox.discord.move_role(gold, 2)
    await stage.until(lambda: _holders(stage, "Gold") == set(CROWD), "the breaker closes", 40)
    await stage.until(lambda: stage.logged("I can change the role **Gold** again"), "and the admin is told")
    assert _statuses(stage, "Gold").count(403) == 2
    await _unknown_members_and_roles_are_facts(stage)


async def _unknown_members_and_roles_are_facts(stage: Stage) -> None:
    """10007 and 10013 concern one person, 10011 one role: nobody else waits, and nothing is asked over and over."""
    stage.sandbox.discord.calls.clear()
    lost, odd = CROWD[0], CROWD[1]
    stage.weather("discord", f"/members/{stage.user_id(lost)}/roles/", "10007")
    stage.weather("discord", f"/members/{stage.user_id(odd)}/roles/", "10013")
    await stage.add_rule("Sterling", "Gold")
    others = set(CROWD) - {lost, odd}
    await stage.until(lambda: others <= _holders(stage, "Sterling"), "all the others", 40)
    await stage.until(lambda: _tries(stage, lost) and _tries(stage, odd), "and these are tried")
    await stage.rounds(6)
    for one in (lost, odd):
        assert all(pause > 8 for pause in _pauses(stage, one, "Sterling")), "no retry storm: looked at after 10 seconds"
    assert stage.logged("I can't change the role **Sterling**") == 0, "a fact, no trouble"
    assert (await stage.health())["http"] == 200

    stage.sandbox.weather.clear()  # if Discord was wrong about them, a later look finds it out
    await stage.move(timedelta(seconds=15))
    await stage.until(lambda: _holders(stage, "Sterling") == set(CROWD), "they were there all the time")

    stage.sandbox.discord.calls.clear()
    stage.weather("discord", f"/roles/{stage.role_id('Regular')}", "10011")
    await stage.add_rule("Regular", "Gold")
    await stage.until(lambda: _statuses(stage, "Regular"), "it is tried")
    await stage.rounds(3)
    assert _statuses(stage, "Regular") == [404], "no retry storm"
    stage.sandbox.weather.clear()
    stage.sandbox.discord.edit_role(stage.role_id("Regular"), name="Faithful")
    await stage.until(lambda: _holders(stage, "Faithful") >= set(CROWD), "the role is known again", 40)


async def test_a_ban_stops_all_writes_is_told_of_and_ends_by_itself(crowded: Stage) -> None:
    stage = crowded
    stage.weather("discord", "/roles/", "ban")
    await stage.add_rule("Gold")
    await stage.until(lambda: stage.role_writes, "the first write")
    assert (await stage.link("hazel.hollow", "Gerda Nilsson")).result == "linked", "no page hangs on it"
    await stage.rounds(4)
    assert [write.status for write in stage.role_writes] == [429], "one call, for all who wait"
    await stage.until(
        lambda: stage.logged("Discord isn't letting me change any roles right now") == 1, "the admin is told"
    )

    await stage.move(timedelta(minutes=2))
    await stage.until(lambda: len(stage.role_writes) == 2, "after a while one call is tried")
    await stage.rounds(2)
    assert [write.status for write in stage.role_writes] == [429, 429]
    assert stage.logged("Discord isn't letting me change any roles right now") == 1, "once"

    stage.sandbox.weather.clear()
    await stage.rounds(2)
    assert len(stage.role_writes) == 2, "it still rests"
    await stage.move(timedelta(minutes=5))
    await stage.until(lambda: _holders(stage, "Gold") == {*CROWD, "hazel.hollow"}, "all go on where they were", 40)
    await stage.until(lambda: stage.logged("Discord lets me change roles again") == 1, "the admin is told of the end")
    await _lost_writes_are_repaired(stage)


async def _lost_writes_are_repaired(stage: Stage) -> None:
    """204, and nothing happened: seen at the next look, for a role that is given and for one that is taken."""
    await stage.until_held("Gold", "hazel.hollow")
    stage.sandbox.discord.calls.clear()
    hers = f"/members/{stage.user_id('hazel.hollow')}/roles/*"
    stage.weather("discord", f"DELETE*{hers}", "write_lost", times=1)
    stage.weather("discord", f"PUT*{hers}", "write_lost", times=1)
    stage.sandbox.patreon.change_tier(stage.patron_id("Gerda Nilsson"), stage.tier_id("Bronze"))
    stage.sandbox.patreon.change_tier(stage.patron_id("Goldie Marsh"), stage.tier_id("Bronze"))
    await stage.add_rule("Bronze", "Bronze")
    await stage.until(lambda: not stage.sandbox.weather.faults, "both are lost")
    await stage.move(timedelta(seconds=15))
    await stage.until(lambda: stage.roles("hazel.hollow") & {"Gold", "Bronze"} == {"Bronze"}, "and done again")
    written = Counter(write.method for write in stage.role_writes if write.username == "hazel.hollow")
    assert written >= Counter(PUT=2, DELETE=2)


async def test_commands_that_discord_takes_hours_later_keep_nobody_waiting(stage: Stage) -> None:
    application = stage.sandbox.world.discord.application
    old = next(iter(application.commands.values()))
    old["version"] = "1"  # an older program registered other ones
    await stage.sandbox.bot.stop()
    stage.weather("discord", "PUT*/commands", "limited_for_hours")
    await stage.restart()
    await stage.until_noted("commands_pending")
    await stage.add_rule("Gold")
    assert (await stage.link("hazel.hollow", "Gerda Nilsson")).result == "linked"
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "roles follow meanwhile")
    stage.sandbox.weather.clear()
    await stage.rounds(2)
    assert old in application.commands.values(), "nothing is asked before Discord said"
    await stage.move(timedelta(hours=5, minutes=1))
    await stage.until(lambda: old not in application.commands.values(), "then they are registered")
    await stage.until_noted()


async def test_a_server_that_asks_the_owner_for_two_factor_authentication_is_tried_once_a_round(
    crowded: Stage,
) -> None:
    stage = crowded
    stage.sandbox.discord.set_2fa(is_required=True, owner_has_it=False)
    await stage.add_rule("Gold")
    await stage.add_rule("Bronze", tier=None, kind="paying")
    await stage.until(lambda: stage.logged("requires two-factor authentication") == 1, "the admin is told exactly that")
    before, began = len(stage.role_writes), time.monotonic()
    await stage.until(lambda: len(stage.role_writes) >= before + 3, "and is tried again")
    await stage.rounds(2)
    tries = stage.role_writes[before:]
    assert len(tries) <= time.monotonic() - began + 2, "one try in each interval of a second"
    assert {write.status for write in stage.role_writes} == {403}
    assert stage.logged("requires two-factor authentication") == 1, "once"
    assert stage.logged("I can't change the role") == 0, "no role is to blame"
    health = await stage.health()
    assert (health["http"], health["notes"]) == (200, ["owner_needs_2fa"])
    # While it is tried, `why` says that it is.
    await stage.until_said("two-factor authentication", ADMIN, "patreon why", user=stage.user_id(CROWD[0]))

    stage.sandbox.discord.set_2fa(is_required=True, owner_has_it=True)  # no event tells of it
    await stage.until(lambda: _holders(stage, "Gold") == _holders(stage, "Bronze") == set(CROWD), "all have both", 40)
    await stage.until(lambda: stage.logged("I can change roles here again") == 1, "the admin is told of the end")
    await stage.until_noted()


async def test_a_write_that_discord_refuses_without_a_reason_holds_nobody_else_up(crowded: Stage) -> None:
    stage = crowded
    odd, others = CROWD[0], set(CROWD[1:])
    stage.weather("discord", f"/members/{stage.user_id(odd)}/roles/", "50035")
    await stage.add_rule("Gold")
    await stage.until(lambda: _holders(stage, "Gold") >= others and _tries(stage, odd) == 3, "all the others")
    asked = [write.username for write in stage.role_writes]
    assert asked[: asked.index(odd) + len(CROWD)].count(odd) == 1, "nobody waits for it"
    await stage.until(lambda: stage.logged("Discord keeps refusing") == 1, "the admin is told after the third")
    stage.sandbox.weather.clear()
    await stage.until(lambda: "Gold" in stage.roles(odd), "and they get it in the end", 90)
    await stage.until(lambda: stage.logged("again") == 1, "and of its end")
    pauses = zip(_pauses(stage, odd, "Gold"), (5, 10, 20, 40), strict=False)
    assert all(pause >= least for pause, least in pauses), "no round asks earlier"


async def test_in_the_worst_weather_refused_calls_stay_far_from_the_block(crowded: Stage) -> None:
    stage = crowded
    stage.weather("discord", "PUT*/roles/*", "write_lost")  # so that there is work to do at every look
    await stage.add_rule("Gold")
    await stage.until(lambda: len(stage.role_writes) >= len(CROWD), "work to do")
    struck: set[int] = set()
    for number, fault in enumerate(("401", "429", "ban", "403", "503")):
        stage.sandbox.weather.clear()
        stage.weather("discord", "/", fault)
        stage.sandbox.discord.calls.clear()
        began = time.monotonic()
        await stage.move(timedelta(minutes=20))  # whatever rests goes on
        stage.sandbox.discord.edit_role(stage.role_id("Regular"), colour=number)
        await stage.until(
            lambda: any(call.status in {*REFUSED, 503} for call in stage.sandbox.discord.calls), f"at work in {fault}"
        )
        await stage.rounds(2)
        calls = [call.status for call in stage.sandbox.discord.calls]
        a_window = WINDOW_SECONDS / (time.monotonic() - began)
        assert sum(status in REFUSED for status in calls) * a_window < MOST_REFUSED / 4, (fault, calls)
        assert len(calls) < 3 * len(CROWD), f"{fault}: no storm"
        struck.update(calls)
    assert struck >= {*REFUSED, 503}, "the bot was at work in each of them"
    stage.sandbox.weather.clear()
    await stage.move(timedelta(minutes=20))
    stage.sandbox.discord.edit_role(stage.role_id("Regular"), colour=9)
    await stage.until(lambda: _holders(stage, "Gold") == set(CROWD), "fair weather", 60)


def _holders(stage: Stage, role: str) -> set[str]:
    return {name for name in (*CROWD, "hazel.hollow") if role in stage.roles(name)}


def _statuses(stage: Stage, role: str) -> list[int]:
    return [write.status for write in stage.role_writes if write.role == role]


def _pauses(stage: Stage, username: str, role: str) -> list[float]:
    """Return how many seconds there were between two writes of somebody's role."""
    one = stage.user_id(username), stage.role_id(role)
    began = [write.began for write in stage.sandbox.discord.role_writes if (write.user_id, write.role_id) == one]
    return [later - earlier for earlier, later in pairwise(began)]


def _tries(stage: Stage, username: str) -> int:
    return sum(write.username == username for write in stage.role_writes)
