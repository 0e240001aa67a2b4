"""Whatever is said to people and to admins reads the same, whichever process found it out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.app import App
from bot.discord import notifier, outbox
from bot.discord.outbox import covers_people
from bot.domain.assignable import Block
from bot.domain.consent import Ended, Moved, Purpose, Word
from bot.domain.holds import HoldSummary
from bot.domain.model import ChannelId, DiscordUserId, GuildId, HoldId, RoleId, Secret
from bot.domain.notices import HandEditsFought, HoldWaiting, ListAcceptedElsewhere, RoleBlocked, Solved, Topic
from bot.storage.states import ButtonPlace
from sandbox.discord import Message
from sandbox.weather import Fault
from tests.fakes.postgres import Postgres
from tests.fakes.scene import MEMBER, Scene, buttons, serve, set_stage
from tests.fakes.stage import Stage, words

GOLD = RoleId(11)
TROUBLE = RoleBlocked(role_id=GOLD, role="Gold", block=Block.NO_RIGHT)
SOLVED = Solved(topic=Topic.ROLE, subject=GOLD, name="Gold")
HOLD = HoldSummary(hold_id=HoldId(7), opened_at=datetime(2026, 5, 4, tzinfo=UTC), roles=1, people=1, groups=())
MOVED = Moved(patreon_name="Ada", username="eve")
DENIED = Ended(purpose=Purpose.LINK, word=Word.DENIED)
CLOSED = "mossy_stone"
ELSEWHERE = GuildId(4242 << 22)


@pytest.fixture
async def stage(postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(Stage, "database_url", postgres.url(emptied))
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 0)
    async with set_stage() as stage:
        yield stage


@pytest.fixture
async def far(stage: Stage) -> AsyncIterator[App]:
    """Another process on the same database, which never meets Discord."""
    async with serve(stage) as far:
        yield far


@pytest.fixture(params=["its own", "another's"])
def teller(request: pytest.FixtureRequest, scene: Scene, far: App) -> App:
    """Whichever process finds out: the one that is at Discord, or another."""
    return scene.app if request.param == "its own" else far


async def said(scene: Scene, teller: App) -> None:
    """Let it be said; whoever can say it itself leaves nothing."""
    assert (await scene.app.storage.messages.count() > 0) is (teller is not scene.app)
    await scene.app.outbox.take()
    assert await scene.app.storage.messages.count() == 0


def posts(scene: Scene, channel_name: str = "bot-log") -> list[Message]:
    channels = scene.stage.sandbox.world.discord.channels.values()
    (channel,) = (one for one in channels if one.name == channel_name)
    return [message for message in channel.messages.values() if not message.ephemeral]


@pytest.fixture
async def log_channel(scene: Scene) -> None:
    channels = scene.stage.sandbox.world.discord.channels.values()
    (channel,) = (one for one in channels if one.name == "bot-log")
    await scene.app.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(channel.id)))


async def button_of(scene: Scene, username: str) -> ButtonPlace:
    """Let somebody type /link; return where the button is."""
    await scene.type(username, "link")
    attached = "SELECT state_id FROM states WHERE button IS NOT NULL"
    await scene.until(lambda: scene.stage.query(attached), "it is known where the button is")
    state = await scene.app.storage.states.find(scene.stage.query(attached)[0][0])
    assert state is not None
    assert state.button is not None
    return state.button


# --- what is said, whoever found it out


@pytest.mark.usefixtures("log_channel")
async def test_a_trouble_is_told_once_and_once_when_it_is_over(scene: Scene, teller: App) -> None:
    await teller.notifier.over(scene.guild_id, SOLVED)
    await teller.notifier.tell_admin(scene.guild_id, TROUBLE)
    await teller.notifier.tell_admin(scene.guild_id, TROUBLE)
    assert await teller.notifier.told(scene.guild_id, Topic.ROLE) == {str(GOLD)}
    await teller.notifier.over(scene.guild_id, SOLVED)
    await said(scene, teller)
    first, last = posts(scene)
    assert "I can't change the role **Gold** without the Manage Roles permission." in words([first])
    assert words([last]) == "I can change the role **Gold** again."


@pytest.mark.usefixtures("log_channel")
async def test_a_hold_comes_with_its_buttons(scene: Scene, teller: App) -> None:
    await teller.notifier.tell_admin(scene.guild_id, HoldWaiting(hold_id=HoldId(7), hold=HOLD))
    await said(scene, teller)
    assert [list(buttons(one).values()) for one in posts(scene)] == [["hold:discard:7", "hold:apply:7"]]


async def test_news_without_a_log_channel_wait_for_the_next_admin(scene: Scene, teller: App) -> None:
    news = ListAcceptedElsewhere(campaign="Moths")
    await teller.notifier.tell_news(scene.guild_id, news)
    await said(scene, teller)
    assert await teller.notifier.take_pending(scene.guild_id) == [news]
    assert len(posts(scene, "welcome")) == 1


@pytest.mark.usefixtures("log_channel")
async def test_changes_are_told(scene: Scene, teller: App) -> None:
    fought = [HandEditsFought(discord_user_id=DiscordUserId(one)) for one in (1, 2)]
    await teller.notifier.tell_changes(scene.guild_id, fought[:1])
    await teller.notifier.tell_changes(scene.guild_id, fought[1:])
    await said(scene, teller)
    await scene.until(lambda: "<@1>" in words(posts(scene)) and "<@2>" in words(posts(scene)), "they are told")


async def test_a_person_is_told_of_their_own_affairs(scene: Scene, teller: App) -> None:
    await teller.messages.tell(scene.person(MEMBER), MOVED, locale=None, guild_id=scene.guild_id)
    await said(scene, teller)
    assert "It's now linked to **@eve**" in words(scene.stage.direct_messages(MEMBER))


@pytest.mark.parametrize("username", [MEMBER, CLOSED], ids=["a direct message", "a reply"])
async def test_how_a_consent_ended_stands_where_its_button_was(scene: Scene, teller: App, username: str) -> None:
    place = await button_of(scene, username)
    await teller.messages.edit_button(place, DENIED, locale="en-US")
    if place.token is not None and teller is not scene.app:
        ((body,),) = scene.stage.query("SELECT body FROM messages")
        assert place.token.reveal() not in body
    await said(scene, teller)
    seen = scene.stage.sandbox.discord.messages_for(scene.stage.user_id(username))
    (message,) = [one for one in seen if "You weren't linked" in words([one])]
    assert buttons(message) == {}


@pytest.mark.usefixtures("log_channel")
async def test_changes_that_could_not_be_sent_before_the_end_are_left_to_others(
    scene: Scene, far: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "QUIET_SECONDS", 60)
    scene.stage.sandbox.weather.set(Fault("discord", "POST /channels", "500"))
    await scene.app.notifier.tell_changes(scene.guild_id, [HandEditsFought(discord_user_id=DiscordUserId(1))])
    await scene.app.notifier.close()
    scene.stage.sandbox.weather.clear()
    assert await far.storage.messages.count() == 1


# --- what cannot be said


async def test_what_is_not_understood_is_given_up(scene: Scene) -> None:
    for guild_id, body in (
        (scene.guild_id, "{"),
        (scene.guild_id, '{"say":"a joke"}'),
        (None, '{"say":"changes","changes":[]}'),
    ):
        await scene.app.storage.messages.add(guild_id, body)
    news = '{"consent":"ended","purpose":"link","word":"denied"}'
    sealed = f'{{"say":"ending","place":{{"kind":"dm"}},"locale":"en","news":{news}}}'
    await scene.app.storage.messages.add(None, sealed, secret_sealed="by a key that is gone")
    await scene.app.outbox.take()
    assert await scene.app.storage.messages.count() == 0


async def test_what_discord_will_never_take_is_given_up(scene: Scene, far: App) -> None:
    await far.messages.tell(scene.person(CLOSED), MOVED, locale="en-US", guild_id=None)
    await scene.app.outbox.take()
    assert await far.storage.messages.count() == 0


async def test_a_button_whose_reply_is_too_old_is_given_up(scene: Scene, far: App) -> None:
    place = await button_of(scene, CLOSED)
    place = msgspec.structs.replace(place, token=Secret("ran out"))
    await far.messages.edit_button(place, DENIED, locale="en-US")
    await scene.app.outbox.take()
    assert await far.storage.messages.count() == 0


async def test_what_discord_does_not_take_now_is_tried_again_after_a_pause(
    scene: Scene, far: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await far.messages.tell(scene.person(MEMBER), MOVED, locale="en-US", guild_id=None)
    with monkeypatch.context() as patched:
        patched.setattr(type(far.messages), "send_news", _away)
        await scene.app.outbox.take()
    await scene.app.outbox.take()
    assert await far.storage.messages.count() == 1, "the pause is not over"
    scene.app.outbox._later.clear()
    await scene.app.outbox.take()
    assert await far.storage.messages.count() == 0
    assert len(scene.stage.direct_messages(MEMBER)) == 1


async def _away(*_: object) -> None:
    raise TimeoutError


async def test_each_pause_is_longer_than_the_one_before(
    scene: Scene, far: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await far.messages.tell(scene.person(MEMBER), MOVED, locale="en-US", guild_id=None)
    monkeypatch.setattr(type(far.messages), "send_news", _away)
    pauses = []
    for _ in range(9):
        await scene.app.outbox.take()
        ((number, (_, pause)),) = scene.app.outbox._later.items()
        pauses.append(pause)
        scene.app.outbox._later[number] = 0.0, pause
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]


async def test_what_nobody_says_for_a_day_is_forgotten(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.app.storage.messages.add(ELSEWHERE, "{}")
    await scene.app.outbox.sweep()
    assert await scene.app.storage.messages.count() == 1
    monkeypatch.setattr(outbox, "KEPT", timedelta(seconds=-1))
    await scene.app.outbox.sweep()
    assert await scene.app.storage.messages.count() == 0


# --- whose it is to say


async def test_a_guild_that_is_out_of_sight_is_somebody_elses(scene: Scene) -> None:
    await scene.app.notifier.tell_news(ELSEWHERE, ListAcceptedElsewhere(campaign="Moths"))
    await scene.app.outbox.take()
    assert await scene.app.storage.messages.list_guilds() == {ELSEWHERE}


async def test_what_is_said_to_people_waits_for_whoever_they_write_to(scene: Scene, far: App) -> None:
    await far.messages.tell(scene.person(MEMBER), MOVED, locale="en-US", guild_id=None)
    scene.app.outbox._covers_people = lambda: False
    await scene.app.outbox.take()
    assert await far.storage.messages.count() == 1
    assert covers_people(None) is False
    assert covers_people(scene.bot) is True


async def test_whoever_is_rung_looks_at_once(scene: Scene, far: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LOOK_SECONDS", 60.0)
    looking = asyncio.create_task(scene.app.outbox.run())
    await asyncio.sleep(0)
    await far.messages.tell(scene.person(MEMBER), MOVED, locale="en-US", guild_id=None)
    scene.app.outbox.ring()
    await scene.until(lambda: scene.stage.direct_messages(MEMBER), "it is said")
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_one_place_that_is_slow_does_not_keep_the_others_waiting(
    scene: Scene, far: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()

    async def stuck(*_: object) -> None:
        await go_on.wait()

    monkeypatch.setattr(type(scene.app.notifier), "say", stuck)
    await far.notifier.tell_news(scene.guild_id, ListAcceptedElsewhere(campaign="Moths"))
    await far.messages.tell(scene.person(MEMBER), MOVED, locale="en-US", guild_id=None)
    taking = asyncio.create_task(scene.app.outbox.take())
    await scene.until(lambda: scene.stage.direct_messages(MEMBER), "the other one is said")
    go_on.set()
    await taking
