"""Holds our requests to this process's share of what Discord takes from one application: 50 a second for all its calls.

discord.py obeys Discord's answer when that is exceeded, each process by itself, and such answers count towards a ban of
the address (discord-api-docs, Rate Limits). So where several gateways have shards, each keeps to an even part. One
that is alone is held to nothing here.

Not covered: calls about an interaction, which Discord doesn't count; calls of processes without a client
(`discord/rights.py`), which are one for a consent; and the seconds before a gateway has noticed another one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from bot.domain.errors import DatabaseAway
from bot.runtime.sliding_window import SlidingWindow

log = structlog.get_logger(__name__)

MOST_A_SECOND = 50
LOOK_SECONDS = 3.0


class RequestPace:
    """Makes each request wait its turn, where other gateways send some too."""

    def __init__(
        self,
        count_gateways: Callable[[], Awaitable[int]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._count_gateways = count_gateways
        self._monotonic = monotonic
        self._sleep = sleep
        self._gateways = 1
        self._window: SlidingWindow | None = None  # None: nobody else sends

    async def wait_turn(self) -> None:
        """Return once a request may leave; it is counted from then on."""
        while self._window is not None:
            wait = self._window.wait_seconds(self._monotonic())
            if wait <= 0:
                self._window.note(self._monotonic())
                return
            await self._sleep(wait)

    async def run(self) -> NoReturn:
        """Look how many send, again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look how many gateways have shards; while nobody can tell, they are as many as before."""
        try:
            gateways = max(1, await self._count_gateways())
        except DatabaseAway:
            return
        if gateways != self._gateways:
            log.info("gateways share what Discord takes", gateways=gateways)
            self._gateways = gateways
            self._window = SlidingWindow(max(1, MOST_A_SECOND // gateways), 1.0) if gateways > 1 else None
