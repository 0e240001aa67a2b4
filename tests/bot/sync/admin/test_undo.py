"""An undo is judged by what is there, writes facts alone, and counts for no brake."""

import asyncio

import pytest
from msgspec.structs import replace

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GrantState, RunId
from bot.domain.undo import Obstacle, UndoKind, net_changes
from bot.sync.admin.comps import CompRequest
from tests.bot.sync.leaps import held
from tests.fakes.filled import undo_of
from tests.fakes.gate import Gate
from tests.fakes.scene import MANAGE_ROLES, MEMBER, SOON, Scene

STRANGER = "cedar_lane"  # has no link


async def newest_run(read: Scene, trigger: Trigger) -> RunId:
    """Return the newest run of a trigger that changed a role, once there is one."""
    async with asyncio.timeout(SOON):
        while True:
            for run, _ in await read.app.storage.audit.list_runs(read.guild_id, limit=25):
                if run.trigger is trigger:
                    return run.run_id
            await asyncio.sleep(0.02)


async def ruled(read: Scene) -> RunId:
    """Let two people get Gold by a new rule, one of them linked by Patreon's report; return the run."""
    await read.link()
    await read.add_rule()
    await held(read)
    await read.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    run_id = await newest_run(read, Trigger.RULE_ADDED)
    run = await read.app.trail.run(read.guild_id, run_id)
    async with asyncio.timeout(SOON):
        while len(net_changes(await read.app.storage.audit.of_run(run))) < 2:
            await asyncio.sleep(0.02)
    return run_id


def writes(read: Scene) -> list[str]:
    """Return how the member's role was written so far."""
    return [write.method for write in read.stage.role_writes if write.username == MEMBER]


async def test_a_draft_writes_nothing(read: Scene, owner: Powers) -> None:
    run_id = await ruled(read)
    person = read.person(MEMBER)
    before = await read.app.storage.ledger.load_member(read.guild_id, person)
    entries = await read.app.storage.audit.recent(read.guild_id, person)
    draft = await read.app.undo.draft(read.guild_id, run_id, owner)
    assert {one.change.kind for one in draft.possible} == {UndoKind.TAKE_BACK}
    assert await read.app.storage.ledger.load_member(read.guild_id, person) == before
    assert await read.app.storage.audit.recent(read.guild_id, person) == entries


async def test_a_run_that_is_not_there_is_refused(read: Scene, owner: Powers) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.undo.draft(read.guild_id, RunId(99), owner)
    assert refused.value.code is Mistake.RUN_UNKNOWN


async def test_who_ranks_below_a_role_does_not_undo_what_was_done_to_it(read: Scene) -> None:
    run_id = await ruled(read)
    look = read.app.observer.look_guild(read.guild_id)
    assert look is not None
    low = Powers(top=min(look.roles.values(), key=lambda role: role.position), permissions=MANAGE_ROLES)
    with pytest.raises(UserMistake) as refused:
        await read.app.undo.draft(read.guild_id, run_id, low)
    assert refused.value.code is Mistake.ROLE_ABOVE_YOU


async def test_an_undo_is_a_run_that_no_brake_counts(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    run_id = await ruled(read)
    undone = await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    entry = await read.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert (entry.trigger, entry.is_counted) == (Trigger.UNDO, False)
    assert undone.run_id == await newest_run(read, Trigger.UNDO)
    assert undone.run_id != run_id
    again = await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    assert again.run_id is None, "nothing is left to undo"
    (theirs,) = [one for one in again.draft.undoings if one.change.discord_user_id == read.person(MEMBER)]
    assert (theirs.obstacle, theirs.later_run) == (Obstacle.CHANGED_SINCE, undone.run_id)


async def test_of_two_admins_who_undo_the_same_at_once_one_does(
    read: Scene, owner: Powers, admin: DiscordUserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await ruled(read)
    gate = Gate(read.app.storage.holds.undo)
    monkeypatch.setattr(read.app.storage.holds, "undo", gate)
    slower = asyncio.create_task(read.app.undo.undo(read.guild_id, run_id, owner, by=admin))
    await gate.reached.wait()
    monkeypatch.undo()
    quicker = await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    gate.opened.set()
    late = await slower
    assert late.run_id is None
    assert {one.obstacle for one in late.draft.undoings} <= {Obstacle.UNDER_WAY, Obstacle.CHANGED_SINCE}
    undos = [one for one in await read.app.storage.audit.recent(read.guild_id) if one.action is AuditAction.UNDO]
    assert len(undos) == 1
    assert quicker.run_id is not None


async def test_a_grant_that_no_look_has_settled_yet_is_undone_too(
    read: Scene, owner: Powers, admin: DiscordUserId
) -> None:
    """An undo goes by what is seen, and the ledger says so a moment later, or where an event was lost much later."""
    run_id = await ruled(read)
    await read.at_rest()
    (grant,) = (await read.app.storage.ledger.load_member(read.guild_id, read.person(MEMBER))).values()
    await read.app.storage.ledger.put(replace(grant, state=GrantState.GRANTING))
    await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    await read.until(lambda: "Gold" not in read.stage.roles(MEMBER), "it is taken back")


async def test_an_adoption_that_took_a_role_is_undone_for_somebody_without_a_link(
    read: Scene, owner: Powers, admin: DiscordUserId
) -> None:
    await ruled(read)
    read.discord.give_role(read.stage.user_id(STRANGER), read.stage.role_id("Gold"))
    await read.app.adoption.adopt(read.guild_id, read.role("Gold"), owner, by=admin)
    await read.until(lambda: "Gold" not in read.stage.roles(STRANGER), "who earns nothing loses it")
    await read.written(STRANGER, AuditAction.REVOKE, Outcome.DONE)
    run_id = await newest_run(read, Trigger.ADOPT)
    await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    await read.until(lambda: "Gold" in read.stage.roles(STRANGER), "it is given back")
    await read.written(STRANGER, AuditAction.GRANT, Outcome.DONE)
    await read.app.reconciler.bring_in_line(read.guild_id, trigger=Trigger.SYNC)
    assert "Gold" in read.stage.roles(STRANGER)


async def test_an_adoption_alone_is_undone_without_a_write(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    read.discord.give_role(read.stage.user_id(MEMBER), read.stage.role_id("Gold"))
    await read.link()
    await read.add_rule()
    await read.app.adoption.adopt(read.guild_id, read.role("Gold"), owner, by=admin)
    (run_id,) = {
        row.run_id
        for row in await read.app.storage.audit.since(read.guild_id, 0, [read.person(MEMBER)])  # type: ignore[arg-type]  # before all
        if row.entry.action is AuditAction.ADOPT
    }
    assert run_id is not None
    await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    assert await read.app.storage.ledger.load_member(read.guild_id, read.person(MEMBER)) == {}
    assert "Gold" in read.stage.roles(MEMBER)


async def test_a_role_that_has_not_gone_yet_is_restored_where_it_is(
    read: Scene, owner: Powers, admin: DiscordUserId
) -> None:
    await ruled(read)
    rows = await read.app.storage.ledger.load_member(read.guild_id, read.person(MEMBER))
    read.app.reconciler._queue(read.guild_id).rest()  # whoever is queued waits
    (grant,) = rows.values()
    await read.app.storage.holds.undo(undo_of(read.guild_id, grant.since), returned=[], withdrawn=[grant], disowned=[])
    role = read.role("Gold")
    await read.app.adoption.restore(read.guild_id, read.person(MEMBER), role, caller=owner, by=admin)
    assert (await read.app.reconciler.explain(read.guild_id, read.person(MEMBER))).plan.is_change is False
    read.app.reconciler._queue(read.guild_id).go_on()
    await held(read)
    assert writes(read) == ["PUT"]


async def test_a_role_that_is_given_back_while_discord_takes_it_comes_again(
    read: Scene, owner: Powers, admin: DiscordUserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ruled(read)
    person, role = read.person(MEMBER), read.role("Gold")
    (grant,) = (await read.app.storage.ledger.load_member(read.guild_id, person)).values()
    gate = Gate(read.app.role_writer.delete, is_behind=True)
    monkeypatch.setattr(read.app.role_writer, "delete", gate)
    at = read.app.clock.now()
    await read.app.storage.holds.undo(undo_of(read.guild_id, at), returned=[], withdrawn=[grant], disowned=[])
    turn = read.app.reconciler.mark(read.guild_id, [person], trigger=Trigger.UNDO)
    await gate.reached.wait()
    await read.app.adoption.restore(read.guild_id, person, role, caller=owner, by=admin)
    gate.opened.set()
    await asyncio.gather(*turn)
    await read.until(lambda: "Gold" in read.stage.roles(MEMBER), "nobody's hand took it")
    await held(read, MEMBER)


@pytest.mark.parametrize("by", ["/patreon restore", "/patreon comp add"])
async def test_a_role_that_is_just_going_comes_back(read: Scene, owner: Powers, admin: DiscordUserId, by: str) -> None:
    run_id, role, person = await ruled(read), read.role("Gold"), read.person(MEMBER)
    read.stage.weather("discord", f"DELETE*/members/{person}/roles/*", "slow", times=1)
    await read.app.undo.undo(read.guild_id, run_id, owner, by=admin)
    await read.stage.until(lambda: not read.stage.sandbox.weather.faults, "the role is on its way")
    if by == "/patreon restore":
        await read.app.adoption.restore(read.guild_id, person, role, caller=owner, by=admin)
    else:
        wish = CompRequest(discord_user_id=person, role_id=role, until="30d", reason="a winner")
        await read.app.comp_editor.give(read.guild_id, wish, owner, by=admin)
    await read.stage.until(lambda: writes(read) == ["PUT", "DELETE", "PUT"], "it comes back")
    await held(read)
