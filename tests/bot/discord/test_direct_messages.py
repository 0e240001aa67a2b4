"""What people are told of a consent without having typed anything."""

import pytest

from bot.app import App
from bot.discord import direct_messages
from bot.discord.direct_messages import DirectMessages
from bot.domain.consent import Ended, Moved, Purpose, Word
from bot.domain.model import ChannelId, DiscordUserId, Secret
from bot.domain.notices import PaymentDeclined, Stay
from bot.storage.states import ButtonKind, ButtonPlace
from bot.texts.catalogs import PSEUDO_TAG
from bot.texts.pseudo import OPEN
from tests.fakes.scene import MEMBER, Scene
from tests.fakes.stage import words

CLOSED = "mossy_stone"
MOVED = Moved(patreon_name="Ada https://a.example", username="eve")
DENIED = Ended(purpose=Purpose.LINK, word=Word.DENIED)
GONE = ButtonPlace(kind=ButtonKind.DM, channel_id=ChannelId(1), message_id=2)
RUN_OUT = ButtonPlace(kind=ButtonKind.REPLY, application_id=1, token=Secret("gone"))


@pytest.fixture
def messages(scene: Scene) -> DirectMessages:
    return scene.app.messages


async def test_an_old_holder_is_told_in_a_card_in_which_nothing_is_unfolded(
    scene: Scene, messages: DirectMessages
) -> None:
    await messages.tell(scene.person(MEMBER), MOVED, locale="en-US", guild_id=None)
    (message,) = scene.stage.direct_messages(MEMBER)
    assert message.content == ""
    assert "change your Patreon password" in words([message]).lower().replace("patreon", "Patreon")


async def test_closed_direct_messages_are_no_error(scene: Scene, messages: DirectMessages) -> None:
    await messages.tell(scene.person(CLOSED), MOVED, locale="en-US", guild_id=None)
    assert scene.stage.direct_messages(CLOSED) == []


@pytest.mark.parametrize("place", [GONE, RUN_OUT], ids=["a message that is gone", "a token that ran out"])
async def test_a_message_that_cannot_be_edited_is_no_error(messages: DirectMessages, place: ButtonPlace) -> None:
    await messages.edit_button(place, DENIED, locale="en-US")


async def test_without_a_connection_a_message_is_given_up_after_a_while(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_messages, "CLIENT_WITHIN_SECONDS", 0.01)
    await app.messages.tell(DiscordUserId(1), MOVED, locale="en-US", guild_id=None)


async def test_a_patron_is_told_of_their_own_affairs_in_a_card(scene: Scene) -> None:
    until = scene.app.clock.now()
    declined = PaymentDeclined(campaign="Moths", stays=(Stay(server="Emberwood", until=until),))
    await scene.app.messages.tell(scene.person(MEMBER), declined, locale=None, guild_id=scene.guild_id)
    (message,) = scene.stage.direct_messages(MEMBER)
    assert message.embeds[0]["title"] == "Your payment was declined"
    assert f"Your roles in **Emberwood** stay until <t:{int(until.timestamp())}:D>." in words([message])


async def test_whoever_has_no_language_yet_is_told_in_that_of_a_server_of_theirs(
    scene: Scene, messages: DirectMessages
) -> None:
    await scene.app.storage.guilds.change(scene.guild_id, language=PSEUDO_TAG)
    await messages.tell(scene.person(MEMBER), MOVED, locale=None, guild_id=scene.guild_id)
    assert OPEN in words(scene.stage.direct_messages(MEMBER))
