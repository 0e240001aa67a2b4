"""Buttons: what their ids say, and what becomes of a press that fails."""

import asyncio

import pytest

from bot.discord.buttons import number_in, question
from bot.domain.errors import Mistake, UserMistake
from sandbox.discord.interaction import COMPONENT
from sandbox.discord.model import EPHEMERAL, Message
from tests.fakes.scene import MEMBER, Scene, buttons
from tests.fakes.stage import words


def ids(view: object) -> list[str]:
    return [item.custom_id for item in view.children]  # type: ignore[attr-defined]  # a view of buttons


def test_no_stands_first_and_both_are_told_apart_by_their_ids() -> None:
    assert ids(question("rule", "Add it", "Leave it", argument="1:tier")) == ["cancel:rule", "confirm:rule:1:tier"]


async def test_a_press_that_fails_is_answered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.link()

    async def fail(*_: object) -> None:
        raise UserMistake(Mistake.TIER_UNKNOWN)

    monkeypatch.setitem(scene.bot.button_handlers, "confirm:unlink", fail)
    typed = await scene.type(MEMBER, "unlink")
    said = await scene.press(MEMBER, typed.messages[0], "confirm:")
    assert "I don't know that tier." in said
    assert buttons(typed.messages[0]) != {}


async def test_a_button_of_an_older_version_is_answered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.link()
    typed = await scene.type(MEMBER, "unlink")
    monkeypatch.delitem(scene.bot.button_handlers, "confirm:unlink")
    assert "has changed" in await scene.press(MEMBER, typed.messages[0], "confirm:")


async def test_a_press_that_comes_before_the_servers_are_shown_waits_for_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.link()
    typed = await scene.type(MEMBER, "unlink")

    async def see(*_: object) -> None:
        raise UserMistake(Mistake.TIER_UNKNOWN if scene.app.holder.current is not None else Mistake.SERVER_UNSEEN)

    monkeypatch.setitem(scene.bot.button_handlers, "confirm:unlink", see)
    scene.app.holder.lose(scene.bot)
    asyncio.get_running_loop().call_later(0.3, scene.app.holder.put, scene.bot)
    assert "I don't know that tier." in await scene.press(MEMBER, typed.messages[0], "confirm:")


@pytest.mark.parametrize("argument", ["", "7", "a\nb", "\n", "::", "x:"])
async def test_a_press_is_answered_whatever_its_id_says(scene: Scene, argument: str) -> None:
    (channel,) = [one for one in scene.stage.sandbox.world.guild.channels.values() if one.name == "general"]
    user, now = scene.discord.state.users[scene.stage.user_id(MEMBER)], scene.discord.state.clock.now()
    button = {"type": 2, "id": 2, "style": 2, "label": "Press", "custom_id": f"doctor:again:{argument}"}
    bot = scene.discord.state.bot.id
    message = Message(scene.discord.state.ids.at(now), channel.id, bot, now, content="Before.", flags=EPHEMERAL)
    message.components = [{"type": 1, "id": 1, "components": [button]}]
    data = {"custom_id": button["custom_id"], "component_type": 2, "id": 2}
    sent = scene.discord.interactions.open(COMPONENT, user, channel, data=data, source=message)
    assert await sent.answered(8.0)
    assert "You need the Manage Roles permission" in words(sent.messages)


@pytest.mark.parametrize("argument", ["", "0", "-1", "x", "1.5", "٣", "9" * 19, "9" * 90, "1:2", "9223372036854775808"])
def test_an_id_that_no_service_gives_is_refused(argument: str) -> None:
    with pytest.raises(UserMistake):
        number_in(argument)


def test_an_id_is_read() -> None:
    assert (number_in("7"), number_in("9223372036854775807")) == (7, 2**63 - 1)
