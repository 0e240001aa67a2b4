"""How the unmodified discord.py fares with shards: its own, and those of other clients with the same token."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.discord import DiscordStandIn, Guild, Role, User
from tests.sandbox.discord.conftest import SOON, World

COUNT = 2
PACE_SECONDS = 0.2


class Cluster(discord.AutoShardedClient):
    """One process of a bot: some of its shards."""

    def __init__(self, *shard_ids: int, pace_seconds: float = 0.0) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, members=True),
            shard_ids=list(shard_ids),
            shard_count=COUNT,
            guild_ready_timeout=0.05,
            chunk_guilds_at_startup=False,
        )
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.answered: list[str] = []
        self._pace_seconds = pace_seconds

        @self.tree.command()
        async def hello(interaction: discord.Interaction) -> None:
            """Say hello."""
            try:
                await interaction.response.send_message("hello")
            except discord.HTTPException as error:
                self.answered.append(str(error.code))
            else:
                self.answered.append("first")

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            await asyncio.sleep(self._pace_seconds)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.heard.put_nowait((event, args))

    async def hear(self, wanted: str, *, within: float = SOON) -> Any:
        async with asyncio.timeout(within):
            while True:
                event, args = await self.heard.get()
                if event == wanted:
                    return args


@contextlib.asynccontextmanager
async def running(standin: DiscordStandIn, *clusters: Cluster) -> AsyncIterator[None]:
    lives = [asyncio.create_task(cluster.start(standin.state.bot_token)) for cluster in clusters]
    try:
        for cluster in clusters:
            await cluster.hear("ready", within=SOON)
        yield
    finally:
        for cluster in clusters:
            await cluster.close()
        await asyncio.wait(lives)


class Town:
    """A server on each shard, with Ada and a role that may be given."""

    def __init__(self, world: World) -> None:
        self.ada: User = world.ada
        self.guilds: dict[int, Guild] = {}
        self.roles: dict[int, Role] = {}
        self._take(world.guild, world.gold)
        while len(self.guilds) < COUNT:
            guild = world.state.add_guild("Another", "another owner")
            world.state.add_member(guild, world.ada)
            self._take(guild, world.state.add_role(guild, "Gold"))

    def _take(self, guild: Guild, role: Role) -> None:
        shard = (int(guild.id) >> 22) % COUNT
        self.guilds.setdefault(shard, guild)
        self.roles.setdefault(shard, role)


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


@pytest.fixture(autouse=True)
def _at_once(standin: DiscordStandIn, library: None) -> None:
    standin.gateway.identifies.pace_seconds = 0


def ids(guilds: Sequence[discord.Guild]) -> set[str]:
    return {str(guild.id) for guild in guilds}


async def test_one_client_runs_all_shards(standin: DiscordStandIn, town: Town) -> None:
    client = Cluster(0, 1)
    async with running(standin, client):
        assert ids(client.guilds) >= {guild.id for guild in town.guilds.values()}
        assert [client.get_guild(int(town.guilds[shard].id)).shard_id for shard in (0, 1)] == [0, 1]  # type: ignore[union-attr]
        found = [await guild.query_members(user_ids=[int(town.ada.id)]) for guild in client.guilds]
        assert all([member.name for member in members] == ["ada"] for members in found)
        assert all(latency < SOON for _, latency in client.latencies)


async def test_two_clients_see_their_own_servers(standin: DiscordStandIn, town: Town) -> None:
    first, second = Cluster(0), Cluster(1)
    async with running(standin, first, second):
        assert not ids(first.guilds) & ids(second.guilds)
        for shard, cluster in enumerate((first, second)):
            standin.create_role("Silver", town.guilds[shard].id)
            (role,) = await cluster.hear("guild_role_create")
            assert str(role.guild.id) == town.guilds[shard].id
        assert first.heard.empty(), "the other's role is none of its business"


async def test_a_client_that_waits_between_its_shards_is_never_too_fast(standin: DiscordStandIn, town: Town) -> None:
    standin.gateway.identifies.pace_seconds = PACE_SECONDS
    client = Cluster(0, 1, pace_seconds=2 * PACE_SECONDS)  # both are not on their way equally long
    began = time.monotonic()
    async with running(standin, client):
        assert time.monotonic() - began > PACE_SECONDS
        assert standin.gateway.identifies.left == 1000 - COUNT


async def test_clients_that_know_nothing_of_each_other_are_too_fast(standin: DiscordStandIn, town: Town) -> None:
    identifies = standin.gateway.identifies
    identifies.pace_seconds = 3600

    async def let_time_pass() -> None:
        while identifies.left > 1000 - COUNT:
            await asyncio.sleep(0.01)
        identifies.pace_seconds = 0

    passing = asyncio.create_task(let_time_pass())
    clients = [Cluster(0, pace_seconds=PACE_SECONDS), Cluster(1, pace_seconds=PACE_SECONDS)]
    async with running(standin, *clients):
        await passing
        assert identifies.left < 1000 - COUNT, "one was sent back, and came again"


@pytest.mark.parametrize("fault", ["op7", "gateway_drop"])
async def test_one_shard_resumes_and_the_other_hears_nothing_of_it(
    standin: DiscordStandIn, town: Town, strike: Callable[[str, str], None], fault: str
) -> None:
    client = Cluster(0, 1)
    async with running(standin, client):
        sessions = set(standin.gateway.sessions)
        strike("shard/1", fault)
        assert await client.hear("shard_disconnect") == (1,)
        standin.give_role(town.ada.id, town.roles[1].id, guild_id=town.guilds[1].id)
        assert await client.hear("shard_resumed") == (1,)
        assert set(standin.gateway.sessions) == sessions


async def test_one_shard_begins_a_new_session(
    standin: DiscordStandIn, town: Town, strike: Callable[[str, str], None]
) -> None:
    client = Cluster(0, 1)
    async with running(standin, client):
        before = {session.shard[0]: session.id for session in standin.gateway.connected()}
        strike("shard/0", "op9")
        assert await client.hear("shard_ready") == (0,)
        after = {session.shard[0]: session.id for session in standin.gateway.connected()}
        assert after[1] == before[1]
        assert after[0] != before[0]


async def test_a_take_over_leaves_two_of_one_shard_and_the_first_answer_counts(
    standin: DiscordStandIn, town: Town
) -> None:
    old, new = Cluster(0, 1), Cluster(1)
    async with running(standin, old, new):
        await old.tree.sync()
        guild = town.guilds[1]
        channel = next(iter(guild.channels))
        typed = await standin.run_command(town.ada.id, "hello", {}, channel_id=channel)
        assert await typed.answered(SOON)
        async with asyncio.timeout(SOON):
            while len(old.answered) + len(new.answered) < 2:
                await asyncio.sleep(0.01)
        assert sorted(old.answered + new.answered) == ["40060", "first"]


async def test_who_wrote_in_a_server_is_known(standin: DiscordStandIn, town: Town) -> None:
    clients = Cluster(0), Cluster(1)
    async with running(standin, *clients):
        for number, client in enumerate(clients):
            client.http.user_agent = f"DiscordBot (process {number})"
            member = await client.get_guild(int(town.guilds[number].id)).fetch_member(int(town.ada.id))  # type: ignore[union-attr]
            await member.add_roles(discord.Object(int(town.roles[number].id)))
    wrote = {(write.guild_id, write.peer.user_agent) for write in standin.role_writes}
    assert wrote == {(town.guilds[number].id, f"DiscordBot (process {number})") for number in range(COUNT)}
    assert len({write.peer.address for write in standin.role_writes}) == COUNT
