"""What a role write costs the gateways, from the bell that tells of a person until the role is seen: one, and two.

Everybody changes to a tier without a role and back again. What the processes use while nothing happens is left out.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import msgspec
from sqlalchemy import Table

from bench.scale.cluster import INTERVAL, ClusterTown, Spent
from bench.settled import Server, opened, write_database
from bench.town import PATIENCE
from bench.watched import Used
from bot.domain.model import GuildId
from bot.storage.tables import metadata
from sandbox.bots import Bot
from sandbox.postgres import running_postgres

LAYOUT = (("gateway",), ("gateway",), ("worker",))
SERVERS, ON_EACH_SHARD = 4, 2
IDLE_SECONDS = 4.0
SEEN_SECONDS = 1.0  # in which the last event comes, and what follows from it is done
ALL_PERCENT = 100  # may go: the brake is not what is measured
INTERVAL_STEP = timedelta(seconds=INTERVAL)

# Which rows each process writes, by the name under which it is connected.
_NOTE = """
CREATE TABLE touched (who text, relation text, key text);
CREATE FUNCTION note_touched() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE written jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    INSERT INTO touched
    SELECT current_setting('application_name'), TG_TABLE_NAME, string_agg(written ->> part, '/')
    FROM unnest(TG_ARGV) AS part;
    RETURN NULL;
END $$"""
_BY_SEVERAL = """
SELECT relation, key FROM touched WHERE who LIKE 'gateway%' GROUP BY relation, key HAVING count(DISTINCT who) > 1"""


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """What one write costs, with one gateway and with two."""

    writes: int
    by_one: Spent
    by_two: Spent

    @property
    def cpu_ratio(self) -> float:
        """How far apart the two are in CPU: the larger one, times the smaller one."""
        return _apart(self.by_one.seconds, self.by_two.seconds)

    @property
    def statements_ratio(self) -> float:
        """The same in statements."""
        return _apart(self.by_one.statements, self.by_two.statements)


class Rows(msgspec.Struct, frozen=True):
    """How many rows two gateways wrote for so many role writes, and which of them both did."""

    writes: int
    written: int
    by_both: list[tuple[str, str]]


async def measure_writes(people: int, runs: int) -> Writes:
    """Measure by turns, with so many people in each server; the cheapest run of each counts."""
    async with _settled(people) as (town, servers):
        first, second, worker = town.members
        ones, twos = list[Spent](), list[Spent]()
        for _ in range(runs):
            ones.append(await _cost_of_a_write(town, servers, [first], worker))
            twos.append(await _cost_of_a_write(town, servers, [first, second], worker))
        return Writes(
            writes=2 * _people(servers),
            by_one=min(ones, key=lambda one: one.seconds),
            by_two=min(twos, key=lambda one: one.seconds),
        )


async def find_rows_by_both(people: int) -> Rows:
    """Let two gateways write the roles of so many people in each server, and look at who wrote which row."""
    async with _settled(people) as (town, servers):
        first, second, worker = town.members
        await _cost_of_a_write(town, servers, [first, second], worker, notes_rows=True)
        by_both = [(relation, key) for relation, key in town.query(_BY_SEVERAL)]
        ((written,),) = town.query("SELECT count(*) FROM touched WHERE who LIKE 'gateway%'")
        return Rows(len(town.writes()), written, by_both)


@asynccontextmanager
async def _settled(people: int) -> AsyncIterator[tuple[ClusterTown, list[Server]]]:
    """Lend a town whose servers are settled, some on each shard; no process has been started."""
    with running_postgres() as server:
        town = ClusterTown(server, LAYOUT)
        town.lift_limits()
        servers = town.settle_servers(SERVERS, linked=people, on_each=ON_EACH_SHARD)
        async with town:
            await write_database(town, servers)
            async with opened(town) as storage:
                for one in servers:
                    await storage.guilds.change(GuildId(int(one.guild.id)), brake_percent=ALL_PERCENT)
            yield town, servers


def _people(servers: list[Server]) -> int:
    return sum(len(one.patrons) for one in servers)


async def _cost_of_a_write(
    town: ClusterTown, servers: list[Server], gateways: list[Bot], worker: Bot, *, notes_rows: bool = False
) -> Spent:
    """Start these gateways and the worker, let everybody lose their role and get it back, and stop them."""
    people = _people(servers)
    await town.start_some([*gateways, worker])
    try:
        await town.until_looked_at(people, PATIENCE)
        await town.idle()
        if notes_rows:  # not those of a start
            _note_rows(town)
        rate = await town.rate(gateways, IDLE_SECONDS)
        before, began = await town.spent(gateways), monotonic()
        for to_silver in (True, False):
            wanted = len(town.writes()) + people
            for one in servers:
                tier = town.silver[one.campaign.id] if to_silver else one.tier
                for member in one.patrons:
                    town.change(member, tier)
            await read_all(town, [worker])
            await town.written(wanted)
            await asyncio.sleep(SEEN_SECONDS)
        spent = await town.spent(gateways) - before - rate.times(monotonic() - began)
    finally:
        for process in (*gateways, worker):
            await process.process.stop()
    return spent.times(1 / (2 * people))


async def read_all(town: ClusterTown, workers: list[Bot]) -> None:
    """Let an interval pass, and the workers read all campaigns."""
    await town.move(INTERVAL_STEP)
    await asyncio.gather(*(town.ask(one, "read", Used) for one in workers))


def _note_rows(town: ClusterTown) -> None:
    town.query(_NOTE)
    for table in metadata.sorted_tables:
        town.query(
            f"CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {table.name}"
            f" FOR EACH ROW EXECUTE FUNCTION note_touched({', '.join(_key(table))})"
        )


def _key(table: Table) -> list[str]:
    return [f"'{column.name}'" for column in table.primary_key]


def _apart(one: float, other: float) -> float:
    return max(one, other) / min(one, other)
