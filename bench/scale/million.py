"""A million patrons in ten thousand servers, by what a hundredth and a tenth of them cost.

A hundredth has real processes, for an hour of the clock: each interval is gone through as soon as the one before has
ended, with patrons who change their tier in it. What processes use while nothing happens is measured beside it, and
counted for the whole hour. A tenth has the planner, the reading and the storage in one process, beside a hundredth of
the same kind.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import cycle, islice
from time import monotonic

import msgspec

from bench.scale.cluster import INTERVAL, ClusterTown, Spent
from bench.scale.inside import FEW_INTERVALS, Growth, measure_inside
from bench.settled import Server, write_database
from bench.town import PATIENCE
from bench.watched import Used
from sandbox.bots import Bot
from sandbox.patreon import Member
from sandbox.postgres import running_postgres

LAYOUT = (("gateway",), ("gateway",), ("worker",), ("web",))
ROLES = ("gateway", "worker", "web")
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=INTERVAL)
INTERVALS = HOUR // STEP
CHANGING = 0.01  # of all patrons, in an hour
IDLE_SECONDS = 8.0
FLUSHED_SECONDS = 11.0  # until PostgreSQL has counted what was written: a session at rest tells after ten
JOBS = "procrastinate_jobs"
LOOKED_AT_SECONDS = 240.0
BUSY = 0.5  # of a core: the rest is for whoever comes in bulk
LEAST = 2  # of each role, so that one may die


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """What an hour costs beyond what processes use without work; and what that is, in a second of one process."""

    servers: int
    patrons: int
    work: dict[str, Spent]  # by role
    idle: dict[str, Spent]
    database: float  # seconds of CPU
    database_idle: float
    rows: dict[str, int]  # written, by table
    writes: int
    resident_kib: dict[str, int]  # of one process

    @property
    def jobs(self) -> int:
        """How many chores were asked for."""
        return self.rows.get(JOBS, 0)


async def measure_hour(servers: int, people: int, *, intervals: int = INTERVALS) -> Hour:
    """Live through an hour, or so many intervals, with so many servers, with so many patrons each."""
    with running_postgres() as server:
        town = ClusterTown(server, LAYOUT)
        town.lift_limits()
        places = town.settle_servers(servers, linked=people, on_each=1)
        async with town:
            await write_database(town, places)
            town.query("VACUUM ANALYZE")  # as its autovacuum would have by then
            await town.start()
            await town.until_looked_at(len(places) * people, LOOKED_AT_SECONDS)
            await town.idle(LOOKED_AT_SECONDS)
            return await _live(town, places, intervals)


async def _live(town: ClusterTown, places: list[Server], intervals: int) -> Hour:
    by_role = {role: town.running(role) for role in ROLES}
    database, began = town.database_seconds(), monotonic()
    rates = await asyncio.gather(*(town.rate(some, IDLE_SECONDS) for some in by_role.values()))
    idle = dict(zip(by_role, rates, strict=True))
    database_idle = (town.database_seconds() - database) / (monotonic() - began)
    before = {role: await town.spent(some) for role, some in by_role.items()}
    rows, database, began = Counter(town.rows_written()), town.database_seconds(), monotonic()
    patrons = [(place, member) for place in places for member in place.patrons]
    changing = max(1, round(CHANGING * len(patrons) / INTERVALS))
    left, written = cycle(patrons[:: max(1, len(patrons) // (changing * INTERVALS))]), len(town.writes())
    for _ in range(intervals):
        some = list(islice(left, changing))
        for place, member in some:
            _turn(town, place, member)
        await _pass(town, by_role)
        written += len(some)
        await town.written(written, PATIENCE)
    await asyncio.sleep(FLUSHED_SECONDS)
    seconds = monotonic() - began
    return Hour(
        servers=len(places),
        patrons=len(patrons),
        work={
            role: await town.spent(some) - before[role] - idle[role].times(seconds) for role, some in by_role.items()
        },
        idle={role: spent.times(1 / len(by_role[role])) for role, spent in idle.items()},
        database=town.database_seconds() - database - database_idle * seconds,
        database_idle=database_idle,
        rows=dict(Counter(town.rows_written()) - rows),
        writes=len(town.writes()),
        resident_kib={role: (await town.ask(some[0], "used", Used)).resident_kib for role, some in by_role.items()},
    )


def _turn(town: ClusterTown, place: Server, member: Member) -> None:
    """Let somebody change their tier; Patreon tells of it by a webhook."""
    silver = town.silver[place.campaign.id]
    tier = silver if member.tier is place.tier else place.tier
    town.sandbox.patreon.change_tier(member.person.id, tier.id, campaign_id=place.campaign.id)


async def _pass(town: ClusterTown, by_role: Mapping[str, list[Bot]]) -> None:
    """Let an interval pass, and everybody do what they do in one."""
    await town.move(STEP)
    await asyncio.gather(
        *(town.ask(one, "read", Used) for one in by_role["worker"]),
        *(town.ask(one, "slice", Used) for one in by_role["gateway"]),
    )


async def measure_growth(few: int, many: int, people: int) -> Growth:
    """Measure both sizes on PostgreSQL, each on one of its own."""
    found = []
    for servers, intervals in ((few, FEW_INTERVALS), (many, 1)):
        with running_postgres() as server:
            assert server.process is not None  # noqa: S101  it was started
            url, pid = server.url("postgres"), server.process.pid
            found.append(await measure_inside(url, servers=servers, people=people, intervals=intervals, pid=pid))
    return Growth(*found)


class Part(msgspec.Struct, frozen=True):
    """So many processes of a role, and the cores that they keep busy together."""

    processes: int
    cores: float


def whole(hour: Hour, growth: float, *, patrons: int) -> dict[str, Part]:
    """Return what so many patrons need of each role and of the database, none of the processes more than half busy.

    Each tenfold costs `growth` more than ten times as much.
    """
    larger, left = 1.0, patrons / hour.patrons
    while left > 1:
        step = min(left, 10.0)
        larger, left = larger * step * max(1.0, growth) ** (step / 10), left / step
    parts = dict[str, Part]()
    for role, spent in hour.work.items():
        cores = larger * max(spent.seconds, 0.0) / HOUR.total_seconds()
        processes = max(LEAST, math.ceil(cores / BUSY))
        parts[role] = Part(processes, cores + processes * hour.idle[role].seconds)
    database = larger * max(hour.database, 0.0) / HOUR.total_seconds() + hour.database_idle
    return parts | {"PostgreSQL": Part(1, database)}
