"""`/patreon holds` and a hold's buttons, as an admin uses them."""

import pytest

from bot.domain.changes import Trigger
from sandbox.discord import Message
from tests.fakes.scene import ADMIN, Scene, buttons
from tests.fakes.stage import words

HOLDS = "patreon holds"
OUTSIDER = "mossy_stone"
CROWD = {
    "bramble.fox": "Gerda Nilsson",
    "cedar_lane": "Gideon Brook",
    "dapple.grey": "Goldie Marsh",
    "elderflower77": "Anneke Visser",
    "fernandthyme": "Petra Nyman",
}


@pytest.fixture
async def held(scene: Scene) -> Scene:
    """Five of six people who hold Gold by us lose their pledge at once."""
    await scene.add_rule()
    for username, patron in CROWD.items():
        await scene.link(username, patron)
    await scene.until(lambda: all("Gold" in scene.stage.roles(one) for one in CROWD), "everybody has the role")
    for patron in CROWD.values():
        scene.stage.sandbox.patreon.refund(scene.stage.patron_id(patron))
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    return scene


def keep(scene: Scene) -> set[str]:
    return {username for username in CROWD if "Gold" in scene.stage.roles(username)}


async def shown(scene: Scene) -> Message:
    (message,) = (await scene.type(ADMIN, HOLDS)).messages
    return message


async def test_with_nothing_held_that_is_said(scene: Scene) -> None:
    typed = await scene.type(ADMIN, HOLDS)
    assert words(typed.messages) == "No removals are waiting for your answer."
    assert buttons(typed.messages[0]) == {}


async def test_a_hold_names_counts_people_and_reasons_and_has_its_buttons(held: Scene) -> None:
    message = await shown(held)
    said = words([message])
    assert said.count("I was about to remove 5 roles from 5 people") == 1, "and not above its own answer too"
    assert said.count("**Gold**: Requires the Gold tier of Emberwood Tales. They're not a paying patron") == 1
    for username in CROWD:
        assert f"<@{held.person(username)}>" in said
    assert list(buttons(message).values()) == ["hold:discard:1", "hold:apply:1"]
    assert keep(held) == set(CROWD)


async def test_apply_removes_those_still_due(held: Scene) -> None:
    said = await held.press(ADMIN, await shown(held), "hold:apply:")
    assert f"<@{held.person(ADMIN)}> decided to remove the roles in hold 1." in said
    assert "5 people" in said
    await held.until(lambda: keep(held) == set(), "the roles are gone")
    assert "No removals are waiting" in await held.say(ADMIN, HOLDS)


async def test_who_ranks_below_a_held_role_may_keep_it_with_people_and_not_take_it(held: Scene) -> None:
    low = held.discord.create_role("Low", permissions=1 << 28)
    held.discord.move_role(low.id, 1)
    held.discord.give_role(held.stage.user_id(OUTSIDER), low.id)
    message = (await held.type(OUTSIDER, HOLDS)).messages[0]
    assert "**Gold** isn't below your own highest role" in await held.press(OUTSIDER, message, "hold:apply:")
    assert keep(held) == set(CROWD)
    assert "decided to keep the roles in hold 1." in await held.press(OUTSIDER, message, "hold:discard:")


async def test_discard_keeps_the_roles_and_the_message_loses_its_buttons(held: Scene) -> None:
    message = await shown(held)
    assert "decided to keep the roles in hold 1." in await held.press(ADMIN, message, "hold:discard:")
    assert buttons(message) == {}
    await held.app.rounds.run(trigger=Trigger.SYNC)
    await held.app.reconciler.consider(held.guild_id, None, trigger=Trigger.SYNC)
    assert keep(held) == set(CROWD)
    assert "Kept, because an admin decided that they should keep it." in await held.say(
        ADMIN, "patreon why", user=str(held.person("bramble.fox"))
    )


async def test_a_hold_is_answered_once(held: Scene) -> None:
    first, second = await shown(held), await shown(held)
    await held.press(ADMIN, first, "hold:discard:")
    assert "Someone has already answered this hold" in await held.press(ADMIN, second, "hold:apply:")
    assert keep(held) == set(CROWD)


async def test_a_preview_shows_what_is_held(held: Scene) -> None:
    said = await held.say(ADMIN, "patreon preview")
    assert "**Held back:**" in said
    assert "Kept until an admin answers `/patreon holds`." in said


async def test_an_admin_without_the_right_by_now_cannot_answer(held: Scene) -> None:
    message = await shown(held)
    held.discord.edit_role(held.stage.role_id("Admin"), permissions=0)
    guild = held.bot.get_guild(held.guild_id)
    assert guild is not None
    await held.until(lambda: guild.get_role(held.role("Admin")).permissions.value == 0, "the right is gone")  # type: ignore[union-attr]  # it is there
    assert "You need the Manage Roles permission" in await held.press(ADMIN, message, "hold:apply:")
    assert keep(held) == set(CROWD)
