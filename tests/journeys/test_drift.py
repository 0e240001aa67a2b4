"""The server changes under the bot: roles, members, a day without it, the bot itself thrown out and invited again."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sandbox.discord import permissions
from sandbox.main import Options
from tests.fakes.stage import ADMIN, Stage

A, B, C, D, E, F = CROWD = tuple(f"crowd.{name}" for name in "abcdef")
PENDING = "pending.pia"
DAY = timedelta(days=1)


@pytest.fixture
async def settled() -> AsyncIterator[Stage]:
    """Six patrons with Gold, one more who has not passed the server's screening, and a log channel."""
    stage = Stage(Options(interval=1))
    for username in CROWD:
        stage.add_named_patron(username)
    stage.add_named_patron(PENDING, pending=True)
    async with stage:
        await stage.choose_log_channel()
        await stage.add_rule("Gold")
        await stage.until(lambda: _holders(stage) == set(CROWD), "everybody but one has the role", 40)
        await stage.until_held("Gold", *CROWD)
        yield stage


async def test_roles_change_and_nothing_is_lost_taken_or_asked_for_in_vain(settled: Stage) -> None:
    stage, act, gold = settled, settled.sandbox.discord, settled.role_id("Gold")
    assert "screening" in await stage.say(PENDING, "membership")
    act.finish_screening(stage.user_id(PENDING))
    await stage.until(lambda: "Gold" in stage.roles(PENDING), "who passes the screening gets it")

    act.calls.clear()
    act.edit_role(gold, name="Aurum")
    await stage.rounds(2)
    assert stage.role_writes == [], "a name is a name"
    assert "Aurum" in await stage.say(A, "membership")

    act.move_role(gold, 50)
    await stage.until(lambda: stage.logged("I can't change the role **Aurum**") == 1, "the admin is told")
    assert stage.logged("drag my role above it") == 1, "with the cure"
    stage.add_named_patron("late.lou")
    stage.sandbox.patreon.refund(stage.patron_id(A))
    await stage.rounds(3)
    assert stage.role_writes == [], "no call is made in vain"
    act.move_role(gold, 2)
    await stage.until(lambda: {"Aurum"} <= stage.roles("late.lou"), "and all is done when it is back")
    await stage.until(lambda: "Aurum" not in stage.roles(A), "what was due is taken too")
    await stage.until(
        lambda: stage.logged("I can change the role **Aurum** again") == 1, "the admin is told of the end"
    )

    await _a_role_with_dangerous_rights_is_given_to_nobody(stage)
    await _a_deleted_role_is_forgotten(stage)


async def _a_role_with_dangerous_rights_is_given_to_nobody(stage: Stage) -> None:
    act, gold = stage.sandbox.discord, stage.role_id("Aurum")
    act.edit_role(gold, permissions=permissions.KICK_MEMBERS)
    await stage.until(lambda: stage.logged("Nobody should get those for a pledge") == 1, "the admin is told")
    stage.sandbox.patreon.pay(stage.patron_id(A))
    stage.sandbox.patreon.refund(stage.patron_id(B))
    await stage.until(lambda: "Aurum" not in stage.roles(B), "it can be taken all the same")
    await stage.rounds(2)
    assert "Aurum" not in stage.roles(A)
    assert {C, D, E, F} <= _holders(stage, "Aurum"), "who has it keeps it: that is the admin's to decide"
    act.edit_role(gold, permissions=0)
    await stage.until(lambda: "Aurum" in stage.roles(A), "harmless again")


async def _a_deleted_role_is_forgotten(stage: Stage) -> None:
    act = stage.sandbox.discord
    await stage.add_rule("Bronze", tier=None, kind="paying")
    await stage.until(lambda: "Bronze" in stage.roles(A), "another role")
    act.calls.clear()
    act.delete_role(stage.role_id("Aurum"))
    await stage.until(lambda: stage.logged("has been deleted. Find the rule") == 1, "the admin is told")
    stage.add_named_patron("later.lee")
    await stage.until(lambda: "Bronze" in stage.roles("later.lee"), "the other role goes on")
    await stage.rounds(2)
    assert {write.role for write in stage.role_writes} <= {"Bronze"}
    assert "deleted role" in await stage.say(ADMIN, "patreon rule list")
    assert (await stage.health())["http"] == 200


async def test_a_day_offline_is_made_up_for(settled: Stage) -> None:
    """Pledges and people's hands go on without the bot; what it finds it settles, and it takes nothing of theirs."""
    stage, act, patreon, gold = settled, settled.sandbox.discord, settled.sandbox.patreon, settled.role_id("Gold")
    await stage.sandbox.bot.stop()
    act.take_role(stage.user_id(A), gold)  # by hand: stays away
    patreon.refund(stage.patron_id(B))
    act.leave(stage.user_id(C))
    act.join(stage.user_id(C))  # left and back: no hand took it
    patreon.refund(stage.patron_id(D))
    act.take_role(stage.user_id(D), gold)  # nothing to do any more, and no hand edit to remember
    act.give_role(stage.user_id("gorse_hill"), gold)  # theirs
    act.finish_screening(stage.user_id(PENDING))
    stage.add_named_patron("new.nan")
    act.edit_role(gold, name="Aurum")
    stage.sandbox.clock.move(DAY)
    patreon.state.catch_up(stage.sandbox.clock.now())
    act.calls.clear()
    await stage.restart()
    expected = {C, E, F, PENDING, "new.nan", "gorse_hill"}
    await stage.until(lambda: _holders(stage, "Aurum") == expected, "the day is made up for", 40)
    await stage.rounds(3)
    assert _holders(stage, "Aurum") == expected
    written = sorted((write.method, write.username) for write in stage.role_writes)
    assert written == [("DELETE", B), ("PUT", C), ("PUT", "new.nan"), ("PUT", PENDING)], "one write for each change"
    assert "removed it manually" in await stage.say(ADMIN, "patreon why", user=stage.user_id(A))
    patreon.pay(stage.patron_id(D))
    await stage.until(lambda: "Aurum" in stage.roles(D), "a new pledge is a new grant")
    await _thrown_out_and_invited_again(stage, expected | {D})


async def _thrown_out_and_invited_again(stage: Stage, holders: set[str]) -> None:
    """Rules and ledger wait; what happened meanwhile is made up for once the bot's role stands where it must."""
    act, patreon = stage.sandbox.discord, stage.sandbox.patreon
    act.kick_bot()
    patreon.refund(stage.patron_id(E))
    act.take_role(stage.user_id(F), stage.role_id("Aurum"))
    act.leave(stage.user_id(C))
    await stage.rounds(3)
    assert _holders(stage, "Aurum") == holders - {F, C}, "nothing can be written meanwhile"
    act.join(stage.user_id(C))
    act.calls.clear()
    act.add_bot()
    await stage.until(lambda: stage.logged("drag my role above it") == 1, "its new role stands at the bottom")
    await stage.rounds(2)
    assert stage.role_writes == [], "no call is made in vain"
    own = stage.sandbox.world.discord.bot_role(stage.sandbox.world.guild)
    assert own is not None
    act.move_role(own.id, 40)
    await stage.until(lambda: _holders(stage, "Aurum") == holders - {E, F}, "rules and ledger are as they were", 40)
    await stage.rounds(2)
    assert sorted((write.method, write.username) for write in stage.role_writes) == [("DELETE", E), ("PUT", C)]
    assert "removed it manually" in await stage.say(ADMIN, "patreon why", user=stage.user_id(F))


def _holders(stage: Stage, role: str = "Gold") -> set[str]:
    members = stage.sandbox.world.guild.members.values()
    people = {member.user.username for member in members if not member.user.is_bot}
    return {name for name in people if role in stage.roles(name)} - {"kestrel_kite"}
