"""Measure what several processes and a thousand servers cost: `python -m bench.scale`; exit code 1 where one is missed.

Names of measurements, such as `python -m bench.scale counts writes`, take only these. PLEDGEKEEPER_BENCH_SHARE=0.1
takes a tenth of the servers and people: to see that all of it runs.
"""

import asyncio
import os
import sys

from bench.scale.counts import Counts, count_on_postgresql, count_on_sqlite
from bench.scale.delivery import measure_deliveries
from bench.scale.inside import Growth
from bench.scale.interval import measure_interval
from bench.scale.million import Hour, measure_growth, measure_hour, whole
from bench.scale.takeover import measure_takeovers
from bench.scale.writes import find_rows_by_both, measure_writes
from bench.table import Measurements, Row, chosen, measure
from bot.discord.tenure import PERIOD

SHARE = float(os.environ.get("PLEDGEKEEPER_BENCH_SHARE", "1"))
LINKED = 200  # in each server of one process
HUNDREDTH, TENTH = 100, 1_000  # servers, of the ten thousand
PATRONS = 100  # in each of them
MILLION = 1_000_000
WRITERS, WRITE_RUNS = 60, 2  # people in each server whose roles change; runs, of which the best counts
DELIVERIES = 80


def sized(number: int, *, least: int = 2) -> int:
    """Return how many there are in the share that is asked for."""
    return max(least, round(SHARE * number))


async def interval() -> list[Row]:
    """An interval without changes, in one process."""
    few, many = sized(HUNDREDTH), sized(TENTH, least=20)
    growth = await measure_interval(few, many, LINKED)
    larger = many / few
    return [
        Row(
            promise=f"CPU of an interval without changes, {many:,} servers of {LINKED} patrons, times that of {few:,}",
            seen=growth.cpu * larger,
            limit=1.1 * larger,
            detail=f"{growth.many.interval.seconds:.1f} s / {growth.few_seconds:.1f} s, one process on SQLite",
        ),
        Row(
            promise="memory that they take, the same",
            seen=growth.memory * larger,
            limit=1.1 * larger,
            detail=f"{growth.many.grown_kib / 1024:.0f} MiB / {growth.few.grown_kib / 1024:.0f} MiB",
        ),
    ]


async def million() -> list[Row]:
    """A million patrons, computed from a hundredth and a tenth."""
    few, many = sized(HUNDREDTH), sized(TENTH, least=20)
    growth = await measure_growth(few, many, PATRONS)
    hour = await measure_hour(few, PATRONS)
    return [*_growth_rows(growth, few, many), *_hour_rows(hour, max(1.0, growth.cpu))]


def _growth_rows(growth: Growth, few: int, many: int) -> list[Row]:
    one, ten = growth.few.interval, growth.many.interval
    return [
        Row(
            promise=f"what an interval costs with {many:,} servers on PostgreSQL, times linear from {few:,}: CPU",
            seen=growth.cpu,
            limit=1.1,
            detail=f"{ten.seconds:.1f} s / {one.seconds:.1f} s, the database's included",
        ),
        Row(
            promise="the same: statements",
            seen=growth.statements,
            limit=1.1,
            detail=f"{ten.gateway.statements:,} of a gateway, {ten.worker.statements:,} of a worker",
        ),
        Row(
            promise="the same: rows read",
            seen=growth.read,
            limit=1.1,
            detail=f"{ten.gateway.read:,} by a gateway, {ten.worker.read:,} by a worker",
        ),
        Row(promise="the same: memory", seen=growth.memory, detail=f"{growth.many.grown_kib / 1024:.0f} MiB"),
    ]


def _hour_rows(hour: Hour, growth: float) -> list[Row]:
    parts = whole(hour, growth, patrons=MILLION)
    by_table = sorted(hour.rows.items(), key=lambda one: -one[1])
    return [
        *(
            Row(
                promise=f"CPU of the role {role} in an hour with {hour.patrons:,} patrons, beyond what it uses idle",
                seen=spent.seconds,
                unit="s",
                detail=f"{spent.statements:,.0f} statements; idle {1000 * hour.idle[role].seconds:.0f} ms a second; "
                f"{hour.resident_kib[role] / 1024:.0f} MiB a process",
            )
            for role, spent in hour.work.items()
        ),
        Row(
            promise="CPU of PostgreSQL in it",
            seen=hour.database,
            unit="s",
            detail=f"idle {1000 * hour.database_idle:.0f} ms a second",
        ),
        Row(
            promise="rows written in it",
            seen=sum(hour.rows.values()),
            detail=", ".join(f"{count:,} {table}" for table, count in by_table),
        ),
        Row(promise="jobs asked for in it", seen=hour.jobs, detail=f"{hour.writes:,} role writes"),
        Row(
            promise=f"cores for {MILLION:,} patrons in {MILLION // PATRONS:,} servers, computed",
            seen=sum(part.cores for part in parts.values()),
            detail=", ".join(f"{part.cores:.1f} for {part.processes} {role}" for role, part in parts.items()),
        ),
    ]


async def writes() -> list[Row]:
    """A role write, with one gateway and with two."""
    people = sized(WRITERS, least=3)
    seen, rows = await measure_writes(people, WRITE_RUNS), await find_rows_by_both(people)
    one, two = seen.by_one, seen.by_two
    return [
        Row(
            promise="gateways' CPU for a role write, with one gateway and with two: the larger, times the smaller",
            seen=seen.cpu_ratio,
            limit=1.1,
            detail=f"{1000 * one.seconds:.1f} ms, {1000 * two.seconds:.1f} ms; {seen.writes:,} writes",
        ),
        Row(
            promise="the same: statements",
            seen=seen.statements_ratio,
            limit=1.1,
            detail=f"{one.statements:.1f}, {two.statements:.1f}",
        ),
        Row(
            promise="rows that both of two gateways wrote",
            seen=len(rows.by_both),
            limit=0,
            is_exact=True,
            detail=", ".join(f"{table} {key}" for table, key in rows.by_both[:3]) or f"of {rows.written:,} written",
        ),
    ]


async def deliveries() -> list[Row]:
    """From a webhook to its role write, across processes."""
    seen = await measure_deliveries(DELIVERIES)
    return [
        Row(
            promise="p99 from a webhook at a web process to a gateway's role write, times one process on SQLite",
            seen=seen.ratio,
            limit=5,
            detail=f"{seen.shared.p99_ms:.0f} ms / {seen.alone.p99_ms:.0f} ms; "
            f"median {seen.shared.median_ms:.0f} ms / {seen.alone.median_ms:.0f} ms",
        )
    ]


async def takeover() -> list[Row]:
    """A gateway that is killed."""
    seen = await measure_takeovers()
    return [
        Row(
            promise="from the end of a gateway (kill -9) to the first write of the one in reserve",
            seen=seen.with_reserve,
            limit=2 * PERIOD.total_seconds(),
            unit="s",
            detail=f"two periods of a lease; {seen.without:.1f} s where none is in reserve",
        )
    ]


async def counts() -> list[Row]:
    """What is sent to the database."""
    found = {"SQLite": await count_on_sqlite(), "PostgreSQL": await count_on_postgresql()}
    return [row for database, seen in found.items() for row in _count_rows(database, seen)]


def _count_rows(database: str, seen: Counts) -> list[Row]:
    return [
        Row(
            promise=f"statements of a person's turn on {database}",
            seen=seen.turn,
            detail=f"without changes; {seen.write} with a role that is given and seen",
        ),
        Row(
            promise="the same for one page more of a member list",
            seen=seen.page,
            detail=f"of {seen.read} for a list of one page",
        ),
        Row(
            promise="rows that a read without changes writes of what has not changed",
            seen=seen.rows_of_others,
            limit=0,
            is_exact=True,
            detail=", ".join(f"{count} of {table}" for table, count in seen.rows.items()),
        ),
    ]


MEASUREMENTS: Measurements = {
    "counts": counts,
    "writes": writes,
    "deliveries": deliveries,
    "takeover": takeover,
    "interval": interval,
    "million": million,
}


if __name__ == "__main__":
    sys.exit(asyncio.run(measure(chosen(sys.argv[1:], MEASUREMENTS), MEASUREMENTS)))
