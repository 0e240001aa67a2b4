"""A town whose bot is several processes on one PostgreSQL, each of which answers the bench (`bench/watched.py`)."""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import psycopg

from bench.process import cpu_seconds
from bench.settled import Server, add_servers
from bench.town import PATIENCE, Town
from bench.watched import Used
from bot.domain.model import GuildId
from bot.domain.shards import shard_of
from sandbox.bots import Bot
from sandbox.patreon import Member, Tier, standing
from sandbox.postgres import PostgresServer

T = TypeVar("T")

SHARDS = 2
INTERVAL = 300
LOOK_SECONDS = 0.1
IDLE_SHARE = 0.1  # of a core, in any process: they look for one another's rows all the time
CALM_RESTS = 2  # so often in a row
REST_SECONDS = 1.0


class Spent(msgspec.Struct, frozen=True):
    """CPU and statements, of one process or of several."""

    seconds: float = 0.0
    statements: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.seconds + other.seconds, self.statements + other.statements)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.seconds - other.seconds, self.statements - other.statements)

    def times(self, number: float) -> "Spent":
        """Return so many times as much."""
        return Spent(self.seconds * number, self.statements * number)


class ClusterTown(Town):
    """A town with a way into each process of its bot."""

    command_line = (sys.executable, "-m", "bench.watched")

    def __init__(
        self,
        server: PostgresServer,
        layout: tuple[tuple[str, ...], ...],
        *,
        webhook_secret: str | None = None,
        shards: int = SHARDS,
    ) -> None:
        self.server = server
        self.url = server.url("postgres")
        self.shards = shards
        super().__init__(
            webhook_secret=webhook_secret,
            interval=INTERVAL,
            layout=layout,
            shards=shards,
            env={"DATABASE_URL": self.url},
        )
        self._folder = tempfile.TemporaryDirectory(prefix="pledgekeeper-bench-")
        self.silver: dict[str, Tier] = {}  # by campaign: the tier that has no role

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        for one in self.members:
            one.process.environment["BENCH_SOCKET"] = self._socket(one)
            one.process.environment["DATABASE_URL"] = f"{self.url}&application_name={one.name}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        self._folder.cleanup()

    def _socket(self, one: Bot) -> str:
        return str(Path(self._folder.name) / one.name)

    @property
    def members(self) -> tuple[Bot, ...]:
        """All processes, also those that do not run."""
        return self.sandbox.bots.members

    def running(self, role: str) -> list[Bot]:
        """Return those with a role that run."""
        return [one for one in self.members if role in one.roles and one.process.running]

    @property
    def web_url(self) -> str:
        """The address of the first process that serves the web, without the balancer in front."""
        return f"http://127.0.0.1:{self.running('web')[0].port}"

    # --- the crowd

    def settle_servers(self, count: int, *, linked: int, on_each: int = 0) -> list[Server]:
        """Let so many servers be there, each with a campaign whose patrons hold its role; more until each shard has."""
        servers = add_servers(self, count, linked=linked)
        while min(self._on_shards(servers)) < on_each:
            servers += add_servers(self, 1, linked=linked, first=len(servers))
        for server in servers:
            self.silver[server.campaign.id] = self.patreon.add_tier(server.campaign, "Silver", 300)
        return servers

    def _on_shards(self, servers: Iterable[Server]) -> list[int]:
        found = Counter(shard_of(GuildId(int(server.guild.id)), self.shards) for server in servers)
        return [found[shard_id] for shard_id in range(self.shards)]

    def change(self, member: Member, tier: Tier) -> None:
        """Let somebody change to another tier, and tell nobody."""
        standing.change_tier(member, tier)
        self.patreon.settle(member)

    # --- processes

    async def start(self, seconds: float = PATIENCE) -> float:
        """Start all processes and wait until each works; return how many seconds that took."""
        return await self.start_some(self.members, seconds)

    async def start_some(self, some: Sequence[Bot], seconds: float = PATIENCE) -> float:
        """Start these, and wait until each of them works and all shards are somebody's."""
        began = monotonic()
        await asyncio.gather(*(one.process.start() for one in some))
        async with asyncio.timeout(seconds):
            for one in some:
                while (await self.health(one.port)).get("http") != HTTPStatus.OK:
                    if not one.process.running:
                        raise RuntimeError(f"{one.name} ended\n{self.log()[-3000:]}")
                    await asyncio.sleep(LOOK_SECONDS)
            while len(self.speakers()) < self.shards:  # noqa: ASYNC110  it is in other processes
                await asyncio.sleep(LOOK_SECONDS)
        return monotonic() - began

    def speakers(self) -> dict[int, int | None]:
        """Say which process has a session of which shard."""
        connected = self.sandbox.discord.gateway.connected()
        return {one.shard[0]: None if one.peer is None else one.peer.pid for one in connected}

    async def ask(self, one: Bot, word: str, kind: type[T]) -> T:
        """Ask a process something and wait for the answer."""
        reader, writer = await asyncio.open_unix_connection(self._socket(one))
        writer.write(f"{word}\n".encode())
        line = await reader.readline()
        writer.close()
        if not line:
            raise RuntimeError(f"{one.name} did not answer {word}\n{self.log()[-3000:]}")
        return msgspec.json.decode(line, type=kind)

    async def spent(self, some: Iterable[Bot]) -> Spent:
        """Return what these have used so far."""
        used = [await self.ask(one, "used", Used) for one in some]
        return Spent(sum(one.cpu_seconds for one in used), sum(one.statements for one in used))

    async def until_looked_at(self, people: int, seconds: float) -> None:
        """Wait until the gateways know so many people's roles."""
        known = 0
        async with asyncio.timeout(seconds):
            while known < people:
                await asyncio.sleep(LOOK_SECONDS)
                known = sum([await self.ask(one, "looked_at", int) for one in self.running("gateway")])

    async def idle(self, seconds: float = PATIENCE) -> None:
        """Wait until no process has anything to do, for so long at most."""
        some = [one for one in self.members if one.process.running]
        calm = 0
        async with asyncio.timeout(seconds):
            while calm < CALM_RESTS:
                rates = await asyncio.gather(*(self.rate([one], REST_SECONDS) for one in some))
                calm = calm + 1 if max(rate.seconds for rate in rates) < IDLE_SHARE else 0

    async def rate(self, some: Sequence[Bot], seconds: float) -> Spent:
        """Return what these use in a second, where nothing happens."""
        before, began = await self.spent(some), monotonic()
        await asyncio.sleep(seconds)
        return (await self.spent(some) - before).times(1 / (monotonic() - began))

    # --- the database

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what stands in the database; `%s` stands for a value."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description is not None else []

    def database_seconds(self) -> float:
        """Return the CPU that the database has used so far."""
        assert self.server.process is not None  # noqa: S101  it runs as long as the town
        return cpu_seconds(self.server.process.pid)

    def rows_written(self) -> Mapping[str, int]:
        """Return how many rows of each table were written so far; what is under way comes a second later."""
        found = self.query("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables")
        return {table: int(count) for table, count in found}
