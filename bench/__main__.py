"""Measure every promise about speed and print what was seen: `python -m bench`; exit code 1 where one is not kept.

Names of measurements, such as `python -m bench sync nudges`, run only these.
"""

import asyncio
import math
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from bench.answers import COMMANDS, measure_answers
from bench.calls import Calls, count_calls
from bench.growth import FEWEST_SERVERS, LINKED, MOST_SERVERS, measure_own, measure_shared
from bench.memberlist import Served
from bench.nudges import measure_latency
from bench.people import measure_memory, measure_room
from bench.process import ask, serving
from bench.queueing import count_those_before
from bench.reading import Cost, Growth
from bench.servers import Size
from bench.start import measure_start
from bench.stops import measure_stops
from bench.table import Row, chosen, measure
from bench.watched import Stop

CAMPAIGN, PATRONS = 100_000, 5_000
CALLS_CAMPAIGN = 10_000
SMALL_SERVER, LARGE_SERVER = 10_000, 500_000
BULK = 10_000
LINKED_AT_START = 20_000
FEW_LINKED = 500
ROOM_PEOPLE = 1_000
NUDGE_RUNS = 3  # the best counts: a p99 shows whatever else the machine does


async def sync() -> list[Row]:
    """A sync without changes: CPU beside plain fetching, and memory."""
    with tempfile.TemporaryDirectory(prefix="pledgekeeper-bench-") as folder:
        database = str(Path(folder) / "bench.db")
        async with serving("bench.memberlist", str(CAMPAIGN), str(PATRONS)) as line:
            served = msgspec.json.decode(line, type=Served)
            cost = msgspec.json.decode(await ask("bench.reading", "cpu", database, told=line), type=Cost)
            growth = msgspec.json.decode(await ask("bench.reading", "memory", database, told=line), type=Growth)
    return [
        Row(
            promise=f"CPU of a no-change sync of {CAMPAIGN:,} members, times fetching and orjson.loads",
            seen=cost.intake_seconds / cost.plain_seconds,
            limit=1.5,
            detail=f"{cost.intake_seconds:.2f} s / {cost.plain_seconds:.2f} s for {served.bytes_sent / 2**20:.0f} MiB",
        ),
        Row(
            promise="the same, times fetching and typed decoding; neither with the cyclic collector",
            seen=cost.uncollected_seconds / cost.typed_seconds,
            limit=2.0,
            detail=f"{cost.uncollected_seconds:.2f} s / {cost.typed_seconds:.2f} s",
        ),
        Row(
            promise="growth of the process's peak memory in it, a member",
            seen=(growth.after_kib - growth.before_kib) / CAMPAIGN,
            limit=1.0,
            unit="KiB",
            detail=f"{growth.before_kib / 1024:.0f} MiB before, {growth.after_kib / 1024:.0f} MiB at most",
        ),
    ]


async def calls() -> list[Row]:
    """Calls to both services, counted by the stand-ins."""
    warm, cold = await count_calls(CALLS_CAMPAIGN)
    return [*_call_rows("a sync", warm), *_call_rows("a cold start", cold)]


def _call_rows(name: str, counted: Calls) -> list[Row]:
    others = sum(counted.others.values())
    return [
        Row(
            promise=f"Patreon calls of {name}, {CALLS_CAMPAIGN:,} members",
            seen=counted.pages,
            limit=counted.pages_wanted,
            is_exact=True,
            detail="one for each thousand members",
        ),
        Row(
            promise=f"Discord writes of {name}",
            seen=counted.writes,
            limit=counted.writes_wanted,
            is_exact=True,
            detail="one for each changed (person, role)",
        ),
        Row(
            promise=f"other calls of {name}",
            seen=others,
            limit=0,
            is_exact=True,
            detail=", ".join(counted.others) or "none",
        ),
    ]


async def servers() -> list[Row]:
    """Memory in a large server beside a small one."""
    small, large = [
        msgspec.json.decode(line, type=Size)
        for line in await asyncio.gather(
            ask("bench.servers", str(SMALL_SERVER), str(PATRONS)),
            ask("bench.servers", str(LARGE_SERVER), str(PATRONS)),
        )
    ]
    return [
        Row(
            promise=f"the bot's resident memory at {LARGE_SERVER:,} members, times that at {SMALL_SERVER:,}",
            seen=large.resident_kib / small.resident_kib,
            limit=1.3,
            detail=f"{large.resident_kib / 1024:.0f} MiB / {small.resident_kib / 1024:.0f} MiB, {PATRONS:,} patrons",
        ),
        Row(
            promise="people looked at by start and first plan who are no patrons",
            seen=large.strangers + large.member_calls,
            limit=0,
            is_exact=True,
            detail=f"{large.asked:,} asked for over the gateway, {large.queued:,} planned a role, none read by REST",
        ),
    ]


async def nudges() -> list[Row]:
    """From a webhook to its role write."""
    latency = await measure_latency()
    for _ in range(NUDGE_RUNS - 1):
        if latency.p99_ms > LATENCY_LIMIT_MS:
            latency = min(latency, await measure_latency(), key=lambda one: one.p99_ms)
    return [
        Row(
            promise=f"p99 of nudge to role write, over the stand-ins' own {latency.standins_ms:.1f} ms",
            seen=latency.p99_ms,
            limit=LATENCY_LIMIT_MS,
            unit="ms",
            detail=f"{latency.nudges} nudges one after another, median {latency.median_ms:.1f} ms",
        )
    ]


async def queueing() -> list[Row]:
    """A new patron behind a bulk run."""
    seen = await count_those_before(BULK)
    return [
        Row(
            promise="bulk writes between a new patron's nudge and their role",
            seen=seen.written_before,
            limit=1,
            detail=f"{seen.waiting:,} wait behind the rate limit; one may be under way",
        )
    ]


async def growth() -> list[Row]:
    """A round without changes, with more and more servers."""
    rows = []
    for what, measured in (
        ("with a campaign each", await measure_own()),
        ("that follow one campaign", await measure_shared()),
    ):
        rows += [
            Row(
                promise=f"CPU of a round without changes, {MOST_SERVERS} servers {what}, {LINKED} linked people each",
                seen=measured.seconds.get(MOST_SERVERS, math.inf),
                limit=2.0,
                unit="s",
                detail=str(measured),
            ),
            Row(
                promise=f"the same for one of the servers, times that with {FEWEST_SERVERS}",
                seen=measured.growth,
                limit=1.1,
            ),
        ]
    return rows


async def start() -> list[Row]:
    """A start with many linked people."""
    seen = await measure_start(LINKED_AT_START)
    return [
        Row(
            promise=f"from the start to a healthy /healthz, {LINKED_AT_START:,} linked people",
            seen=seen.well_seconds,
            limit=5,
            unit="s",
        ),
        Row(promise="the same, to a look at every one of them", seen=seen.looked_at_seconds, limit=150, unit="s"),
        Row(
            promise="from a nudge to its role write meanwhile",
            seen=seen.newcomer_seconds,
            limit=5,
            unit="s",
            detail="one newcomer, while the others are looked at",
        ),
        _stop_row("that start", seen.stop),
    ]


async def stops() -> list[Row]:
    """How long the loop stands still where much is done at once."""
    seen = await measure_stops(FEW_LINKED, BULK)
    return [
        _stop_row(f"a sync that links {BULK:,} people", seen.links),
        _stop_row("a preview for them", seen.preview),
        _stop_row("a sync without changes for them", seen.sync),
        _stop_row("a bulk run that gives them a role", seen.bulk),
    ]


def _stop_row(what: str, stop: Stop) -> Row:
    return Row(
        promise=f"longest stop of the event loop in {what}",
        seen=1000 * stop.seconds,
        limit=100,
        unit="ms",
        detail=f"held by {stop.held_by}" if stop.held_by else "",
    )


async def memory() -> list[Row]:
    """What one more linked person costs."""
    memory = await measure_memory(FEW_LINKED, BULK)
    room = await measure_room(ROOM_PEOPLE)
    return [
        Row(
            promise="the bot's resident memory, a linked person",
            seen=(memory.many_kib - memory.few_kib) / (BULK - FEW_LINKED),
            limit=3,
            unit="KiB",
            detail=f"{memory.many_kib / 1024:.0f} MiB at {BULK:,}, {memory.few_kib / 1024:.0f} MiB at {FEW_LINKED:,}",
        ),
        Row(
            promise="its database, a linked person with a role",
            seen=(room.after - room.before) / ROOM_PEOPLE / 1000,
            limit=1.5,
            unit="kB",
            detail=f"{(room.after - room.before) / 1e6:.1f} MB for {ROOM_PEOPLE:,}",
        ),
    ]


async def answers() -> list[Row]:
    """Commands beside a bulk run."""
    seen = await measure_answers(BULK)
    return [
        Row(
            promise=f"p99 of /membership's first answer beside a bulk run for {BULK:,} people",
            seen=seen.p99_ms,
            limit=50,
            unit="ms",
            detail=f"{COMMANDS} commands, median {seen.median_ms:.1f} ms, {seen.writes} role writes meanwhile",
        ),
        Row(promise="the slowest of these answers", seen=seen.worst_ms, limit=500, unit="ms"),
    ]


LATENCY_LIMIT_MS = 40.0
MEASUREMENTS: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "sync": sync,
    "calls": calls,
    "servers": servers,
    "nudges": nudges,
    "queueing": queueing,
    "growth": growth,
    "start": start,
    "stops": stops,
    "memory": memory,
    "answers": answers,
}


if __name__ == "__main__":
    sys.exit(asyncio.run(measure(chosen(sys.argv[1:], MEASUREMENTS), MEASUREMENTS)))
