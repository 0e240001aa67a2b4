"""What time it is. Everything that decides takes `now` as an argument; only the shell asks a clock.

`CLOCK_URL` is for testing: the sandbox moves time, and the bot follows by asking it twice a second. Settings refuse it
unless both services are on loopback.

Where several processes share a database, its time is everybody's: moments that one stores are compared by another.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import aiohttp
import structlog

from bot.domain.errors import DatabaseAway

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
MEASURED_EVERY_SECONDS = 60.0
MEASURED_TIMES = 3  # at a time: the shortest trip says it best
LONGEST_TRIP = timedelta(seconds=1)  # of one that says anything, once we have any
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


class FollowedClock:
    """The machine's time plus what a clock at some address is ahead of it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the present moment of the followed clock, aware, in UTC."""
        return datetime.now(UTC) + self._ahead

    async def read(self) -> None:
        """Ask the address once; raises what aiohttp raises, and ValueError for an answer that is no time."""
        async with self._session.get(self._url, timeout=aiohttp.ClientTimeout(total=5)) as response:
            response.raise_for_status()
            told = datetime.fromisoformat((await response.text()).strip())
        self._ahead = told.astimezone(UTC) - datetime.now(UTC)

    async def follow(self) -> None:
        """Keep reading until cancelled; a failed read leaves the time running as it was."""
        while True:
            try:
                await self.read()
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                log.warning("the followed clock does not answer", why=repr(error))
            await asyncio.sleep(POLL_SECONDS)


async def tell_time(url: str | None) -> datetime:
    """Return what time it is by the clock at an address, or by the machine's; ValueError where the former is silent."""
    if url is None:
        return SystemClock().now()
    async with aiohttp.ClientSession() as session:
        clock = FollowedClock(session, url)
        try:
            await clock.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ValueError(type(error).__name__) from None
        return clock.now()


class SharedClock:
    """The time that others share, as our own steady clock carries it on since it was last measured.

    Never goes back: where it was ahead it stands still until that is made up for. Until `measure` it tells the
    machine's time.
    """

    def __init__(self, ask: Callable[[], Awaitable[datetime]], *, steady_ns: Callable[[], int] | None = None) -> None:
        self._ask = ask
        self._steady_ns = steady_ns or time.monotonic_ns
        self._origin = datetime.now(UTC) - self._steady()  # what time it was when our steady clock stood at nought
        self._is_measured = False
        self._latest = EPOCH

    def now(self) -> datetime:
        """Return the present moment of the shared time, aware, in UTC."""
        self._latest = max(self._latest, self._origin + self._steady())
        return self._latest

    async def measure(self) -> None:
        """Ask a few times and take the answer that came soonest: it was true half-way. Raises what asking raises."""
        found = [await self._measure_once() for _ in range(MEASURED_TIMES)]
        trip, origin = min(found)
        if not self._is_measured or trip <= LONGEST_TRIP:
            self._origin, self._is_measured = origin, True

    async def follow(self) -> None:
        """Keep measuring until cancelled; a failed one leaves the time running as it was."""
        while True:
            await asyncio.sleep(MEASURED_EVERY_SECONDS)
            try:
                await self.measure()
            except DatabaseAway as away:
                log.warning("the shared time could not be measured", why=str(away))

    async def _measure_once(self) -> tuple[timedelta, datetime]:
        sent = self._steady()
        told = await self._ask()
        trip = self._steady() - sent
        return trip, told - sent - trip / 2

    def _steady(self) -> timedelta:
        return timedelta(microseconds=self._steady_ns() // 1000)
