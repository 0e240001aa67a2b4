"""Wakes whoever looks now and then: rung, it is looked at at once. Rung twice is rung once."""

import asyncio
import contextlib


class Doorbell:
    """Between those who know that there is something to look at, and the one who looks."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Let it be looked at now."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is rung, and no longer than so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
