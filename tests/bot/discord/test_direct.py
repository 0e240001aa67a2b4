"""What people are told of a consent without having typed anything."""

import pytest

from bot.discord import direct
from bot.discord.direct import DirectMessages
from bot.discord.holder import ClientHolder
from bot.domain.consent import Ended, Moved, Purpose, Word
from bot.domain.model import ChannelId, DiscordUserId, Secret
from bot.storage.states import ButtonKind, ButtonPlace
from tests.fakes.scene import MEMBER, Scene
from tests.fakes.stage import words

CLOSED = "mossy_stone"
MOVED = Moved(patreon_name="Ada https://a.example", username="eve")
DENIED = Ended(purpose=Purpose.LINK, word=Word.DENIED)
GONE = ButtonPlace(kind=ButtonKind.DM, channel_id=ChannelId(1), message_id=2)
RUN_OUT = ButtonPlace(kind=ButtonKind.REPLY, application_id=1, token=Secret("gone"))


@pytest.fixture
def messages(scene: Scene) -> DirectMessages:
    return DirectMessages(scene.app.holder)


async def test_an_old_holder_is_told_in_a_card_in_which_nothing_is_unfolded(
    scene: Scene, messages: DirectMessages
) -> None:
    await messages.tell_moved(scene.person(MEMBER), MOVED, locale="en-US")
    (message,) = scene.stage.direct_messages(MEMBER)
    assert message.content == ""
    assert "change your Patreon password" in words([message]).lower().replace("patreon", "Patreon")


async def test_closed_direct_messages_are_no_error(scene: Scene, messages: DirectMessages) -> None:
    await messages.tell_moved(scene.person(CLOSED), MOVED, locale="en-US")
    assert scene.stage.direct_messages(CLOSED) == []


@pytest.mark.parametrize("place", [GONE, RUN_OUT], ids=["a message that is gone", "a token that ran out"])
async def test_a_message_that_cannot_be_edited_is_no_error(messages: DirectMessages, place: ButtonPlace) -> None:
    await messages.edit_button(place, DENIED, locale="en-US")


async def test_without_a_connection_a_message_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "CLIENT_WITHIN_SECONDS", 0.01)
    await DirectMessages(ClientHolder()).tell_moved(DiscordUserId(1), MOVED, locale="en-US")
