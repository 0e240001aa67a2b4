"""`/patreon audit` and `/patreon undo` as an admin uses them."""

import asyncio
import re

from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import GrantState
from tests.fakes.scene import ADMIN, MEMBER, SOON, Scene
from tests.fakes.stage import words

AUDIT, UNDO = "patreon audit", "patreon undo"
REPORTED = "kestrel_kite"  # linked by Patreon's own report, and a Gold patron


async def run_of(scene: Scene, trigger: Trigger) -> str:
    """Return the number of the newest run of a trigger that changed a role."""
    async with asyncio.timeout(SOON):
        while True:
            for run, _ in await scene.app.storage.audit.list_runs(scene.guild_id, limit=25):
                if run.trigger is trigger:
                    return str(run.run_id)
            await asyncio.sleep(0.02)


async def granted(scene: Scene) -> str:
    """Let a rule give somebody Gold; return the run."""
    await scene.link()
    await scene.add_rule()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await scene.at_rest()  # somebody whom Patreon reports gets it too
    return await run_of(scene, Trigger.RULE_ADDED)


async def taken(scene: Scene) -> str:
    """Let the end of the rule take it again; return the run."""
    await scene.say(ADMIN, "patreon rule remove", rule="1")
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken")
    await scene.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    await scene.at_rest()
    return await run_of(scene, Trigger.RULE_REMOVED)


async def undo(scene: Scene, run: str) -> str:
    """Undo a run; return what was shown, and answered."""
    typed = await scene.type(ADMIN, UNDO, run=run)
    shown = words(typed.messages)
    return shown + await scene.press(ADMIN, typed.messages[0], "confirm:undo")


async def state_of(scene: Scene) -> GrantState | None:
    rows = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(MEMBER))
    grant = rows.get(scene.role("Gold"))
    return None if grant is None else grant.state


async def test_the_audit_says_what_why_and_by_which_run_and_is_filtered(scene: Scene) -> None:
    run = await granted(scene)
    said = await scene.say(ADMIN, AUDIT, user=scene.stage.user_id(MEMBER))
    assert f"Assigned **Gold** to <@{scene.person(MEMBER)}>." in said
    assert "Requires the Gold tier of Emberwood Tales." in said
    assert f"A rule was added · run {run}" in said
    assert "added a rule for **Gold**" in await scene.say(ADMIN, AUDIT, run=run)
    assert "There's nothing here yet." in await scene.say(ADMIN, AUDIT, role=str(scene.role("Silver")))
    assert "This server has no run 99" in await scene.say(ADMIN, AUDIT, run="99")
    assert "I need the run's number" in await scene.say(ADMIN, AUDIT, run="the last one")


async def test_the_audit_is_turned_by_its_buttons_in_both_directions(scene: Scene) -> None:
    for days in range(1, 8):
        await scene.say(ADMIN, "patreon settings", grace_days=days)
    typed = await scene.type(ADMIN, AUDIT)
    first = words(typed.messages)
    assert "from `5` to `6`" in first
    older = await scene.press(ADMIN, typed.messages[0], "page:audit::::older")
    assert "from `5` to `6`" not in older
    assert "from `7` to `1`" in older
    again = await scene.press(ADMIN, typed.messages[0], "page:audit::::newer")
    assert "from `5` to `6`" in again


async def test_a_removal_that_is_undone_comes_back_and_stays(scene: Scene) -> None:
    await granted(scene)
    run = await taken(scene)
    said = await undo(scene, run)
    assert f"Undo run {run}?" in said
    assert re.search(r"gets? \*\*Gold\*\* back, and keeps? it until their membership changes:", said)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is back")
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await scene.say(ADMIN, "patreon sync")
    assert "Gold" in scene.stage.roles(MEMBER)
    assert "An admin undid its removal." in await scene.say(ADMIN, "patreon why", user=scene.stage.user_id(MEMBER))
    assert "changed it since" in await scene.say(ADMIN, UNDO, run=run)


async def test_a_grant_that_is_undone_stays_away_until_it_is_restored(scene: Scene) -> None:
    run = await granted(scene)
    said = await undo(scene, run)
    assert re.search(r"(loses|lose) \*\*Gold\*\*\. I won't assign it again", said)
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is gone")
    await scene.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    await scene.say(ADMIN, "patreon sync")
    assert "Gold" not in scene.stage.roles(MEMBER)
    assert await state_of(scene) is GrantState.WITHDRAWN
    assert "an admin undid" in await scene.say(ADMIN, "patreon why", user=scene.stage.user_id(MEMBER))
    await scene.say(ADMIN, "patreon restore", user=scene.stage.user_id(MEMBER), role=str(scene.role("Gold")))
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is back")


async def test_an_undo_is_a_run_that_is_undone_in_its_turn(scene: Scene) -> None:
    await granted(scene)
    await undo(scene, await taken(scene))
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is back")
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    first = await run_of(scene, Trigger.UNDO)
    await undo(scene, first)
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is gone again")
    await scene.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    await scene.say(ADMIN, "patreon sync")
    async with asyncio.timeout(SOON):
        while await state_of(scene) is not None:  # a plan by which they don't earn it ends the undo
            await asyncio.sleep(0.02)
    await scene.add_rule()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "who earns it anew gets it")


async def test_what_a_hand_did_since_is_left_alone(scene: Scene) -> None:
    await granted(scene)
    run = await taken(scene)
    scene.discord.give_role(scene.stage.user_id(MEMBER), scene.stage.role_id("Gold"))
    await scene.at_rest()
    said = await scene.say(ADMIN, UNDO, run=run)
    assert f"Someone has changed it manually since.\n<@{scene.person(MEMBER)}>" in said
    scene.discord.give_role(scene.stage.user_id(REPORTED), scene.stage.role_id("Gold"))
    await scene.at_rest()
    assert "Nothing to undo" in await scene.say(ADMIN, UNDO, run=run)
