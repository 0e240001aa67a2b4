"""What Discord shows, and how long that counts."""

from collections.abc import AsyncIterator

import pytest

from bot.app import App
from bot.discord import observe
from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.domain.assignable import Permission, Right, dangerous_rights
from bot.domain.changes import Trigger
from bot.domain.ledger import GuildMember
from bot.domain.model import DiscordUserId, GuildId, RoleId
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene, connect, serve, set_stage

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
