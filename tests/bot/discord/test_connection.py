"""What is told of the way to Discord, of a client without shards and of one with some."""

import pytest

from bot.app import App
from bot.discord import identify_pace, supervisor
from bot.discord.connection import look_at_discord
from bot.discord.holder import ClientHolder
from bot.domain.status import DiscordMoment
from tests.bot.discord.test_shards import COUNT, Cluster
from tests.bot.discord.test_supervisor import at_work
from tests.fakes.scene import Scene, connect
from tests.fakes.stage import Stage


def test_without_a_client_there_is_nothing() -> None:
    assert look_at_discord(ClientHolder()) == DiscordMoment()


async def test_a_client_of_the_whole_bot(scene: Scene) -> None:
    seen = look_at_discord(scene.app.holder)
    assert (seen.servers, seen.servers_unavailable) == (1, 0)
    assert (seen.shards_connected, seen.shards_away) == (1, 0)
    assert seen.sees_members is True
    assert seen.latency_seconds is not None
    assert 0 <= seen.latency_seconds < 60


async def test_one_that_may_not_see_members_says_so(stage: Stage, app: App) -> None:
    async with connect(app, has_members_intent=False):
        assert look_at_discord(app.holder).sees_members is False


async def test_a_server_in_an_outage_is_counted_as_that(scene: Scene) -> None:
    scene.discord.set_outage(is_out=True)
    await scene.until(
        lambda: look_at_discord(scene.app.holder).servers_unavailable == 1, "the outage is seen, in one of the servers"
    )
    assert look_at_discord(scene.app.holder).servers == 1


async def test_a_shard_that_connects_again_is_away_meanwhile(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 0.0)
    stage.sandbox.discord.gateway.identifies.pace_seconds = 0.0
    cluster = Cluster(stage, app)
    async with at_work(cluster):
        await cluster.until_well()
        whole = look_at_discord(app.holder)
        assert (whole.shards_connected, whole.shards_away, whole.servers) == (2, 0, 2)
        cluster.turns = 0
        cluster.strike("shard/1", "op9")
        await cluster.until(lambda: look_at_discord(app.holder).shards_away == 1)
        assert look_at_discord(app.holder).shards_connected == 1
        cluster.turns = COUNT
        await cluster.until(lambda: look_at_discord(app.holder).shards_away == 0)
