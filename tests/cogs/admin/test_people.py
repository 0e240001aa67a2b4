"""`/patreon why` and `/patreon unlink` as an admin uses them."""

import re

import pytest

from bot.domain.model import Link, LinkOrigin, PatreonUserId
from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words


async def test_why_explains_each_role_with_its_fact(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    said = await scene.say(ADMIN, "patreon why", user=str(scene.person(MEMBER)))
    assert f"<@{scene.person(MEMBER)}>\nThey linked the Patreon account **Gerda Nilsson** with `/link` on <t:" in said
    assert "They're an active Gold patron of Emberwood Tales. Checked <t:" in said
    assert "**Gold**: Kept. Requires the Gold tier of Emberwood Tales." in said


async def test_why_says_that_somebody_is_not_linked(scene: Scene) -> None:
    await scene.add_rule()
    said = await scene.say(ADMIN, "patreon why", user=str(scene.person(MEMBER)))
    assert "No Patreon account is linked" in said
    assert "**Gold**: Not earned. Requires the Gold tier of Emberwood Tales." in said
    assert "member of" not in said


async def test_why_says_that_somebody_unlinked(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    await scene.app.unlinker.unlink(scene.person(MEMBER))
    said = await scene.say(ADMIN, "patreon why", user=str(scene.person(MEMBER)))
    assert "They unlinked their Patreon account." in said


async def test_why_says_of_who_is_not_listed_each_role_with_source_and_age_and_no_name(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link(patron="Nils Ahlgren")
    said = await scene.say(ADMIN, "patreon why", user=str(scene.person(MEMBER)))
    absent = r"They're not a member of Emberwood Tales\. Checked <t:\d+:R> with their consent\."
    assert re.search(rf"<@{scene.person(MEMBER)}>\n{absent}", said)
    assert "**Gold**: Not earned. Requires the Gold tier of Emberwood Tales." in said
    assert "Nils" not in said
    assert "ink" not in said, "how and when they linked is nobody's business here"


async def test_why_says_of_a_report_that_ended_elsewhere_nothing_but_that_none_is_linked(scene: Scene) -> None:
    await scene.add_rule()
    at = scene.app.clock.now()
    link = Link(
        discord_user_id=scene.person(MEMBER),
        patreon_user_id=PatreonUserId("elsewhere"),
        patreon_name="Elsa Where",
        origin=LinkOrigin.PATREON,
        linked_at=at,
    )
    await scene.app.storage.links.save_reported([link])
    await scene.app.storage.links.end([link], at=at)
    said = await scene.say(ADMIN, "patreon why", user=str(scene.person(MEMBER)))
    assert "No Patreon account is linked." in said
    assert "Elsa" not in said
    assert "report" not in said


async def test_why_says_who_took_a_role_away_since_when_and_the_cure(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    await scene.at_rest()  # what is taken before it was seen is, to us, a write that was lost
    scene.discord.take_role(scene.stage.user_id(MEMBER), scene.stage.role_id("Gold"))
    await scene.suppressed()
    said = await scene.say(ADMIN, "patreon why", user=str(scene.person(MEMBER)))
    assert "**Gold**: Not assigned: someone removed it manually <t:" in said
    assert "To give it back, use `/patreon restore`." in said


@pytest.mark.parametrize("path", ["patreon why", "patreon unlink"])
async def test_nobody_learns_anything_of_a_person_who_is_not_here(scene: Scene, path: str) -> None:
    await scene.link()
    scene.discord.leave(scene.stage.user_id(MEMBER))
    await scene.at_rest()
    said = await scene.say(ADMIN, path, user=str(scene.person(MEMBER)))
    assert "they aren't in this server" in said
    assert "Gerda" not in said


@pytest.mark.parametrize("path", ["patreon why", "patreon unlink"])
async def test_a_link_that_touches_nothing_here_is_nobodys_business(scene: Scene, path: str) -> None:
    await scene.link()
    campaigns = scene.app.storage.campaigns
    for binding in await campaigns.bindings():
        await campaigns.unbind(binding.guild_id, binding.campaign_id)
    said = await scene.say(ADMIN, path, user=str(scene.person(MEMBER)))
    assert "Gerda" not in said
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is not None


@pytest.mark.parametrize("path", ["patreon why", "patreon unlink"])
async def test_a_role_that_an_admin_gave_and_adopted_opens_no_link(scene: Scene, path: str) -> None:
    await scene.add_rule(tier=None)
    await scene.link(patron="Nils Ahlgren")  # a patron, though not of this server's campaign
    scene.discord.give_role(scene.stage.user_id(MEMBER), scene.stage.role_id("Gold"))
    await scene.at_rest()
    typed = await scene.type(ADMIN, "patreon adopt", role=str(scene.role("Gold")))
    await scene.press(ADMIN, typed.messages[0], "confirm:")
    said = await scene.type(ADMIN, path, user=str(scene.person(MEMBER)))
    assert "Nils" not in words(said.messages)
    assert buttons(said.messages[0]) == {}
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is not None


async def test_unlink_asks_and_then_takes_the_roles(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    typed = await scene.type(ADMIN, "patreon unlink", user=str(scene.person(MEMBER)))
    assert "**Gerda Nilsson**" in words(typed.messages)
    assert "is no longer linked" in await scene.press(ADMIN, typed.messages[0], "confirm:")
    assert "Gold" not in scene.stage.roles(MEMBER)


async def test_unlink_can_be_left(scene: Scene) -> None:
    await scene.link()
    typed = await scene.type(ADMIN, "patreon unlink", user=str(scene.person(MEMBER)))
    assert "Nothing was changed." in await scene.press(ADMIN, typed.messages[0], "cancel:")
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is not None


async def test_who_is_not_linked_cannot_be_unlinked(scene: Scene) -> None:
    assert "isn't linked" in await scene.say(ADMIN, "patreon unlink", user=str(scene.person(MEMBER)))
