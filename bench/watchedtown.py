"""A town whose bot answers the bench (`watched.py`)."""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TypeVar

import msgspec

from bench.town import ONE_READ, Town
from bench.watched import Stop, Used
from bot.sync.resync import PLANNED_WITHIN, period_of

T = TypeVar("T")

REST_SECONDS = 0.5
IDLE_SHARE = 0.1  # of a core: what a bot without work takes is much less
FIVE_MINUTES = timedelta(minutes=5)
EVERYBODY_WITHIN = period_of(PLANNED_WITHIN, FIVE_MINUTES)


class WatchedTown(Town):
    """A town with a way into the process of its bot."""

    command_line = (sys.executable, "-m", "bench.watched")

    def __init__(self, *, webhook_secret: str | None = None, interval: int = ONE_READ) -> None:
        super().__init__(webhook_secret=webhook_secret, interval=interval)
        self._folder = tempfile.TemporaryDirectory(prefix="pledgekeeper-bench-")
        self._socket = str(Path(self._folder.name) / "bench")
        self.sandbox.bot.environment["BENCH_SOCKET"] = self._socket

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        self._folder.cleanup()

    async def ask(self, word: str, kind: type[T]) -> T:
        """Ask the bot's process something and wait for the answer."""
        reader, writer = await asyncio.open_unix_connection(self._socket)
        writer.write(f"{word}\n".encode())
        line = await reader.readline()
        writer.close()
        if not line:
            raise RuntimeError(f"the bot did not answer {word}\n{self.log()[-3000:]}")
        return msgspec.json.decode(line, type=kind)

    async def stop(self) -> Stop:
        """Return the longest stop of the bot's loop since somebody asked."""
        return await self.ask("stop", Stop)

    async def until_looked_at(self, count: int, seconds: float) -> None:
        """Wait until the bot knows so many people's roles."""
        async with asyncio.timeout(seconds):
            while await self.ask("looked_at", int) < count:  # noqa: ASYNC110  it is in another process
                await asyncio.sleep(REST_SECONDS)

    async def idle(self, seconds: float) -> None:
        """Wait until the bot has nothing to do, for so long at most. TimeoutError: it still has."""
        async with asyncio.timeout(seconds):
            used = (await self.ask("used", Used)).cpu_seconds
            while True:
                began = monotonic()
                await asyncio.sleep(REST_SECONDS)
                before, used = used, (await self.ask("used", Used)).cpu_seconds
                if used - before < IDLE_SHARE * (monotonic() - began):
                    return

    async def round(self, seconds: float) -> float:
        """Return the CPU of an interval of five minutes: a round, and its slices of everybody. TimeoutError: too long.

        Slices cost the most where whole servers are planned at once: so that is done, and the interval's share counts.
        """
        await self.move(EVERYBODY_WITHIN)
        async with asyncio.timeout(seconds):
            everybody = await self.ask("slice", Used)
            whole_round = await self.ask("round", Used)
        return whole_round.cpu_seconds + everybody.cpu_seconds * (FIVE_MINUTES / EVERYBODY_WITHIN)
