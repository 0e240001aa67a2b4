"""/membership as a patron sees it."""

import re
from datetime import timedelta

import pytest

from bot.sync import check_again
from tests.fakes.scene import MEMBER, Scene, buttons
from tests.fakes.stage import words

STRANGER = "Nils Ahlgren"  # has a Patreon account, and no membership of anybody


async def test_who_is_not_linked_hears_how_to_link(scene: Scene) -> None:
    typed = await scene.type(MEMBER, "membership")
    assert "Type `/link`" in words(typed.messages)
    assert buttons(typed.messages[0]) == {}


async def test_each_role_comes_with_its_reason_its_source_and_its_age(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    said = await scene.say(MEMBER, "membership")
    assert "linked to the Patreon account **Gerda Nilsson** since <t:" in said
    assert "You're an active Gold patron of Emberwood Tales. Checked <t:" in said
    assert "**Gold**: You have it. Requires the Gold tier of Emberwood Tales." in said


async def test_who_is_linked_and_not_a_patron_hears_of_each_role_what_patreon_was_asked_and_when(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link(patron=STRANGER)
    said = await scene.say(MEMBER, "membership")
    assert re.search(r"You're not a member of Emberwood Tales\. Checked <t:\d+:R> with your consent\.", said)
    assert "**Gold**: You don't have it. Requires the Gold tier of Emberwood Tales." in said


async def test_a_pledge_that_is_paid_yearly_is_said_so(scene: Scene) -> None:
    scene.stage.sandbox.patreon.pledge(scene.stage.patron_id(STRANGER), scene.stage.tier_id("Gold"), annual=True)
    await scene.link(patron=STRANGER)
    assert "You're an active Gold patron of Emberwood Tales. It's paid yearly." in await scene.say(MEMBER, "membership")


async def test_a_server_without_rules_says_so(scene: Scene) -> None:
    await scene.link()
    assert "doesn't have roles for Patreon members yet" in await scene.say(MEMBER, "membership")


async def test_in_direct_messages_each_server_has_its_part(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    said = await scene.say(MEMBER, "membership", place="dm")
    assert "**Emberwood**\n**Gold**: You have it." in said


async def test_asking_again_shows_what_changed_at_patreon(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    typed = await scene.type(MEMBER, "membership")
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id("Gerda Nilsson"))
    said = await scene.press(MEMBER, typed.messages[0], "refresh:")
    assert "You're not a paying patron" in said
    assert "Gold" not in scene.stage.roles(MEMBER)


async def test_patreon_is_asked_once_a_minute_a_person(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.link()
    typed = await scene.type(MEMBER, "membership")
    await scene.press(MEMBER, typed.messages[0], "refresh:")
    asked = len(scene.stage.sandbox.patreon.calls)
    assert re.search(r"You can check again <t:\d+:R>", await scene.press(MEMBER, typed.messages[0], "refresh:"))
    assert len(scene.stage.sandbox.patreon.calls) == asked
    monkeypatch.setattr(check_again, "ONCE_IN", timedelta())
    await scene.press(MEMBER, typed.messages[0], "refresh:")
    assert len(scene.stage.sandbox.patreon.calls) > asked


async def test_the_button_outlives_the_client_that_made_it(scene: Scene) -> None:
    await scene.link()
    typed = await scene.type(MEMBER, "membership")
    scene.bot._connection._view_store._views.clear()
    assert "linked to the Patreon account" in await scene.press(MEMBER, typed.messages[0], "refresh:")
