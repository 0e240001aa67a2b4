"""`/patreon adopt` and `/patreon restore` as an admin uses them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.audit_entry import AdminGave, AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import GrantState
from tests.fakes.scene import ADMIN, MEMBER, SOON, Scene, connect, serve, set_stage
from tests.fakes.stage import words

ADOPT, RESTORE = "patreon adopt", "patreon restore"
OTHER = "cedar_lane"
REPORTED = "kestrel_kite"  # linked by Patreon's own report, and a Gold patron


def give(scene: Scene, *usernames: str, role: str = "Gold") -> None:
    for username in usernames:
        scene.discord.give_role(scene.stage.user_id(username), scene.stage.role_id(role))


async def adopted(scene: Scene) -> set[int]:
    """Return who holds Gold by the ledger."""
    ledger = await scene.app.storage.ledger.load_guild(scene.guild_id)
    return {
        person
        for person, grants in ledger.items()
        if scene.role("Gold") in grants and grants[scene.role("Gold")].state is GrantState.HELD
    }


async def test_a_role_that_no_rule_names_is_not_adopted(scene: Scene) -> None:
    said = await scene.say(ADMIN, ADOPT, role=str(scene.role("Gold")))
    assert "No rule uses that role" in said
    assert "`/patreon rule add`" in said


async def test_a_role_above_mine_is_not_adopted(scene: Scene) -> None:
    assert "drag my role above it" in await scene.say(ADMIN, ADOPT, role=str(scene.role("Legend")))


async def test_adopting_shows_first_what_becomes_of_whom_and_writes_nothing(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    give(scene, OTHER, "dapple.grey")
    await scene.at_rest()
    typed = await scene.type(ADMIN, ADOPT, role=str(scene.role("Gold")))
    said = words(typed.messages)
    assert "**2 people** got **Gold** from someone else." in said
    assert "2 people aren't linked to a Patreon account, and **lose it** unless they type `/link` first." in said
    assert "I already manage it for 2 people." in said
    assert "Server Members Intent" not in said
    assert await adopted(scene) == {scene.person(MEMBER), scene.person(REPORTED)}
    assert "Nothing was changed" in await scene.press(ADMIN, typed.messages[0], "cancel:")


async def test_an_adopted_role_is_kept_by_whoever_earns_it_and_lost_by_others(scene: Scene) -> None:
    await scene.link()
    await scene.link("ivy_afterdark", "Flora Ekdal")
    give(scene, MEMBER, OTHER, "ivy_afterdark")
    await scene.add_rule()
    typed = await scene.type(ADMIN, ADOPT, role=str(scene.role("Gold")))
    said = words(typed.messages)
    assert "1 person earns it and keeps it." in said
    assert "1 person is linked but doesn't earn it, and **loses it**." in said
    assert "I now manage **Gold** for 3 more people" in await scene.press(ADMIN, typed.messages[0], "confirm:")
    await scene.until(lambda: "Gold" not in scene.stage.roles(OTHER), "who is not linked loses it")
    await scene.until(lambda: "Gold" not in scene.stage.roles("ivy_afterdark"), "who lapsed loses it")
    await scene.written(OTHER, AuditAction.REVOKE, Outcome.DONE)
    await scene.at_rest()
    assert "Gold" in scene.stage.roles(MEMBER)
    assert await adopted(scene) == {scene.person(MEMBER), scene.person(REPORTED)}
    entries = await scene.app.storage.audit.recent(scene.guild_id, scene.person(OTHER))
    assert [entry.action for entry in entries] == [AuditAction.REVOKE, AuditAction.ADOPT]
    assert entries[-1].reason == AdminGave(by=scene.person(ADMIN))


async def test_the_brake_is_over_an_adoption(scene: Scene) -> None:
    await scene.add_rule()
    crowd = ("cedar_lane", "dapple.grey", "elderflower77", "fernandthyme", "gorse_hill", "juniper.jo")
    give(scene, *crowd)
    typed = await scene.type(ADMIN, ADOPT, role=str(scene.role("Gold")))
    await scene.press(ADMIN, typed.messages[0], "confirm:")
    assert all("Gold" in scene.stage.roles(username) for username in crowd)
    (hold,) = await scene.app.holds.open_holds(scene.guild_id)
    assert len(hold.items) == len(crowd)


async def test_with_nobody_to_adopt_there_is_no_question(scene: Scene) -> None:
    await scene.add_rule()
    typed = await scene.type(ADMIN, ADOPT, role=str(scene.role("Gold")))
    assert "Nothing to adopt" in words(typed.messages)
    assert typed.messages[0].components == []


@pytest.fixture
async def blind() -> AsyncIterator[Scene]:
    """A bot whose application may not see members."""
    async with set_stage() as stage:
        stage.sandbox.world.discord.intents_allowed.clear()
        async with serve(stage) as app, connect(app, has_members_intent=False) as bot:
            await app.rounds.run(trigger=Trigger.SYNC)
            yield Scene(stage, app, bot)


async def test_without_the_members_intent_linked_people_are_adopted_and_the_admin_is_told(blind: Scene) -> None:
    await blind.link()
    give(blind, MEMBER, OTHER)
    await blind.add_rule()
    typed = await blind.type(ADMIN, ADOPT, role=str(blind.role("Gold")))
    said = words(typed.messages)
    assert "**1 person** got **Gold**" in said
    assert "the Server Members Intent is off" in said
    await blind.press(ADMIN, typed.messages[0], "confirm:")
    assert await adopted(blind) == {blind.person(MEMBER)}
    assert "Gold" in blind.stage.roles(OTHER)


async def test_a_role_taken_by_hand_comes_again_once_it_is_restored(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    await scene.at_rest()  # what is taken before it was seen is, to us, a write that was lost
    scene.discord.take_role(scene.stage.user_id(MEMBER), scene.stage.role_id("Gold"))
    storage = scene.app.storage
    await scene.suppressed()
    async with asyncio.timeout(SOON):  # the ledger is written after the audit
        while scene.person(MEMBER) in await adopted(scene):
            await asyncio.sleep(0.02)
    said = await scene.say(ADMIN, RESTORE, user=str(scene.person(MEMBER)), role=str(scene.role("Gold")))
    assert "If they earn it, I'm assigning it now" in said
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given again")
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    actions = [entry.action for entry in await storage.audit.recent(scene.guild_id, scene.person(MEMBER))]
    assert actions == [AuditAction.GRANT, AuditAction.RESTORE, AuditAction.SUPPRESS, AuditAction.GRANT]


async def test_what_nobody_took_away_is_not_restored(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    for username in (MEMBER, OTHER):
        said = await scene.say(ADMIN, RESTORE, user=str(scene.person(username)), role=str(scene.role("Gold")))
        assert "nobody removed that role from them manually" in said
