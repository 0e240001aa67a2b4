"""What a round in which nothing has changed costs with more and more servers.

Each server has a hundred linked patrons: with a campaign of its own, or all follow one campaign.
"""

import asyncio
import math
from collections.abc import Callable
from statistics import median

import msgspec

from bench.settled import Server, add_servers, add_servers_of_one, write_database
from bench.watchedtown import WatchedTown

LINKED = 100
FEWEST_SERVERS, MOST_SERVERS = 10, 100
SIZES = (FEWEST_SERVERS, 30, MOST_SERVERS)
INTERVAL = 300  # seconds between two rounds, as by default: so much of everybody's turn has come
ROUNDS = 3  # the middle one counts: the bot's own loop may take a slice before us
PATIENCE_SECONDS = 90.0  # for a first round, and for all that are measured
HOPELESS = 2.0  # times the cost of a server in the smallest size: more servers would take minutes

Settle = Callable[..., list[Server]]


class Growth(msgspec.Struct, frozen=True):
    """Seconds of CPU that a round took, by the number of servers; what was not waited for is missing."""

    seconds: dict[int, float]

    @property
    def is_whole(self) -> bool:
        """Tell whether all sizes were measured."""
        return self.seconds.keys() == set(SIZES)

    @property
    def so_far(self) -> float:
        """Return what a server costs in the largest size measured, times what it costs in the smallest."""
        return self._of_a_server(max(self.seconds)) / self._of_a_server(min(self.seconds))

    @property
    def growth(self) -> float:
        """Return the same for the largest size of all; infinite where it was not measured."""
        return self.so_far if self.is_whole else math.inf

    def _of_a_server(self, servers: int) -> float:
        return self.seconds[servers] / servers

    def __str__(self) -> str:
        told = [f"{seconds:.2f} s at {servers}" for servers, seconds in self.seconds.items()]
        return ", ".join(told if self.is_whole else [*told, "more was not waited for"])


async def measure_own() -> Growth:
    """Measure servers with a campaign each."""
    return await _measure(add_servers)


async def measure_shared() -> Growth:
    """Measure servers that follow one campaign."""
    return await _measure(add_servers_of_one)


async def _measure(settle: Settle) -> Growth:
    found = Growth({})
    for servers in SIZES:
        try:
            found.seconds[servers] = await _cost_of_round(settle, servers)
        except TimeoutError:
            break
        if found.so_far > HOPELESS:
            break
    return found


async def _cost_of_round(settle: Settle, servers: int) -> float:
    """Return the CPU of the middle one of some rounds. TimeoutError where they take too long."""
    town = WatchedTown(interval=INTERVAL)
    town.lift_limits()
    places = settle(town, servers, linked=LINKED)
    async with town:
        await write_database(town, places)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await town.start(2 * PATIENCE_SECONDS)
            await town.idle(PATIENCE_SECONDS)
        if town.writes():
            raise RuntimeError(f"a settled world was changed: {len(town.writes())} role writes")
        return median([await town.round(PATIENCE_SECONDS) for _ in range(ROUNDS)])
