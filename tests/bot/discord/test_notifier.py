"""What the bot says of its own accord, to people and to admins."""

import asyncio
import re
from collections.abc import Coroutine
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from bot.discord import notifier
from bot.domain.assignable import Block
from bot.domain.errors import DatabaseAway, Later
from bot.domain.holds import HoldSummary
from bot.domain.model import ChannelId, DiscordUserId, GuildId, HoldId, RoleId, RunId
from bot.domain.notices import (
    ChangeFound,
    HandEditsFought,
    HoldWaiting,
    ListAcceptedElsewhere,
    RoleBlocked,
    Solved,
    Topic,
    TwoFactorNeeded,
)
from bot.runtime import background
from bot.storage.notices import Notices
from bot.texts.card import Outcome
from bot.texts.catalogs import PSEUDO_TAG
from bot.texts.pseudo import OPEN
from sandbox.discord import Message, permissions
from sandbox.discord.changes import Actor
from sandbox.weather import Fault
from tests.fakes.gate import Gate
from tests.fakes.scene import ADMIN, MEMBER, SOON, Scene, buttons
from tests.fakes.stage import words

GOLD, SILVER = RoleId(11), RoleId(12)
TROUBLE = RoleBlocked(role_id=GOLD, role="Gold", block=Block.NO_RIGHT)
SOLVED = Solved(topic=Topic.ROLE, subject=GOLD, name="Gold")
ANOTHER = RoleBlocked(role_id=SILVER, role="Silver", block=Block.NO_RIGHT)
CLOSED = "mossy_stone"
HOLD = HoldSummary(hold_id=HoldId(7), opened_at=datetime(2026, 5, 4, tzinfo=UTC), roles=1, people=1, groups=())
SUPPRESS_EMBEDS = 1 << 2  # discord-api-docs, Message Flags


def fought(number: int) -> HandEditsFought:
    return HandEditsFought(discord_user_id=DiscordUserId(number))


def told_of(messages: list[Message]) -> list[str]:
    """Return whom changes were told of."""
    return re.findall(r"<@(\d+)>", words(messages))


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the end wait for what is still to be told, however busy the machine is."""
    monkeypatch.setattr(notifier, "CLOSE_SECONDS", SOON)


@pytest.fixture
async def pseudo_server(scene: Scene) -> None:
    """Let the server speak the language in which every message of ours is marked."""
    await scene.app.storage.guilds.change(scene.guild_id, language=PSEUDO_TAG)


def posts(scene: Scene, channel_name: str) -> list[Message]:
    """Return what was posted in a channel."""
    channels = scene.stage.sandbox.world.discord.channels.values()
    (channel,) = (one for one in channels if one.name == channel_name)
    return [message for message in channel.messages.values() if not message.ephemeral]


async def log_to(scene: Scene, channel_name: str) -> None:
    channels = scene.stage.sandbox.world.discord.channels.values()
    (channel,) = (one for one in channels if one.name == channel_name)
    await scene.app.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(channel.id)))


async def test_an_address_in_a_foreign_name_is_not_unfolded(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    await scene.app.notifier.tell_admin(scene.guild_id, replace(TROUBLE, role="https://a.example"))
    (post,) = posts(scene, "bot-log")
    assert post.content == "", "Discord unfolds no address in a card"
    assert "https\\://a.example" in words([post])


async def test_a_trouble_is_told_once_and_once_when_it_is_over(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    tell, over = scene.app.notifier.tell_admin, scene.app.notifier.over
    await over(scene.guild_id, SOLVED)
    await tell(scene.guild_id, TROUBLE)
    await tell(scene.guild_id, replace(TROUBLE, block=Block.ABOVE_BOT))
    await over(scene.guild_id, SOLVED)
    await over(scene.guild_id, SOLVED)
    first, last = posts(scene, "bot-log")
    assert "I can't change the role **Gold** without the Manage Roles permission." in words([first])
    assert words([last]) == "I can change the role **Gold** again."
    assert [message.embeds[0]["color"] for message in (first, last)] == [Outcome.PROBLEM.value, Outcome.DONE.value]
    await tell(scene.guild_id, TROUBLE)
    assert len(posts(scene, "bot-log")) == 3


async def test_a_trouble_found_in_two_places_at_once_is_told_once(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    tell = scene.app.notifier.tell_admin
    blocks = (Block.REFUSED, Block.ABOVE_BOT)
    await asyncio.gather(*(tell(scene.guild_id, replace(TROUBLE, block=block)) for block in blocks))
    assert len(posts(scene, "bot-log")) == 1


async def test_a_trouble_that_another_process_has_just_told_of_is_not_told_again(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    notices = scene.app.storage.notices
    assert await scene.app.notifier.told(scene.guild_id, Topic.ROLE) == frozenset(), "and that is remembered"
    await Notices(scene.app.storage.database).note(f"trouble:{scene.guild_id}:{TROUBLE.key}", scene.app.clock.now())
    assert await notices.keys("trouble:") == frozenset()
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    assert posts(scene, "bot-log") == []


async def cut_off(telling: Coroutine[Any, Any, None], at: Gate) -> None:
    """Cut off whoever tells, as a stop or a lost turn does, when they have come to a gate; then open that."""
    task = asyncio.create_task(telling)
    await at.reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    at.opened.set()


@pytest.mark.parametrize("verb", ["note", "clear"])
async def test_what_is_noted_is_told_also_where_whoever_tells_it_is_cut_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    await log_to(scene, "bot-log")
    teller, notices = scene.app.notifier, scene.app.storage.notices
    gate = Gate(getattr(notices, verb), is_behind=True)
    monkeypatch.setattr(notices, verb, gate)
    if verb == "clear":
        await teller.tell_admin(scene.guild_id, TROUBLE)
        await cut_off(teller.over(scene.guild_id, SOLVED), gate)
    else:
        await cut_off(teller.tell_admin(scene.guild_id, TROUBLE), gate)
    await teller.close()
    assert len(posts(scene, "bot-log")) == (2 if verb == "clear" else 1)
    assert await teller.take_pending(scene.guild_id) == []


async def test_what_cannot_be_told_before_the_end_is_kept_for_the_next_reply(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "CLOSE_SECONDS", 0.05)
    await log_to(scene, "bot-log")
    teller = scene.app.notifier
    gate = Gate(teller._send_to_log)
    monkeypatch.setattr(teller, "_send_to_log", gate)
    telling = asyncio.create_task(teller.tell_admin(scene.guild_id, TROUBLE))
    await gate.reached.wait()
    await teller.close()
    await asyncio.wait({telling}, timeout=SOON)
    assert telling.cancelled(), "nothing is left of it"
    assert posts(scene, "bot-log") == []
    assert await teller.take_pending(scene.guild_id) == [TROUBLE]


async def test_a_database_that_is_away_after_a_message_stops_no_later_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    await log_to(scene, "bot-log")
    teller, notices, keys = scene.app.notifier, scene.app.storage.notices, scene.app.storage.notices.keys
    is_asked = asyncio.Event()

    async def away(_: str) -> frozenset[str]:
        is_asked.set()
        raise DatabaseAway(Later.DATABASE_AWAY, reason="gone")

    monkeypatch.setattr(notices, "keys", away)
    await teller.tell_changes(scene.guild_id, [fought(1)])
    await is_asked.wait()
    monkeypatch.setattr(notices, "keys", keys)
    await scene.until(lambda: not teller._flushing, "the first message is dealt with")
    await teller.tell_changes(scene.guild_id, [fought(2)])
    await scene.until(lambda: told_of(posts(scene, "bot-log")) == ["1", "2"], "both are told")


async def test_a_hold_is_told_with_its_buttons_and_again_when_it_has_grown(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    tell, hold = scene.app.notifier.tell_admin, HoldWaiting(hold_id=HoldId(7), hold=HOLD)
    await tell(scene.guild_id, hold)
    await tell(scene.guild_id, replace(hold, hold=replace(HOLD, people=2)))
    await tell(scene.guild_id, replace(hold, hold=replace(HOLD, roles=2)), is_again=True)
    said = [words([message]) for message in posts(scene, "bot-log")]
    assert ["1 role from" in said[0], "2 roles from" in said[1], len(said)] == [True, True, 2]
    for message in posts(scene, "bot-log"):
        assert list(buttons(message).values()) == ["hold:discard:7", "hold:apply:7"]


async def test_without_a_log_channel_the_system_channel_is_used_once_until_admins_read(scene: Scene) -> None:
    tell = scene.app.notifier.tell_admin
    await tell(scene.guild_id, TROUBLE)
    await tell(scene.guild_id, ANOTHER)
    (message,) = posts(scene, "welcome")
    assert "no log channel" in message.content
    assert "Gold" not in message.content  # everybody reads that channel
    assert "the role **Silver**" in await scene.say(ADMIN, "patreon rule list")
    await tell(scene.guild_id, TwoFactorNeeded())
    assert len(posts(scene, "welcome")) == 2


async def test_what_is_not_over_is_listed_for_its_own_server(scene: Scene) -> None:
    tell, now = scene.app.notifier.tell_admin, scene.app.clock.now()
    for trouble in (TROUBLE, ANOTHER, TwoFactorNeeded()):
        await tell(scene.guild_id, trouble)
    await tell(GuildId(5), replace(TROUBLE, role="Elsewhere"))
    await scene.app.notifier.over(scene.guild_id, SOLVED)
    await scene.app.storage.notices.note(f"trouble:{scene.guild_id}:ban", now, "a sentence of an older version")
    assert await scene.app.notifier.list_open(scene.guild_id) == (ANOTHER, TwoFactorNeeded())


async def test_what_waits_for_admins_outlives_a_restart(scene: Scene) -> None:
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    app = scene.app
    again = notifier.Notifier(holder=app.holder, storage=app.storage, clock=app.clock)
    assert await again.take_pending(scene.guild_id) == [TROUBLE]
    assert await again.take_pending(scene.guild_id) == []


async def test_a_log_channel_that_refuses_us_leaves_the_news_for_the_next_reply(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", "403"))
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    scene.stage.sandbox.weather.clear()
    assert "the role **Gold**" in await scene.say(ADMIN, "patreon rule list")


async def test_changes_that_come_together_are_one_message_that_pings_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0.1)
    await log_to(scene, "bot-log")
    for _ in range(3):
        await scene.app.notifier.tell_changes(scene.guild_id, [fought(scene.person(MEMBER))])
    await scene.until(lambda: posts(scene, "bot-log"), "the changes are told")
    (message,) = posts(scene, "bot-log")
    assert told_of([message]) == [str(scene.person(MEMBER))] * 3
    assert message.mentions == []


async def test_changes_that_follow_each_other_at_discords_pace_are_one_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]  # by this clock nothing waits longer than it is told to, however busy the machine is
    monkeypatch.setattr(notifier, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0.05)
    await log_to(scene, "bot-log")
    for number in range(8):
        await scene.app.notifier.tell_changes(scene.guild_id, [fought(number)])
        await asyncio.sleep(0.1)  # it looks meanwhile whether it has been quiet
        now[0] += 0.04
    assert posts(scene, "bot-log") == []
    now[0] += 0.05
    await scene.until(lambda: posts(scene, "bot-log"), "the changes are told")
    assert [len(told_of([message])) for message in posts(scene, "bot-log")] == [8]


async def test_a_run_that_does_not_end_is_told_of_in_between(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 60)
    monkeypatch.setattr(notifier, "LONGEST_BATCH_SECONDS", 0.3)
    await log_to(scene, "bot-log")
    async with asyncio.timeout(SOON):
        for number in count():
            await scene.app.notifier.tell_changes(scene.guild_id, [fought(number)])
            await asyncio.sleep(0.1)
            if posts(scene, "bot-log"):
                break


@pytest.mark.parametrize("fault", ["500", "503"])
async def test_changes_are_kept_while_discord_does_not_take_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    monkeypatch.setattr(notifier, "AGAIN_SECONDS", 0.1)
    await log_to(scene, "bot-log")
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", fault, times=1))
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(1)])
    await asyncio.sleep(0.05)
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(2)])
    await scene.until(lambda: "2" in told_of(posts(scene, "bot-log")), "both are told")
    assert told_of(posts(scene, "bot-log")) == ["1", "2"]


async def test_a_log_channel_that_shuts_us_out_is_told_of_once_and_when_it_opens(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    await log_to(scene, "bot-log")
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", "403"))
    for _ in range(2):
        await scene.app.notifier.tell_changes(scene.guild_id, [fought(1)])
        await scene.until(lambda: not scene.app.notifier._flushing, "it is shut, and that is told")
    assert any(call.status == 403 for call in scene.discord.calls)
    scene.stage.sandbox.weather.clear()
    said = await scene.say(ADMIN, "patreon rule list")
    assert said.count("I can't post in <#") == 1
    assert "`/patreon settings log_channel:`" in said
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(2)])
    await scene.until(lambda: "I can post in the log channel again." in words(posts(scene, "bot-log")), "it is over")


async def test_many_changes_come_as_a_file(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    await log_to(scene, "bot-log")
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(number) for number in range(1000)])
    await scene.until(lambda: posts(scene, "bot-log"), "the changes are told")
    (message,) = posts(scene, "bot-log")
    assert "1,000 changes are listed in the file." in words([message])
    assert [file["filename"] for file in message.attachments] == ["changes.txt"]


async def test_changes_that_wait_are_told_before_the_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 600)
    await log_to(scene, "bot-log")
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(1)])
    await asyncio.wait_for(scene.app.notifier.close(), SOON)
    assert told_of(posts(scene, "bot-log")) == ["1"]


async def test_each_run_is_told_in_a_message_of_its_own(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    changes = [
        ChangeFound(discord_user_id=DiscordUserId(number), role="Gold", is_given=True, run_id=RunId(1 + number % 2))
        for number in range(6)
    ]
    await scene.app.notifier.tell_changes(scene.guild_id, changes)
    await scene.app.notifier.close()
    told = [words([message]) for message in posts(scene, "bot-log")]
    assert [("Run 1" in one, "Run 2" in one) for one in told] == [(True, False), (False, True)]


async def test_without_a_log_channel_changes_are_told_nowhere(scene: Scene) -> None:
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(1)])
    await scene.app.notifier.close()
    assert posts(scene, "welcome") == []


async def test_what_fits_no_message_goes_on_in_the_next(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    await log_to(scene, "bot-log")
    await scene.app.notifier.tell_changes(scene.guild_id, [fought(number) for number in range(40)])
    await scene.until(lambda: len(told_of(posts(scene, "bot-log"))) == 40, "all are told")
    assert told_of(posts(scene, "bot-log")) == [str(number) for number in range(40)]
    assert len(posts(scene, "bot-log")) > 1
    assert all(message.attachments == [] for message in posts(scene, "bot-log"))


async def test_a_guild_is_spoken_to_in_its_language(scene: Scene, pseudo_server: None) -> None:
    await log_to(scene, "bot-log")
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    await scene.app.notifier.tell_news(scene.guild_id, ListAcceptedElsewhere(campaign="Moths"))
    await scene.app.notifier.over(scene.guild_id, SOLVED)
    assert [OPEN in words([message]) for message in posts(scene, "bot-log")] == [True] * 3


async def test_what_waits_is_said_in_the_language_of_whoever_reads_it(scene: Scene, pseudo_server: None) -> None:
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    assert OPEN not in await scene.say(ADMIN, "patreon rule list")


async def test_of_several_that_come_at_once_each_waits_and_is_read_once(scene: Scene) -> None:
    notifier, names = scene.app.notifier, ["Moths", "Owls", "Newts"]
    reading = asyncio.create_task(notifier.take_pending(scene.guild_id))
    await asyncio.gather(*(notifier.tell_news(scene.guild_id, ListAcceptedElsewhere(campaign=name)) for name in names))
    read = [*await reading, *await notifier.take_pending(scene.guild_id)]
    assert sorted(notice.campaign for notice in read if isinstance(notice, ListAcceptedElsewhere)) == sorted(names)
    assert await notifier.take_pending(scene.guild_id) == []


@pytest.mark.parametrize("fault", ["404", "drop"])
async def test_what_an_answer_that_did_not_arrive_was_to_say_is_said_by_the_next(scene: Scene, fault: str) -> None:
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    scene.stage.weather("discord", "POST /webhooks/*", fault, times=1)
    await scene.say(ADMIN, "patreon rule list")
    await scene.app.notifier.tell_news(scene.guild_id, ListAcceptedElsewhere(campaign="Moths"))
    async with scene.app.notifier.pending(scene.guild_id) as pending:
        assert pending == [TROUBLE, ListAcceptedElsewhere(campaign="Moths")]


async def test_what_discord_refuses_to_show_does_not_stand_in_the_way_of_every_answer(scene: Scene) -> None:
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    scene.stage.weather("discord", "POST /webhooks/*", "50035", times=1)
    await scene.say(ADMIN, "patreon rule list")
    assert await scene.app.notifier.take_pending(scene.guild_id) == []


async def test_what_an_earlier_version_kept_as_a_sentence_is_shown_as_it_is(scene: Scene) -> None:
    notices, now = scene.app.storage.notices, scene.app.clock.now()
    await notices.note(f"pending:{scene.guild_id}", now, '["\\u26a0 An old sentence about a role"]')
    await notices.note(f"trouble:{scene.guild_id}:{TROUBLE.key}", now, "An old sentence about a role")
    assert await scene.app.notifier.told(scene.guild_id, Topic.ROLE) == {str(GOLD)}
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    await scene.app.notifier.over(scene.guild_id, SOLVED)
    said = await scene.say(ADMIN, "patreon rule list")
    assert said.index("An old sentence about a role") < said.index("I can change the role **Gold** again.")
    assert "Manage Roles" not in said, "it had been told of"


async def test_a_log_channel_that_takes_no_cards_gets_plain_messages(scene: Scene) -> None:
    await log_to(scene, "bot-log")
    world = scene.stage.sandbox.world
    channel = next(one for one in world.discord.channels.values() if one.name == "bot-log")
    world.discord.deny(channel, world.discord.bot.id, permissions.EMBED_LINKS)
    scene.discord.changes.update_channel(world.guild, channel, Actor(scene.stage.user_id(ADMIN)))
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    shown = guild.get_channel(int(channel.id))
    assert shown is not None
    await scene.until(lambda: not shown.permissions_for(guild.me).embed_links, "the channel takes no cards")
    await scene.app.notifier.tell_admin(scene.guild_id, TROUBLE)
    (message,) = posts(scene, "bot-log")
    assert message.embeds == []
    assert message.content.startswith("**I can't change a role**\nI can't change the role **Gold**")
    assert message.flags & SUPPRESS_EMBEDS
