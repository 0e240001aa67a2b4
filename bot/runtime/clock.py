"""What time it is. Everything that decides takes `now` as an argument; only the shell asks a clock.

`CLOCK_URL` is for testing: the sandbox moves time, and the bot follows by asking it twice a second. Settings refuse it
unless both services are on loopback.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol

import aiohttp
import structlog

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5


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
                log.warning("the followed clock does not answer", error=repr(error))
            await asyncio.sleep(POLL_SECONDS)
