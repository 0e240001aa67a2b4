"""`/patreon doctor` and its button, as an admin uses them."""

import asyncio

import pytest

from bot.domain.model import CampaignId
from bot.domain.notices import CreatorTokenDead, Solved, Topic
from tests.fakes.scene import ADMIN, MEMBER, SOON, Scene, buttons
from tests.fakes.stage import words

DOCTOR = "patreon doctor"


async def until_said(scene: Scene, said: str) -> None:
    async with asyncio.timeout(SOON):
        while said not in await scene.say(ADMIN, DOCTOR):
            await asyncio.sleep(0.05)


async def test_the_doctor_says_what_is_wrong_and_the_button_that_it_is_gone(scene: Scene) -> None:
    await scene.app.webhooks.look()
    await scene.add_rule()
    scene.discord.move_role(scene.stage.role_id("Gold"), 50)
    await until_said(scene, "role_above_bot")
    typed = await scene.type(ADMIN, DOCTOR)
    (message,) = typed.messages
    said = words(typed.messages)
    assert "I found 1 problem" in said
    assert "**I can't assign Gold, because it isn't below my highest role.**" in said
    assert said.index("role_above_bot") < said.index("log_channel_unset") < said.index("Nothing wrong here: ")
    assert buttons(message) == {"Look again": "doctor:again"}
    scene.discord.move_role(scene.stage.role_id("Gold"), 2)
    async with asyncio.timeout(SOON):
        while "role_above_bot" in await scene.press(ADMIN, message, "doctor:again"):
            await asyncio.sleep(0.05)
    assert "Roles work, and there's more to know" in words([message]), "it is the same message"
    assert buttons(message) == {"Look again": "doctor:again"}, "which can be pressed again"


async def test_of_one_person_the_button_looks_at_the_same(scene: Scene) -> None:
    await scene.add_rule()
    typed = await scene.type(ADMIN, DOCTOR, user=str(scene.person(MEMBER)))
    (message,) = typed.messages
    assert "not_linked" in words(typed.messages)
    assert buttons(message) == {"Look again": f"doctor:again:{scene.person(MEMBER)}"}
    await scene.link()
    said = await scene.press(ADMIN, message, "doctor:again")
    assert "not_linked" not in said
    assert "They linked the Patreon account **Gerda Nilsson**" in said


async def test_of_who_is_not_here_nothing_is_learned(scene: Scene) -> None:
    await scene.link()
    scene.discord.leave(scene.stage.user_id(MEMBER))
    async with asyncio.timeout(SOON):
        while "not_in_server" not in (said := await scene.say(ADMIN, DOCTOR, user=str(scene.person(MEMBER)))):
            await asyncio.sleep(0.05)
    assert "Gerda" not in said
    assert "linked" not in said


async def test_whoever_may_not_manage_roles_gets_no_answer_from_the_button(scene: Scene) -> None:
    typed = await scene.type(ADMIN, DOCTOR)
    admin = scene.stage.sandbox.world.guild.members[scene.stage.user_id(ADMIN)]
    (role_id,) = admin.role_ids
    scene.discord.take_role(admin.id, role_id)
    said = await scene.press(ADMIN, typed.messages[0], "doctor:again")
    assert "Manage Roles" in said


@pytest.mark.parametrize("user", [None, MEMBER], ids=["the server", "one person"])
async def test_what_the_answer_says_does_not_stand_above_it_too(scene: Scene, user: str | None) -> None:
    campaign = CampaignId(scene.stage.sandbox.world.campaign.id)
    dead = CreatorTokenDead(campaign_id=campaign, campaign="Emberwood Tales")
    await scene.app.notifier.tell_admin(scene.guild_id, dead)
    await scene.app.notifier.over(scene.guild_id, Solved(topic=Topic.CREATOR_TOKEN, subject=campaign, name="Emberwood"))
    options = {} if user is None else {"user": str(scene.person(user))}
    said = await scene.say(ADMIN, DOCTOR, **options)
    assert "I can read the member list of **Emberwood** with its creator's access again" in said
    assert ("no longer accepts the creator's access" in said) is (user is not None)
