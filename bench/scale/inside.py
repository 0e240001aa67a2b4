"""Intervals without changes in a process of its own, with so many servers: CPU, statements and memory.

`python -m bench.scale.inside URL INTERVALS [PID]`, with a line of `memberlist.Served` as standard input, prints one
line. PID is that of the database's server, whose CPU counts too.
"""

import asyncio
import sys

import msgspec

from bench.memberlist import Served
from bench.process import ask, memory_kib, serving
from bench.scale.province import Interval, province
from bot.process import leave_out_of_collections

FEW_INTERVALS = 3  # with few servers, of which the cheapest counts; with many one takes a minute


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest of some intervals, and what was in memory before anything was known."""

    servers: int
    people: int
    interval: Interval
    empty_kib: int

    @property
    def grown_kib(self) -> int:
        """What the servers and their people take in memory."""
        return self.interval.resident_kib - self.empty_kib


class Growth(msgspec.Struct, frozen=True):
    """The same intervals with few servers, and with many; with few once more where that took minutes."""

    few: Measured
    many: Measured
    few_again: Measured | None = None

    @property
    def few_seconds(self) -> float:
        """CPU of an interval with few servers; measured twice, what lies between: a machine's speed changes."""
        return (self.few.interval.seconds + (self.few_again or self.few).interval.seconds) / 2

    @property
    def cpu(self) -> float:
        """What a server costs among many, times what it costs among few."""
        return self.many.interval.seconds / self.few_seconds / self._larger

    @property
    def statements(self) -> float:
        """The same in statements."""
        few, many = (one.interval.gateway.statements + one.interval.worker.statements for one in (self.few, self.many))
        return many / few / self._larger

    @property
    def read(self) -> float:
        """The same in rows that are read."""
        few, many = (one.interval.gateway.read + one.interval.worker.read for one in (self.few, self.many))
        return many / few / self._larger

    @property
    def memory(self) -> float:
        """The same in memory."""
        return self.many.grown_kib / max(self.few.grown_kib, 1) / self._larger

    @property
    def _larger(self) -> float:
        return self.many.servers / self.few.servers


async def measure_inside(url: str, *, servers: int, people: int, intervals: int, pid: int | None = None) -> Measured:
    """Let a process of its own measure so many servers with so many people each, on an empty database."""
    async with serving("bench.memberlist", str(people), str(people), str(servers)) as line:
        server = [] if pid is None else [str(pid)]
        said = await ask("bench.scale.inside", url, str(intervals), *server, told=line)
    return msgspec.json.decode(said, type=Measured)


async def measure(url: str, served: Served, *, intervals: int, pid: int | None = None) -> Measured:
    """Measure in this process."""
    async with province(url, served, server_pid=pid) as town:
        empty_kib = memory_kib("VmRSS")
        await town.settle()
        found = [await town.interval() for _ in range(intervals)]
    return Measured(
        servers=len(served.campaigns),
        people=sum(len(one.patrons) for one in served.campaigns),
        interval=min(found, key=lambda one: one.seconds),
        empty_kib=empty_kib,
    )


def main() -> None:
    """Measure what the arguments say."""
    url, intervals, *server = sys.argv[1:]
    served = msgspec.json.decode(sys.stdin.readline(), type=Served)
    pid = int(server[0]) if server else None
    leave_out_of_collections()  # as the bot does at its start
    measured = asyncio.run(measure(url, served, intervals=int(intervals), pid=pid))
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")


if __name__ == "__main__":
    main()
