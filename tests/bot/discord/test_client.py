"""The Discord client: what it asks to see, where it connects, when it registers its commands."""

import asyncio

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.app import App, fresh_client
from bot.discord.client import identify_pause
from cogs import add_cogs
from tests.fakes.scene import MEMBER, SOON, Scene, connect
from tests.fakes.stage import Stage


async def test_it_sees_guilds_and_members_and_caches_nobody(app: App) -> None:
    client = fresh_client(app, add_cogs=add_cogs)
    assert client.intents == discord.Intents(guilds=True, members=True)
    assert client._connection.member_cache_flags == discord.MemberCacheFlags.none()
    assert client.allowed_mentions is not None
    assert client.allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()
    assert client._connection.max_messages is None


async def test_every_address_hangs_under_the_setting(scene: Scene) -> None:
    assert scene.discord.url == Route.BASE
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == scene.discord.gateway.url


async def test_the_members_of_a_guild_are_never_asked_for_all_at_once(scene: Scene) -> None:
    assert not any(call.path.endswith("/members") for call in scene.discord.calls)
    assert scene.discord.gateway.member_lists == {}


async def test_a_fresh_application_gets_the_commands(scene: Scene) -> None:
    assert {command["name"] for command in scene.discord.commands()} == {"link", "unlink", "membership", "patreon"}


async def test_a_command_that_comes_before_the_servers_are_shown_waits_for_them(scene: Scene) -> None:
    scene.app.holder.lose(scene.bot)
    asyncio.get_running_loop().call_later(0.3, scene.app.holder.put, scene.bot)
    assert "Added rule" in await scene.add_rule()


async def test_it_is_ready_only_once_its_servers_are_shown(stage: Stage, app: App) -> None:
    stage.sandbox.discord.gateway.guilds_after_seconds = 0.5
    async with connect(app):
        (guild_id,) = app.observer.guild_ids()
        assert app.observer.look_guild(guild_id) is not None


async def test_a_server_in_an_outage_does_not_keep_it_from_the_others(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.discord.client.GUILDS_SECONDS", 0.1)
    gateway = stage.sandbox.discord.gateway
    gateway.guilds_after_seconds = 3600
    async with connect(app) as bot:
        assert all(guild.unavailable for guild in bot.guilds)
        said = await Scene(stage, app, bot).add_rule()
        assert "Discord isn't showing me this server right now" in said, "nobody is called powerless"
        available = asyncio.create_task(bot.wait_for("guild_available", timeout=SOON))
        await asyncio.sleep(0)
        for session in gateway.connected():
            gateway._show(session, gateway.guilds_of(session))
        await available


async def test_a_command_does_not_wait_longer_than_discord_does(scene: Scene) -> None:
    scene.app.holder.lose(scene.bot)
    assert "Discord isn't showing me this server right now" in await scene.add_rule()


async def test_a_defect_is_answered_with_a_number_that_the_log_knows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(scene.app.storage.links, "find_discord", fail, raising=False)
    said = await scene.say(MEMBER, "membership")
    assert "Something went wrong on my side" in said
    number = said.split("`")[1]
    assert f"incident={number}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("remaining", "sessions", "pause"),
    [
        pytest.param(1000, 1, 0, id="a whole day's budget"),
        pytest.param(201, 1, 0, id="enough"),
        pytest.param(200, 1, 18, id="few: spread over the hour that is left"),
        pytest.param(1, 1, 3600, id="one"),
        pytest.param(0, 1, 3600, id="none: until there are new ones"),
        pytest.param(200, 4, 72, id="few: four shards use up four at a time"),
        pytest.param(3, 4, 3600, id="fewer than shards"),
    ],
)
def test_a_day_of_crashes_cannot_use_up_the_connections(remaining: int, sessions: int, pause: float) -> None:
    assert identify_pause(remaining=remaining, reset_after_seconds=3600, sessions=sessions) == pause
