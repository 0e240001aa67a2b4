"""A busy town while processes are killed, stopped and cut off, and while their database goes and comes.

`make chaos` does each ten times and for longer; here each is done once. All the while the clock of one gateway is a
minute fast, and that of one worker a minute slow.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.postgres import Postgres, serve_postgres
from tests.fakes.relay import relayed
from tests.fakes.siege import Siege

RUNS = int(os.environ.get("PLEDGEKEEPER_CHAOS_RUNS", "1"))
IS_LONG = RUNS > 1
STOPPED_SECONDS = 60 if IS_LONG else 12  # longer than a lease
AWAY_SECONDS = 300 if IS_LONG else 30
KILLS = 6 if IS_LONG else 1
LONGEST_GAP_SECONDS = 12 if IS_LONG else 4
WRONG_CLOCKS = {"gateway-1": "+60s", "worker-2": "-60s"}


@pytest.fixture
def database() -> None:
    """Take none of the other journeys'."""


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own: it is stopped."""
    with serve_postgres() as running:
        yield running


async def kill(siege: Siege, role: str) -> None:
    for _ in range(KILLS):
        victim = siege.random.choice(siege.processes(role))
        await asyncio.sleep(siege.random.uniform(0.5, 3))
        await victim.process.kill()
        siege.takeovers += role == "worker"
        await asyncio.sleep(siege.random.uniform(0, LONGEST_GAP_SECONDS))
        await victim.process.start()


async def stop(siege: Siege, role: str) -> None:
    victim = siege.random.choice(siege.processes(role))
    victim.process.pause()
    siege.takeovers += role == "worker"
    await asyncio.sleep(STOPPED_SECONDS)
    victim.process.resume()
    await asyncio.sleep(3)


async def restart_database(siege: Siege, server: Postgres) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT):
        await asyncio.sleep(siege.random.uniform(0, 3))
        server.stop(how)
        await asyncio.to_thread(server.start)


async def take_database_away(siege: Siege, server: Postgres) -> None:
    server.stop(signal.SIGQUIT)
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(server.start)


async def cut_off(siege: Siege) -> None:
    """Let one gateway reach its database no more, and hear nothing of it."""
    siege.relay.cut()
    await asyncio.sleep(STOPPED_SECONDS)
    siege.relay.mend()
    await asyncio.sleep(3)


async def start_gateways_at_once(siege: Siege) -> None:
    gateways = siege.processes("gateway")
    await asyncio.gather(*(one.process.kill() for one in gateways))
    await asyncio.gather(*(one.process.start() for one in gateways))


async def restart_all_in_turn(siege: Siege) -> None:
    async with siege.commanded():
        for one in siege.sandbox.bots.members:
            await one.process.stop()
            siege.takeovers += "worker" in one.roles
            await one.process.start()
            await asyncio.sleep(siege.random.uniform(1, LONGEST_GAP_SECONDS))


FAULTS: dict[str, Callable[[Siege, Postgres], Awaitable[None]]] = {
    "a gateway is killed": lambda siege, _: kill(siege, "gateway"),
    "a worker is killed": lambda siege, _: kill(siege, "worker"),
    "a web process is killed": lambda siege, _: kill(siege, "web"),
    "a gateway is stopped for a while": lambda siege, _: stop(siege, "gateway"),
    "a worker is stopped for a while": lambda siege, _: stop(siege, "worker"),
    "the database is restarted": restart_database,
    "the database is away": take_database_away,
    "a gateway is cut off from the database": lambda siege, _: cut_off(siege),
    "two gateways are started at once": lambda siege, _: start_gateways_at_once(siege),
    "all are restarted in turn": lambda siege, _: restart_all_in_turn(siege),
}


@asynccontextmanager
async def besieged(server: Postgres, seed: int) -> AsyncIterator[Siege]:
    """Start a town; in every second nobody hears the bell."""
    name, faketime = server.create(), require_faketime()
    deaf = {"DATABASE_LISTEN_URL": server.url("postgres")} if seed % 2 else {}
    async with relayed(server) as relay, Siege(server.url(name), relay, seed=seed, env=deaf) as siege:
        siege.sandbox.bots.members[1].process.environment["DATABASE_URL"] = relay.url(name)
        for one in siege.sandbox.bots.members:
            if one.name in WRONG_CLOCKS:
                one.process.environment.update({**faketime, "FAKETIME": WRONG_CLOCKS[one.name]})
        yield siege


def require_faketime() -> dict[str, str]:
    """Return what lets a process see the time of FAKETIME; without it the test is skipped, or fails if it is needed.

    Not the program itself, which would stand between us and the process, and hear its signals.
    """
    if (program := shutil.which("faketime")) is None:
        if os.environ.get("PLEDGEKEEPER_NEEDS_FAKETIME"):
            pytest.fail("faketime is needed and not installed")
        pytest.skip("there is no faketime (Debian's package: faketime)")
    told = subprocess.run([program, "-f", "+0", "env"], capture_output=True, text=True, check=True).stdout
    (preloaded,) = [line for line in told.splitlines() if line.startswith("LD_PRELOAD=")]
    return {"LD_PRELOAD": preloaded.partition("=")[2], "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


async def endure(siege: Siege, server: Postgres, faults: list[str]) -> None:
    """Let each of these happen while people come and go; once all processes are well, so are the roles."""
    async with siege.busy():
        for wrong, by in WRONG_CLOCKS.items():
            assert abs(siege.clock_of(wrong) - datetime.now(UTC) - timedelta(seconds=int(by[:-1]))).total_seconds() < 30
        for fault in faults:
            await FAULTS[fault](siege, server)
            siege.check()
    await siege.ready()
    await siege.until_settled()
    siege.check()


# One after the other in two towns, or (`make chaos`) each by itself in as many towns as there are runs.
TOWNS = (
    [(run, [fault]) for run in range(RUNS) for fault in FAULTS]
    if IS_LONG
    else [(seed, [*FAULTS][seed::2]) for seed in range(2)]
)


@pytest.mark.parametrize(("seed", "faults"), TOWNS, ids=lambda one: one if isinstance(one, int) else ", ".join(one))
async def test_whatever_happens_to_it_the_town_is_served_well(server: Postgres, seed: int, faults: list[str]) -> None:
    async with besieged(server, seed) as siege:
        await endure(siege, server, faults)
