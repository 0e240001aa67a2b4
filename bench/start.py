"""A start with many linked people: when the bot is well, when it has looked at everybody, and who needn't wait for it.

Everything is settled before, so a start has nothing to change. Discord takes 120 messages a minute over the gateway.
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import monotonic, perf_counter

import aiohttp
import msgspec

from bench.nudges import SECRET, Sender
from bench.settled import home_server, write_database
from bench.watched import Stop
from bench.watchedtown import WatchedTown

LOOK_SECONDS = 0.25  # between two looks at the bot
PATIENCE_SECONDS = 180.0
NEWCOMER_AFTER = 1_000  # people: when the bot has looked at so many, somebody pledges


class Start(msgspec.Struct, frozen=True):
    """Seconds since the start of the process, and what stood in the way. What was not waited for is infinite."""

    well_seconds: float
    looked_at_seconds: float
    newcomer_seconds: float  # from the nudge to the role of somebody who pledges meanwhile
    stop: Stop


async def measure_start(linked: int) -> Start:
    """Start the bot with so many people linked."""
    town = WatchedTown(webhook_secret=SECRET)
    town.lift_limits()
    (newcomer,) = town.settle_patrons(1, None)
    server = home_server(town, "Gold", town.settle_patrons(linked, "Gold"))
    async with town, aiohttp.ClientSession() as session:
        sender = Sender(town, session)
        await write_database(town, [server])
        began = monotonic()
        await town.sandbox.bot.start()

        async def is_well() -> bool:
            return (await town.health()).get("http") == HTTPStatus.OK

        async def has_looked_at(count: int) -> bool:
            return await town.ask("looked_at", int) >= count

        async def newcomer_waits() -> float:
            await _seconds_until(lambda: has_looked_at(NEWCOMER_AFTER), began)
            town.pledge(newcomer, "Gold")
            written, sent = town.next_write(newcomer), perf_counter()
            await sender.deliver(*sender.sign(newcomer))
            await asyncio.wait({written}, timeout=PATIENCE_SECONDS)
            return written.result() - sent if written.done() else math.inf

        well, looked_at, newcomer_seconds = await asyncio.gather(
            _seconds_until(is_well, began), _seconds_until(lambda: has_looked_at(linked), began), newcomer_waits()
        )
        return Start(well, looked_at, newcomer_seconds, await town.stop())


async def _seconds_until(is_so: Callable[[], Awaitable[bool]], began: float) -> float:
    """Return how long after `began` something was so for the first time."""
    while monotonic() - began < PATIENCE_SECONDS:
        with contextlib.suppress(OSError):  # nobody listens yet
            if await is_so():
                return monotonic() - began
        await asyncio.sleep(LOOK_SECONDS)
    return math.inf
