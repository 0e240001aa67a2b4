"""What the log channel hears of a plan that was carried out."""

import pytest

from bot import messenger
from bot.model import ChannelId
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene


async def test_the_log_channel_hears_what_was_given_and_taken_away_and_why(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "QUIET_SECONDS", 0)
    channels = scene.stage.sandbox.world.discord.channels.values()
    channel = next(one for one in channels if one.name == "bot-log")
    await scene.services.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(channel.id)))

    def said(words: str) -> bool:
        return any(words in message.content for message in channel.messages.values())

    await scene.services.rounds.run(trigger="test")
    await scene.add_rule()
    await scene.link()
    start = f"<@{scene.person(MEMBER)}> **Gold**: "
    asked = "It asks for the tier Gold of Emberwood Tales; "
    await scene.until(lambda: said(f"{start}given. {asked}active patron (Gold)"), "the grant is told")
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))
    await scene.services.rounds.run(trigger="test")
    await scene.until(lambda: said(f"{start}taken away. {asked}no longer a paying patron"), "the revoke is told")
    assert not said("to be")
