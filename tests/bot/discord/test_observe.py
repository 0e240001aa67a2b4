"""What Discord shows, and how long that counts."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.app import App
from bot.discord import observe
from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.domain.assignable import Permission, Right, dangerous_rights
from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.ledger import GuildMember
from bot.domain.model import DiscordUserId, GuildId, RoleId
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, SOON, Scene, connect, serve, set_stage

VIEW_CHANNEL, MANAGE_MESSAGES = 1 << 10, 1 << 13


@pytest.fixture
async def unhearing() -> AsyncIterator[Scene]:
    """A scene whose application may not see members."""
    async with set_stage() as stage:
        stage.sandbox.world.discord.intents_allowed.clear()
        async with serve(stage) as app, connect(app, has_members_intent=False) as bot:
            yield Scene(stage, app, bot)


async def roles(scene: Scene, observer: Observer, *, is_fresh: bool = False) -> set[str]:
    person = scene.person(MEMBER)
    member = (await observer.look(scene.guild_id, [person], is_fresh=is_fresh))[person]
    assert member is not None
    return {role.name for role in scene.stage.sandbox.world.guild.roles.values() if int(role.id) in member.role_ids}


async def test_with_the_intent_a_look_is_kept_true_by_events(scene: Scene) -> None:
    observer = scene.app.observer
    assert observer.hears_members
    assert "Gold" not in await roles(scene, observer)
    scene.discord.give_role(scene.person(MEMBER), scene.role("Gold"))
    observer.assume(scene.guild_id, scene.person(MEMBER), scene.role("Gold"), has_role=True)
    assert "Gold" in await roles(scene, observer)


async def test_without_it_a_look_counts_for_a_while_and_a_fresh_one_asks_anew(
    unhearing: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = unhearing.app.observer
    assert not observer.hears_members
    assert "Gold" not in await roles(unhearing, observer)
    unhearing.discord.give_role(unhearing.person(MEMBER), unhearing.role("Gold"))
    assert "Gold" not in await roles(unhearing, observer)
    assert "Gold" in await roles(unhearing, observer, is_fresh=True)
    unhearing.discord.take_role(unhearing.person(MEMBER), unhearing.role("Gold"))
    monkeypatch.setattr(observe, "UNHEARD_SECONDS", 0.0)
    assert "Gold" not in await roles(unhearing, observer)


async def test_what_is_written_during_a_look_is_newer_than_what_it_shows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, person, gold = scene.app.observer, scene.person(MEMBER), scene.role("Gold")
    await roles(scene, observer)
    ask = observer._ask

    async def ask_while_we_write(*asked: object) -> object:
        shown = await ask(*asked)  # type: ignore[arg-type]  # handed on as it came
        observer.assume(scene.guild_id, person, gold, has_role=True)
        return shown

    monkeypatch.setattr(observer, "_ask", ask_while_we_write)
    assert "Gold" in await roles(scene, observer, is_fresh=True)


async def test_before_discord_is_there_roles_do_not_follow_and_that_is_said(app: App) -> None:
    assert not app.observer.is_connected
    with pytest.raises(DiscordAway):
        await app.reconciler.follow(DiscordUserId(1), trigger=Trigger.SYNC)


async def test_those_who_wait_are_asked_for_along(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    observer, asked = scene.app.observer, []
    ask = observer._ask

    async def note(guild_id: GuildId, ids: tuple[DiscordUserId, ...]) -> dict[DiscordUserId, GuildMember | None]:
        asked.append(ids)
        return await ask(guild_id, ids)

    monkeypatch.setattr(observer, "_ask", note)
    one, two, three = (scene.person(name) for name in (MEMBER, ADMIN, "mossy_stone"))
    assert set(await observer.look(scene.guild_id, [one], along=[one, two])) == {one}
    await observer.look(scene.guild_id, [two])
    await observer.look(scene.guild_id, [two], along=[three])
    assert asked == [(one, two)], "who is known is not asked for, and nobody is asked for on another's account alone"


async def test_a_look_never_asks_for_more_along_than_one_call_takes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def note(_: GuildId, ids: tuple[DiscordUserId, ...]) -> dict[DiscordUserId, None]:
        asked.append(len(ids))
        return dict.fromkeys(ids)

    monkeypatch.setattr(scene.app.observer, "_ask", note)
    many = [DiscordUserId(number) for number in range(1000)]
    await scene.app.observer.look(scene.guild_id, many[:1], along=many)
    await scene.app.observer.look(scene.guild_id, many[500:600], along=many)
    assert asked == [100, 100]


async def test_while_the_gateway_holds_us_up_a_few_are_asked_for_by_rest(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, nobody = scene.app.observer, DiscordUserId(5)
    observer.forget()
    monkeypatch.setattr(scene.bot, "is_ws_ratelimited", lambda: True)
    scene.stage.sandbox.discord.calls.clear()
    scene.discord.give_role(str(scene.person(MEMBER)), str(scene.role("Gold")))
    assert "Gold" in await roles(scene, observer)
    assert (await observer.look(scene.guild_id, [nobody]))[nobody] is None
    calls = [call.route for call in scene.stage.sandbox.discord.calls]
    assert calls == ["GET /guilds/{g}/members/{u}"] * 2
    scene.discord.take_role(str(scene.person(MEMBER)), str(scene.role("Gold")))
    person = scene.person(MEMBER)
    await scene.until(
        lambda: scene.role("Gold") not in _seat_roles(observer, scene, person), "the gateway keeps what was seen true"
    )


def _seat_roles(observer: Observer, scene: Scene, person: DiscordUserId) -> frozenset[RoleId]:
    member = observer._seen[scene.guild_id][person].member
    assert member is not None
    return member.role_ids


def rights(scene: Scene, name: str) -> tuple[Right, ...]:
    look = scene.app.observer.look_guild(scene.guild_id)
    assert look is not None
    return dangerous_rights(look.roles[scene.role(name)])


async def test_what_a_channel_allows_a_role_is_seen_with_the_role(scene: Scene) -> None:
    scene.allow_in("patrons", "Gold", MANAGE_MESSAGES | VIEW_CHANNEL)
    scene.allow_in("general", "Silver", VIEW_CHANNEL)
    await scene.until(lambda: rights(scene, "Gold"), "the bot sees it")
    assert rights(scene, "Gold") == (Right(Permission.MANAGE_MESSAGES, ("patrons",)),)
    assert rights(scene, "Silver") == ()
    scene.allow_in("patrons", "Gold", VIEW_CHANNEL)
    await scene.until(lambda: rights(scene, "Gold") == (), "it is over")


@pytest.mark.parametrize(
    ("username", "may"),
    [(ADMIN, True), (MEMBER, False), ("wren.ashdown", True)],
    ids=["who manages roles", "who does not", "the owner"],
)
async def test_who_may_manage_roles_is_asked_of_discord(scene: Scene, username: str, may: bool) -> None:
    observer = scene.app.observer
    assert await observer.may_manage_roles(scene.guild_id, scene.person(username)) is may


async def test_who_left_may_nothing_and_of_whom_discord_tells_nothing_nobody_knows(scene: Scene) -> None:
    observer, admin = scene.app.observer, scene.person(ADMIN)
    scene.stage.sandbox.weather.set(Fault("discord", "GET */members/*", "503", times=1))
    assert await observer.may_manage_roles(scene.guild_id, admin) is None
    assert await observer.may_manage_roles(GuildId(1), admin) is None
    scene.discord.leave(str(admin))
    assert await observer.may_manage_roles(scene.guild_id, admin) is False


# --- answers that do not come, or late


def silence(scene: Scene) -> None:
    """Let the gateway answer no look any more."""
    scene.stage.sandbox.weather.set(Fault("discord", "/", "silent_looks"))


@pytest.fixture
def impatient(fresh: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The same, with short patience."""
    monkeypatch.setattr(observe, "SILENCE_SECONDS", 0.2)
    return fresh


def member_calls(scene: Scene) -> list[str]:
    return [call.route for call in scene.discord.calls if "/members" in call.route and call.method == "GET"]


def people(scene: Scene, count: int) -> list[DiscordUserId]:
    return [DiscordUserId(int(member)) for member in list(scene.stage.sandbox.world.guild.members)[:count]]


@pytest.fixture
def fresh(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene in which nothing is remembered, and endless patience with the gateway, however busy the machine is."""
    monkeypatch.setattr(observe, "SILENCE_SECONDS", 600.0)
    scene.app.observer.forget()
    scene.discord.calls.clear()
    return scene


async def test_a_silent_gateway_keeps_nobody_waiting_and_what_rest_shows_is_kept_true(impatient: Scene) -> None:
    observer, person, gold = impatient.app.observer, impatient.person(MEMBER), impatient.role("Gold")
    impatient.discord.give_role(str(person), str(gold))
    silence(impatient)
    async with asyncio.timeout(SOON):
        assert "Gold" in await roles(impatient, observer)
    assert member_calls(impatient) == ["GET /guilds/{g}/members/{u}"]
    impatient.discord.take_role(str(person), str(gold))
    await impatient.until(lambda: gold not in _seat_roles(observer, impatient, person), "an event reaches us")


async def test_after_one_silence_the_next_people_do_not_wait_for_the_gateway(
    impatient: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, (one, two, *others) = impatient.app.observer, people(impatient, 12)
    silence(impatient)
    await observer.look(impatient.guild_id, [one])
    monkeypatch.setattr(observe, "SILENCE_SECONDS", 600.0)
    async with asyncio.timeout(SOON):
        await observer.look(impatient.guild_id, [two], along=others)
    along = set(others[: observe.FEW - 1])
    await impatient.until(lambda: along <= set(observer.known(impatient.guild_id)), "some who wait are asked for along")
    assert len(member_calls(impatient)) == 1 + observe.FEW


async def test_a_gateway_that_was_silent_is_tried_again_and_then_used(
    impatient: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, (one, two, three, *_) = impatient.app.observer, people(impatient, 12)
    silence(impatient)
    await observer.look(impatient.guild_id, [one])
    impatient.stage.sandbox.weather.clear()
    await asyncio.sleep(observe.SILENCE_SECONDS)
    await observer.look(impatient.guild_id, [two])
    await impatient.until(lambda: not observer._silent, "it answered a look that nobody waited for")
    impatient.discord.calls.clear()
    monkeypatch.setattr(observe, "SILENCE_SECONDS", 600.0)
    await observer.look(impatient.guild_id, [three])
    assert member_calls(impatient) == []


class Later:
    """An answer of the gateway that comes when the test wants it."""

    def __init__(self, observer: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ask = observer._ask
        self.asked: list[tuple[DiscordUserId, ...]] = []
        self.comes = asyncio.Event()
        monkeypatch.setattr(observer, "_ask", self)

    async def __call__(
        self, guild_id: GuildId, ids: tuple[DiscordUserId, ...]
    ) -> dict[DiscordUserId, GuildMember | None]:
        self.asked.append(ids)
        await self.comes.wait()
        return await self._ask(guild_id, ids)


async def test_a_late_answer_of_the_gateway_still_counts(impatient: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    observer, person = impatient.app.observer, impatient.person(MEMBER)
    answer = Later(observer, monkeypatch)
    impatient.stage.sandbox.weather.set(Fault("discord", "GET */members/*", "503"))
    with pytest.raises(DiscordAway):
        await observer.look(impatient.guild_id, [person])
    assert observer.known(impatient.guild_id) == [], "nobody is taken for no member"
    answer.comes.set()
    await impatient.until(lambda: observer.known(impatient.guild_id) == [person], "it came")


async def test_of_a_slow_gateway_and_a_slow_rest_the_first_answer_counts(
    impatient: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = impatient.app.observer
    answer = Later(observer, monkeypatch)

    async def never(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(observe, "_fetch_member", never)
    asyncio.get_running_loop().call_later(2 * observe.SILENCE_SECONDS, answer.comes.set)
    async with asyncio.timeout(SOON):
        assert "Gold" not in await roles(impatient, observer)


async def test_an_answer_that_is_older_than_what_is_known_does_not_count(
    impatient: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, person, gold = impatient.app.observer, impatient.person(MEMBER), impatient.role("Gold")
    answer = Later(observer, monkeypatch)
    await observer.look(impatient.guild_id, [person])
    observer.assume(impatient.guild_id, person, gold, has_role=True)
    answer.comes.set()
    await impatient.until(lambda: not observer._asked[impatient.guild_id], "it came")
    assert gold in _seat_roles(observer, impatient, person)


async def test_a_look_under_way_serves_whoever_asks_meanwhile(fresh: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    observer, asked = fresh.app.observer, people(fresh, 8)
    answer = Later(observer, monkeypatch)
    looks = [asyncio.create_task(observer.look(fresh.guild_id, asked)) for _ in range(3)]
    looks.append(asyncio.create_task(observer.look(fresh.guild_id, asked, is_fresh=True)))
    await fresh.until(lambda: len(answer.asked) == 2, "they were asked for")
    answer.comes.set()
    await asyncio.gather(*looks)
    assert answer.asked == [tuple(asked)] * 2, "once for all, and once for who wants it fresh"


async def test_who_was_forgotten_during_a_look_is_asked_for_again(
    fresh: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, asked = fresh.app.observer, people(fresh, 8)
    answer = Later(observer, monkeypatch)
    look = asyncio.create_task(observer.look(fresh.guild_id, asked))
    await fresh.until(lambda: answer.asked, "they were asked for")
    observer.forget(fresh.guild_id, asked[0])
    answer.comes.set()
    await look
    assert observer.known(fresh.guild_id) == sorted(asked[1:])


async def test_the_end_of_the_session_that_was_asked_makes_nobody_a_stranger(fresh: Scene) -> None:
    observer = fresh.app.observer
    silence(fresh)
    look = asyncio.create_task(observer.look(fresh.guild_id, people(fresh, 8)))
    state = fresh.bot._connection
    await fresh.until(lambda: state._chunk_requests, "they were asked for")
    state.clear(views=False)  # what discord.py does where a new session begins
    state.clear_chunk_requests(None)
    with pytest.raises(DiscordAway):
        await look
    assert observer.known(fresh.guild_id) == []


async def test_who_links_while_the_gateway_is_silent_gets_their_role(impatient: Scene) -> None:
    await impatient.add_rule()
    await impatient.app.rounds.run(trigger=Trigger.SYNC)
    impatient.app.observer.forget()
    silence(impatient)
    async with asyncio.timeout(SOON):
        await impatient.link()
        await impatient.written(MEMBER, AuditAction.GRANT, Outcome.DONE)


# --- thousands in one server


@pytest.fixture
def many(fresh: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene in which eight people are many."""
    monkeypatch.setattr(observe, "MANY", 8)
    return fresh


async def test_many_are_found_in_the_list_and_nobody_else_is_remembered(many: Scene) -> None:
    observer, gold = many.app.observer, many.role("Gold")
    asked = [*people(many, 9), DiscordUserId(5)]
    many.discord.give_role(str(asked[0]), str(gold))
    shown = await observer.look(many.guild_id, asked)
    assert member_calls(many) == ["GET /guilds/{g}/members"]
    assert shown[DiscordUserId(5)] is None
    assert gold in _seat_roles(observer, many, asked[0])
    assert observer.known(many.guild_id) == sorted(asked)
    guild = many.bot.get_guild(many.guild_id)
    assert guild is not None
    assert {member.id for member in guild.members} <= {*asked, guild.me.id}
    many.discord.take_role(str(asked[0]), str(gold))
    await many.until(lambda: gold not in _seat_roles(observer, many, asked[0]), "an event reaches us")


async def test_in_a_server_of_strangers_many_are_asked_for_by_id(many: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "LIST_SHARE", 1)
    await many.app.observer.look(many.guild_id, people(many, 9))
    assert member_calls(many) == []


async def test_where_the_list_cannot_be_read_they_are_asked_for_by_id(many: Scene) -> None:
    fault = Fault("discord", "GET */members", "503")
    many.stage.sandbox.weather.set(fault)
    shown = await many.app.observer.look(many.guild_id, people(many, 9))
    assert fault.struck == 1
    assert None not in shown.values()
