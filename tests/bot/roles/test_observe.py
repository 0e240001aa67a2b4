"""What Discord shows, and how long that counts."""

from collections.abc import AsyncIterator

import pytest

from bot.model import GuildId
from bot.roles import observe
from bot.roles.assignable import dangerous_rights
from bot.roles.observe import Observer
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene, connect, serve, set_stage

VIEW_CHANNEL, MANAGE_MESSAGES = 1 << 10, 1 << 13


@pytest.fixture
async def unhearing() -> AsyncIterator[Scene]:
    """A scene whose application may not see members."""
    async with set_stage() as stage:
        stage.sandbox.world.discord.intents_allowed.clear()
        async with serve(stage) as services, connect(services, has_members_intent=False) as bot:
            yield Scene(stage, services, bot)


async def roles(scene: Scene, observer: Observer, *, is_fresh: bool = False) -> set[str]:
    person = scene.person(MEMBER)
    seat = (await observer.look(scene.guild_id, [person], is_fresh=is_fresh))[person]
    assert seat is not None
    return {role.name for role in scene.stage.sandbox.world.guild.roles.values() if int(role.id) in seat.role_ids}


async def test_with_the_intent_a_look_is_kept_true_by_events(scene: Scene) -> None:
    observer = scene.services.observer
    assert observer.hears_members
    assert "Gold" not in await roles(scene, observer)
    scene.discord.give_role(scene.person(MEMBER), scene.role("Gold"))
    observer.assume(scene.guild_id, scene.person(MEMBER), scene.role("Gold"), has_role=True)
    assert "Gold" in await roles(scene, observer)


async def test_without_it_a_look_counts_for_a_while_and_a_fresh_one_asks_anew(
    unhearing: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = unhearing.services.observer
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
    observer, person, gold = scene.services.observer, scene.person(MEMBER), scene.role("Gold")
    await roles(scene, observer)
    ask = observer._ask

    async def ask_while_we_write(*asked: object) -> object:
        shown = await ask(*asked)  # type: ignore[arg-type]  # handed on as it came
        observer.assume(scene.guild_id, person, gold, has_role=True)
        return shown

    monkeypatch.setattr(observer, "_ask", ask_while_we_write)
    assert "Gold" in await roles(scene, observer, is_fresh=True)


def rights(scene: Scene, name: str) -> tuple[str, ...]:
    look = scene.services.observer.look_guild(scene.guild_id)
    assert look is not None
    return dangerous_rights(look.roles[scene.role(name)])


async def test_what_a_channel_allows_a_role_is_seen_with_the_role(scene: Scene) -> None:
    scene.allow_in("patrons", "Gold", MANAGE_MESSAGES | VIEW_CHANNEL)
    scene.allow_in("general", "Silver", VIEW_CHANNEL)
    await scene.until(lambda: rights(scene, "Gold"), "the bot sees it")
    assert rights(scene, "Gold") == ("Manage Messages in #patrons",)
    assert rights(scene, "Silver") == ()
    scene.allow_in("patrons", "Gold", VIEW_CHANNEL)
    await scene.until(lambda: rights(scene, "Gold") == (), "it is over")


@pytest.mark.parametrize(
    ("username", "may"),
    [(ADMIN, True), (MEMBER, False), ("wren.ashdown", True)],
    ids=["who manages roles", "who does not", "the owner"],
)
async def test_who_may_manage_roles_is_asked_of_discord(scene: Scene, username: str, may: bool) -> None:
    observer = scene.services.observer
    assert await observer.may_manage_roles(scene.guild_id, scene.person(username)) is may


async def test_who_left_may_nothing_and_of_whom_discord_tells_nothing_nobody_knows(scene: Scene) -> None:
    observer, admin = scene.services.observer, scene.person(ADMIN)
    scene.stage.sandbox.weather.set(Fault("discord", "GET */members/*", "503", times=1))
    assert await observer.may_manage_roles(scene.guild_id, admin) is None
    assert await observer.may_manage_roles(GuildId(1), admin) is None
    scene.discord.leave(str(admin))
    assert await observer.may_manage_roles(scene.guild_id, admin) is False
