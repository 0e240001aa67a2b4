"""Turns at work that only one process may do at a time: each is a lease of its own, renewed while the work goes on.

Where one process owns the database every turn is free, and nothing is asked for it. Whoever was stopped for longer than
a lease lasts has lost the turn, and may not know it yet: what must not be stored then is stored under the turn's lease
(`leases.require`).
"""

import asyncio
import contextlib
import itertools
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from bot.domain.errors import DatabaseAway
from bot.storage.leases import Lease, LeaseLost, Leases

log = structlog.get_logger(__name__)

T = TypeVar("T")

PERIOD = timedelta(seconds=10)
RENEWED_AFTER_SECONDS = 3.0
LOOK_SECONDS = 1.0  # between two tries to get one that somebody else has
FIRST_LOOK_SECONDS = 0.05  # most turns take a moment only, and somebody may wait
CLOSE_SECONDS = 1.0  # for the word that a turn is over


class HeldTurn:
    """A turn that we have. `lease` is None where no other process could have it."""

    def __init__(self, name: str, lease: Lease | None = None, keeping: asyncio.Task[None] | None = None) -> None:
        self.name = name
        self.lease = lease
        self._keeping = keeping

    async def carry_out(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this as long as the turn is ours; LeaseLost, and the work is broken off, where it no longer is."""
        if self._keeping is None:
            return await work
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self._keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise LeaseLost(self.name)
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Turns:
    """Every turn of this process."""

    def __init__(self, leases: Leases, *, owner: str, is_shared: bool) -> None:
        self._leases = leases
        self._owner = owner  # this process; each turn's lease says besides which one it is
        self.is_shared = is_shared  # other processes may have them
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def take(self, name: str, *, patience: float = 0.0) -> AsyncIterator[HeldTurn | None]:
        """Have a turn until the end of the block; None where somebody else has it for all these seconds."""
        if not self.is_shared:
            yield HeldTurn(name)
            return
        lease, asked_at = await self._claim(name, patience)
        if lease is None:
            yield None
            return
        keeping = asyncio.create_task(self._keep(lease, asked_at), name=f"turn at {name}")
        try:
            yield HeldTurn(name, lease, keeping)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            with contextlib.suppress(DatabaseAway, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._leases.release(lease)

    async def run(self, name: str, loop: Callable[[], Awaitable[object]]) -> None:
        """Run a loop while its turn is ours, and wait for the turn else; end where the loop does."""

        async def run() -> None:
            await loop()

        while True:
            async with self.take(name, patience=math.inf) as turn:
                if turn is None:  # nobody waits that long
                    continue
                try:
                    await turn.carry_out(run())
                except LeaseLost:
                    log.info("another process goes on with this", name=name)
                    continue
                return

    async def _claim(self, name: str, patience: float) -> tuple[Lease | None, float]:
        owner, until, pause = f"{self._owner} {next(self._numbers)}", time.monotonic() + patience, FIRST_LOOK_SECONDS
        while True:
            asked_at = time.monotonic()
            lease = await self._leases.claim(name, owner, PERIOD)
            if lease is not None or asked_at >= until:
                return lease, asked_at
            await asyncio.sleep(min(pause, max(until - asked_at, 0)))
            pause = min(2 * pause, LOOK_SECONDS)

    async def _keep(self, lease: Lease, asked_at: float) -> None:
        """Renew a lease; end once somebody else has it, or may have it: while the database is away nobody gets it."""
        until = asked_at + PERIOD.total_seconds()
        while True:
            await asyncio.sleep(RENEWED_AFTER_SECONDS)
            asked_at = time.monotonic()
            try:
                if not await self._leases.renew(lease, PERIOD):
                    return
            except DatabaseAway as away:
                log.warning("a lease could not be renewed", name=lease.name, why=str(away))
                if time.monotonic() >= until:
                    return
            else:
                until = asked_at + PERIOD.total_seconds()
