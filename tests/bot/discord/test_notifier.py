"""What the bot says of its own accord, to people and to admins."""

import asyncio

import pytest

from bot.app import App
from bot.discord import notifier
from bot.domain.model import ChannelId, HoldId
from sandbox.discord import Message
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words

TROUBLE = "I cannot give the role **Gold**"
CLOSED = "mossy_stone"
SUPPRESS_EMBEDS = 1 << 2  # discord-api-docs, Message Flags


def posts(scene: Scene, channel_name: str) -> list[Message]:
    """Return what was posted in a channel."""
    channels = scene.stage.sandbox.world.discord.channels.values()
    (channel,) = (one for one in channels if one.name == channel_name)
    return [message for message in channel.messages.values() if not message.ephemeral]


async def log_to(scene: Scene, channel_name: str) -> None:
    channels = scene.stage.sandbox.world.discord.channels.values()
    (channel,) = (one for one in channels if one.name == channel_name)
    await scene.services.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(channel.id)))


async def test_a_person_is_told_by_direct_message(scene: Scene) -> None:
    await scene.services.notifier.tell(scene.person(MEMBER), "Your link moved")
    assert words(scene.stage.direct_messages(MEMBER)) == "Your link moved"


async def test_an_address_in_a_foreign_name_is_not_unfolded(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    await scene.services.notifier.tell(scene.person(MEMBER), "Linked to https://a.example")
    await scene.services.notifier.tell_admin(scene.guild_id, "role", "https://a.example has no role")
    messages = [*scene.stage.direct_messages(MEMBER), *posts(scene, "bot-log")]
    assert [message.flags & SUPPRESS_EMBEDS for message in messages] == [SUPPRESS_EMBEDS] * 2


async def test_closed_direct_messages_are_no_error(scene: Scene) -> None:
    await scene.services.notifier.tell(scene.person(CLOSED), "Your link moved")
    assert scene.stage.direct_messages(CLOSED) == []


async def test_without_a_connection_a_message_is_given_up_after_a_while(
    services: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "CLIENT_WITHIN_SECONDS", 0.01)
    await services.notifier.tell(1, "x")  # type: ignore[arg-type]  # nobody


async def test_a_trouble_is_told_once_and_once_when_it_is_over(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    tell, over = scene.services.notifier.tell_admin, scene.services.notifier.over
    await over(scene.guild_id, "role", "I can again")
    await tell(scene.guild_id, "role", TROUBLE)
    await tell(scene.guild_id, "role", f"{TROUBLE}, still")
    await over(scene.guild_id, "role", "I can again")
    await over(scene.guild_id, "role", "I can again")
    assert [message.content for message in posts(scene, "bot-log")] == [f"⚠️ {TROUBLE}", "✅ I can again"]
    await tell(scene.guild_id, "role", TROUBLE)
    assert len(posts(scene, "bot-log")) == 3


async def test_a_trouble_found_in_two_places_at_once_is_told_once(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    tell = scene.services.notifier.tell_admin
    await asyncio.gather(*(tell(scene.guild_id, "role", f"{TROUBLE}: {why}") for why in ("refused", "blocked")))
    assert len(posts(scene, "bot-log")) == 1


async def test_a_hold_is_told_with_its_buttons_and_again_when_it_has_grown(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    tell, hold_id = scene.services.notifier.tell_admin, HoldId(7)
    await tell(scene.guild_id, "hold:7", "Hold 7: one", hold_id=hold_id)
    await tell(scene.guild_id, "hold:7", "Hold 7: one, still", hold_id=hold_id)
    await tell(scene.guild_id, "hold:7", "Hold 7: two", hold_id=hold_id, is_again=True)
    assert [message.content for message in posts(scene, "bot-log")] == ["⚠️ Hold 7: one", "⚠️ Hold 7: two"]
    for message in posts(scene, "bot-log"):
        assert list(buttons(message).values()) == ["hold:apply:7", "hold:discard:7"]


async def test_without_a_log_channel_the_system_channel_is_used_once_until_admins_read(scene: Scene) -> None:
    tell = scene.services.notifier.tell_admin
    await tell(scene.guild_id, "one", "First trouble")
    await tell(scene.guild_id, "two", "Second trouble")
    (message,) = posts(scene, "welcome")
    assert "no log channel" in message.content
    assert "First trouble" not in message.content  # everybody reads that channel
    assert "Second trouble" in await scene.say(ADMIN, "patreon rule list")
    await tell(scene.guild_id, "three", "Third trouble")
    assert len(posts(scene, "welcome")) == 2


async def test_what_waits_for_admins_outlives_a_restart(scene: Scene) -> None:
    await scene.services.notifier.tell_admin(scene.guild_id, "one", TROUBLE)
    services = scene.services
    again = notifier.Notifier(holder=services.holder, storage=services.storage, clock=services.clock)
    assert await again.take_pending(scene.guild_id) == [f"⚠️ {TROUBLE}"]
    assert await again.take_pending(scene.guild_id) == []


async def test_a_log_channel_that_refuses_us_leaves_the_news_for_the_next_reply(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", "403"))
    await scene.services.notifier.tell_admin(scene.guild_id, "one", TROUBLE)
    scene.stage.sandbox.weather.clear()
    assert TROUBLE in await scene.say(ADMIN, "patreon rule list")


async def test_changes_that_come_together_are_one_message_that_pings_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0.1)
    await log_to(scene, "bot-log")
    for number in range(3):
        await scene.services.notifier.tell_changes(scene.guild_id, [f"<@{scene.person(MEMBER)}> change {number}"])
    await scene.until(lambda: posts(scene, "bot-log"), "the changes are told")
    (message,) = posts(scene, "bot-log")
    assert message.content.count("change") == 3
    assert message.mentions == []


async def test_changes_that_follow_each_other_at_discords_pace_are_one_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0.5)
    await log_to(scene, "bot-log")
    for number in range(8):
        await scene.services.notifier.tell_changes(scene.guild_id, [f"change {number}"])
        await asyncio.sleep(0.1)
    assert posts(scene, "bot-log") == []
    await scene.until(lambda: posts(scene, "bot-log"), "the changes are told")
    assert [message.content.count("change") for message in posts(scene, "bot-log")] == [8]


async def test_a_run_that_does_not_end_is_told_of_in_between(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "LONGEST_BATCH_SECONDS", 0.3)
    await log_to(scene, "bot-log")
    for number in range(8):
        await scene.services.notifier.tell_changes(scene.guild_id, [f"change {number}"])
        await asyncio.sleep(0.1)
    assert posts(scene, "bot-log")


@pytest.mark.parametrize("fault", ["500", "503"])
async def test_changes_are_kept_while_discord_does_not_take_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    monkeypatch.setattr(notifier, "AGAIN_SECONDS", 0.1)
    await log_to(scene, "bot-log")
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", fault, times=1))
    await scene.services.notifier.tell_changes(scene.guild_id, ["first change"])
    await asyncio.sleep(0.05)
    await scene.services.notifier.tell_changes(scene.guild_id, ["second change"])
    await scene.until(lambda: "second" in words(posts(scene, "bot-log")), "both are told")
    assert words(posts(scene, "bot-log")).split() == ["first", "change", "second", "change"]


async def test_a_log_channel_that_shuts_us_out_is_told_of_once_and_when_it_opens(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    await log_to(scene, "bot-log")
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", "403"))
    for _ in range(2):
        await scene.services.notifier.tell_changes(scene.guild_id, ["a change"])
        await asyncio.sleep(0.2)
    scene.stage.sandbox.weather.clear()
    said = await scene.say(ADMIN, "patreon rule list")
    assert said.count("I cannot write in <#") == 1
    assert "`/patreon settings log_channel:`" in said
    await scene.services.notifier.tell_changes(scene.guild_id, ["a later change"])
    await scene.until(lambda: "again" in words(posts(scene, "bot-log")), "it is over")


async def test_many_changes_come_as_a_file(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    await log_to(scene, "bot-log")
    await scene.services.notifier.tell_changes(scene.guild_id, [f"change {number}" for number in range(1000)])
    await scene.until(lambda: posts(scene, "bot-log"), "the changes are told")
    (message,) = posts(scene, "bot-log")
    assert message.content == "1000 role changes, listed in the file."
    assert [file["filename"] for file in message.attachments] == ["changes.txt"]


async def test_changes_that_wait_are_told_before_the_end(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    await scene.services.notifier.tell_changes(scene.guild_id, ["a change"])
    await asyncio.wait_for(scene.services.notifier.close(), 2)
    assert [message.content for message in posts(scene, "bot-log")] == ["a change"]


async def test_without_a_log_channel_changes_are_told_nowhere(scene: Scene) -> None:
    await scene.services.notifier.tell_changes(scene.guild_id, ["a change"])
    await scene.services.notifier.close()
    assert posts(scene, "welcome") == []
