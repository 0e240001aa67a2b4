"""A client of some shards: which servers it sees, and what it and its supervisor do when one of them has trouble."""

import asyncio
import contextlib
import gc
import threading
import time
import warnings
from collections.abc import AsyncIterator

import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot.app import App
from bot.discord import identify_pace, supervisor
from bot.discord.client import PledgekeeperBot, ShardedBot, build_client
from bot.discord.identify_pace import IdentifyPace
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.shards import Shards, shard_of
from bot.runtime.health import Note
from cogs import add_cogs
from sandbox.discord import Guild
from sandbox.discord.identifies import Identifies
from tests.bot.discord.test_supervisor import SOON, Supervised, at_work
from tests.fakes.stage import Stage

COUNT = 2
TURN_SECONDS = 0.4
NOWHERE = "ws://127.0.0.1:9/gateway"


class Cluster(Supervised):
    """A supervisor of clients with some shards, in a town with a server on each."""

    def __init__(self, stage: Stage, app: App, *ids: int) -> None:
        super().__init__(stage, app, build=self._build_sharded)
        self.shards = Shards(ids or tuple(range(COUNT)), COUNT)
        self.pace = IdentifyPace()
        self.turns = 1000  # how many shards may still connect: the next one waits
        self.home = self._shard_of(stage.sandbox.world.guild)
        self.guilds = {self.home: stage.sandbox.world.guild}
        while len(self.guilds) < COUNT:
            guild = stage.sandbox.discord.state.add_guild("Elsewhere", "other.owner")
            self.guilds.setdefault(self._shard_of(guild), guild)

    def _shard_of(self, guild: Guild) -> int:
        return shard_of(GuildId(int(guild.id)), COUNT)

    def _build_sharded(self, has_members_intent: bool) -> PledgekeeperBot:
        app = self.app
        return build_client(
            api_url=app.settings.discord_api_url,
            holder=app.holder,
            registration=app.registration,
            add_cogs=lambda bot: add_cogs(bot, app),
            has_members_intent=has_members_intent,
            shards=self.shards,
            wait_turn=self._wait_turn,
        )

    async def _wait_turn(self, shard_id: int, max_concurrency: int) -> None:
        await self.pace.wait_turn(shard_id, max_concurrency)
        while not self.turns:
            await asyncio.sleep(0.01)
        self.turns -= 1

    @property
    def client(self) -> ShardedBot:
        client = self.clients[-1]
        assert isinstance(client, ShardedBot)
        return client

    @property
    def identifies(self) -> Identifies:
        return self.stage.sandbox.discord.gateway.identifies

    def id_of(self, shard_id: int) -> GuildId:
        return GuildId(int(self.guilds[shard_id].id))

    def sees(self, shard_id: int) -> bool:
        """Tell whether the server on this shard is in sight of the bot."""
        return self.id_of(shard_id) in self.app.observer.guild_ids() and self.is_available(shard_id)

    def is_available(self, shard_id: int) -> bool:
        guild = self.client.get_guild(self.id_of(shard_id))
        return guild is not None and not guild.unavailable

    def sessions(self) -> dict[int, str]:
        return {one.shard[0]: one.id for one in self.stage.sandbox.discord.gateway.connected()}

    def spoil(self) -> None:
        """Let the gateway send an event of a wrong shape to the home server."""
        gateway, guild = self.stage.sandbox.discord.gateway, self.guilds[self.home]
        gateway.dispatch("GUILD_UPDATE", {"id": guild.id, "roles": [], "name": None}, guild_id=guild.id)

    async def until_well(self) -> None:
        await self.until(lambda: self.clients and self.is_well and self.client.is_alive)


@pytest.fixture(autouse=True)
def _quick(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 0.0)
    stage.sandbox.discord.gateway.identifies.pace_seconds = 0.0


@contextlib.asynccontextmanager
async def running(cluster: Cluster) -> AsyncIterator[Cluster]:
    async with at_work(cluster):
        await cluster.until_well()
        yield cluster


@pytest.fixture
async def cluster(stage: Stage, app: App) -> AsyncIterator[Cluster]:
    async with running(Cluster(stage, app)) as cluster:
        yield cluster


@pytest.mark.parametrize("shard_id", range(COUNT))
async def test_it_sees_the_servers_of_its_shards_alone(stage: Stage, app: App, shard_id: int) -> None:
    async with running(Cluster(stage, app, shard_id)) as cluster:
        assert cluster.id_of(shard_id) in app.observer.guild_ids()
        assert all(cluster.shards.covers(guild_id) for guild_id in app.observer.guild_ids())
        assert cluster.sessions().keys() == {shard_id}


async def test_each_shard_is_asked_for_the_members_of_its_own_servers(cluster: Cluster) -> None:
    for shard_id, guild in cluster.guilds.items():
        owner = DiscordUserId(int(guild.owner_id))
        shown = await cluster.app.observer.look(cluster.id_of(shard_id), [owner], is_fresh=True)
        assert shown[owner] is not None
    assert not [call for call in cluster.stage.sandbox.discord.calls if call.path.endswith("/members")]


async def test_its_commands_are_answered(cluster: Cluster) -> None:
    assert "haven't linked a Patreon account" in await cluster.stage.say("bramble.fox", "membership")


async def test_it_is_there_for_others_once_all_its_shards_are(stage: Stage, app: App) -> None:
    cluster = Cluster(stage, app)
    cluster.turns = 1
    async with at_work(cluster):
        await cluster.until(lambda: len(cluster.sessions()) == 1)
        await asyncio.sleep(TURN_SECONDS / 2)
        assert app.holder.current is None
        assert not cluster.is_well
        cluster.turns = COUNT
        await cluster.until_well()
        assert cluster.sees(0)
        assert cluster.sees(1)


# --- trouble of one shard


@pytest.mark.parametrize("fault", ["op7", "gateway_drop"])
async def test_a_shard_resumes_while_the_other_goes_on(cluster: Cluster, fault: str) -> None:
    before, heard = cluster.sessions(), asyncio.create_task(cluster.client.wait_for("shard_resumed", timeout=SOON))
    cluster.strike("shard/1", fault)
    assert await heard == 1
    await cluster.until_well()
    assert cluster.sessions() == before
    assert len(cluster.clients) == 1


async def test_a_new_session_of_a_shard_leaves_the_other_in_sight(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.turns = 0
    before, (client,) = cluster.sessions(), cluster.clients
    cluster.strike("shard/1", "op9")
    await cluster.until(lambda: not cluster.sees(1))
    assert cluster.sees(0)
    assert cluster.app.holder.current is client
    await cluster.until(lambda: not cluster.is_well)
    assert "not connected to discord, shard 1" in capsys.readouterr().out
    cluster.turns = COUNT
    await cluster.until_well()
    await cluster.until(lambda: cluster.sees(1))
    after = cluster.sessions()
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    assert len(cluster.clients) == 1


async def test_a_shard_whose_turn_to_connect_again_is_later_is_out_of_sight_at_once(cluster: Cluster) -> None:
    cluster.turns = 0
    for shard_id in range(COUNT):
        cluster.strike(f"shard/{shard_id}", "op9")
    await cluster.until(lambda: not cluster.sees(0) and not cluster.sees(1))
    assert cluster.sessions() == {}
    cluster.turns = COUNT
    await cluster.until_well()


async def test_without_any_shard_the_others_wait(cluster: Cluster) -> None:
    cluster.turns = 0
    cluster.strike("gateway", "op9")
    await cluster.until(lambda: cluster.app.holder.current is None)
    assert cluster.client.missing_shards == [0, 1]
    cluster.turns = COUNT
    await cluster.until(lambda: cluster.app.holder.current is cluster.client)
    await cluster.until_well()
    assert len(cluster.clients) == 1


async def test_the_only_shard_of_a_client_resumes(stage: Stage, app: App) -> None:
    async with running(Cluster(stage, app, 1)) as cluster:
        (client,), before = cluster.clients, cluster.sessions()
        disconnected = asyncio.create_task(client.wait_for("shard_disconnect", timeout=SOON))
        cluster.strike("shard/1", "gateway_drop")
        await disconnected
        await cluster.until(lambda: app.holder.current is client)
        await cluster.until_well()
        assert cluster.sessions() == before


async def test_a_server_that_a_new_session_does_not_show_is_gone_until_it_invites_again(cluster: Cluster) -> None:
    guild_id = cluster.id_of(cluster.home)
    removed = asyncio.create_task(cluster.client.wait_for("guild_remove", timeout=SOON))
    for _ in range(2):
        cluster.turns = 0
        cluster.strike(f"shard/{cluster.home}", "op9")
        await cluster.until(lambda: cluster.home not in cluster.sessions())
        cluster.stage.sandbox.discord.kick_bot()
        cluster.turns = COUNT
        await cluster.until(lambda: cluster.home in cluster.sessions())
        assert (await removed).id == guild_id
        assert guild_id not in cluster.app.observer.guild_ids()
        assert cluster.client.get_guild(guild_id) is None
        removed = asyncio.create_task(cluster.client.wait_for("guild_remove", timeout=SOON))
        cluster.stage.sandbox.discord.add_bot()
        await cluster.until(lambda: cluster.sees(cluster.home))
    removed.cancel()


async def test_a_connection_that_cannot_be_resumed_is_renewed_for_that_shard_alone(cluster: Cluster) -> None:
    gateway, before = cluster.stage.sandbox.discord.gateway, cluster.sessions()
    gateway.url, real = NOWHERE, gateway.url
    cluster.strike("shard/1", "op9")
    await cluster.until(lambda: cluster.sessions().get(1, before[1]) != before[1])  # told to resume at a wrong address
    gateway.url = real
    second = cluster.sessions()
    cluster.strike("shard/1", "gateway_drop")
    await cluster.until(lambda: cluster.sessions().get(1, second[1]) != second[1])
    await cluster.until_well()
    assert cluster.sessions()[0] == before[0]
    assert len(cluster.clients) == 1


async def test_a_shard_that_stays_away_is_followed_by_a_fresh_client(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN_SECONDS", 0.5)
    await asyncio.sleep(0.1)  # it has looked at its client since
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(NOWHERE))
    cluster.strike("shard/1", "op9")
    await cluster.until(lambda: len(cluster.clients) >= 2)
    monkeypatch.setattr(supervisor, "READY_WITHIN_SECONDS", 60)
    await cluster.until_well()


async def test_an_event_that_spoils_a_server_is_followed_by_a_new_session_of_its_shard(cluster: Cluster) -> None:
    before, home = cluster.sessions(), cluster.home
    cluster.spoil()
    await cluster.until(lambda: cluster.sessions().get(home, before[home]) != before[home])
    await cluster.until_well()
    await cluster.until(lambda: cluster.sees(home))
    assert cluster.sessions()[1 - home] == before[1 - home]
    assert len(cluster.clients) == 1


async def test_a_malformed_event_is_followed_by_a_fresh_client(cluster: Cluster) -> None:
    await cluster.poison()
    await cluster.until_well()
    assert len(cluster.clients) == 2
    assert cluster.clients[0].is_closed()


@pytest.mark.parametrize("begun_by", ["op9", "spoilt"])
async def test_the_end_does_not_wait_for_a_shard_that_connects(stage: Stage, app: App, begun_by: str) -> None:
    stage.sandbox.discord.gateway.heartbeat_seconds = 0.5
    cluster = Cluster(stage, app)
    task = asyncio.create_task(cluster.supervisor.run())
    await cluster.until_well()
    cluster.turns = 0
    if begun_by == "op9":
        cluster.strike("shard/1", "op9")
    else:
        cluster.spoil()
    await cluster.until(lambda: cluster.client.connected_sessions is None)
    task.cancel()
    with warnings.catch_warnings():
        # discord.py forgets the socket of a shard that is given up while it connects; it goes with its next heartbeat.
        warnings.simplefilter("ignore", ResourceWarning)
        _, unfinished = await asyncio.wait({task}, timeout=SOON)
        await cluster.until(lambda: not any(one.name.startswith("keep-alive") for one in threading.enumerate()))
        gc.collect()
    assert not unfinished
    assert cluster.client.is_closed()


# --- when they may begin


async def test_shards_begin_at_discords_pace_also_those_of_a_fresh_client(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", TURN_SECONDS)
    stage.sandbox.discord.gateway.identifies.pace_seconds = TURN_SECONDS / 2  # they are not on their way equally long
    async with running(Cluster(stage, app)) as cluster:
        await cluster.poison()
        await cluster.until_well()
        assert cluster.identifies.left == 1000 - 2 * COUNT, "none came too soon"


async def test_as_many_begin_at_once_as_discord_allows(stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 60.0)
    allowed = stage.sandbox.discord.gateway.identifies
    allowed.max_concurrency, allowed.pace_seconds = COUNT, 60.0
    began = time.monotonic()
    async with running(Cluster(stage, app)):
        assert time.monotonic() - began < 60
        assert allowed.left == 1000 - COUNT


async def test_waiting_for_ones_turn_is_no_trouble(stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN_SECONDS", TURN_SECONDS)
    cluster = Cluster(stage, app)
    cluster.turns = 0
    async with at_work(cluster):
        await cluster.until(lambda: cluster.clients and cluster.client.connected_sessions is None)
        await asyncio.sleep(2 * TURN_SECONDS)
        monkeypatch.setattr(supervisor, "READY_WITHIN_SECONDS", SOON)
        cluster.turns = COUNT
        await cluster.until_well()
        assert len(cluster.clients) == 1


async def test_too_many_servers_are_not_tried_again_and_again(stage: Stage, app: App) -> None:
    stage.sandbox.discord.gateway.guilds_a_session = 0
    cluster = Cluster(stage, app)
    async with at_work(cluster):
        await cluster.until(lambda: cluster.clients and cluster.clients[0].is_closed())
        await cluster.until(lambda: app.health.has(Note.RESHARD_NEEDED))
        await asyncio.sleep(0.3)
        assert len(cluster.clients) == 1
        assert not cluster.is_well
