"""Who may manage a server's roles is asked of Discord, also by a process that shows no server."""

from collections.abc import Callable

import pytest

from bot.discord.holder import ClientHolder
from bot.discord.observe import Observer
from bot.discord.rights import Rights
from bot.domain.model import GuildId, Secret
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene

BuildRights = Callable[..., Rights]


@pytest.fixture
def rights(scene: Scene) -> BuildRights:
    def build(*, is_shared: bool = True, is_near: bool = False, token: Secret | None = None) -> Rights:
        settings = scene.app.settings
        observer = scene.app.observer if is_near else Observer(ClientHolder())
        token = token or settings.discord_token
        return Rights(observer, token=token, api_url=settings.discord_api_url, is_shared=is_shared)

    return build


@pytest.mark.parametrize("is_near", [True, False], ids=["which it shows", "which another shows"])
@pytest.mark.parametrize(
    ("username", "may"),
    [(ADMIN, True), (MEMBER, False), ("wren.ashdown", True)],
    ids=["who manages roles", "who does not", "the owner"],
)
async def test_they_are_asked_for_in_a_server(
    scene: Scene, rights: BuildRights, username: str, *, is_near: bool, may: bool
) -> None:
    assert await rights(is_near=is_near).may_manage_roles(scene.guild_id, scene.person(username)) is may


async def test_who_left_may_nothing(scene: Scene, rights: BuildRights) -> None:
    admin = scene.person(ADMIN)
    scene.discord.leave(str(admin))
    assert await rights().may_manage_roles(scene.guild_id, admin) is False


@pytest.mark.parametrize("route", ["GET */members/*", "GET */guilds/*", "GET */users/@me"])
async def test_where_discord_does_not_say_nobody_knows(scene: Scene, rights: BuildRights, route: str) -> None:
    scene.stage.sandbox.weather.set(Fault("discord", route, "403"))
    assert await rights().may_manage_roles(scene.guild_id, scene.person(ADMIN)) is None


async def test_in_doubt_nobody_knows(scene: Scene, rights: BuildRights) -> None:
    admin = scene.person(ADMIN)
    assert await rights().may_manage_roles(GuildId(1), admin) is None, "we are not there"
    assert await rights(token=Secret("wrong")).may_manage_roles(scene.guild_id, admin) is None


async def test_a_process_that_is_alone_and_not_at_discord_asks_nobody(scene: Scene, rights: BuildRights) -> None:
    assert await rights(is_shared=False).may_manage_roles(scene.guild_id, scene.person(ADMIN)) is None
