"""Lets the other processes know that this one lives, and what it does: a row, said again every few seconds.

Whoever says nothing for a period is taken for dead. By the clock of the database, which all share. It says once which
keys it has.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import NoReturn

import structlog

from bot.domain.errors import DatabaseAway
from bot.domain.processes import Process
from bot.storage.processes import Processes
from bot.storage.sealing import Sealing

log = structlog.get_logger(__name__)

PERIOD = timedelta(seconds=10)
SAID_EVERY_SECONDS = 3.0


class Presence:
    """What the others know of this process."""

    def __init__(self, processes: Processes, process: Process, *, sealing: Sealing, keys: tuple[str, ...]) -> None:
        self._processes = processes
        self._process = process
        self._sealing = sealing
        self._keys = keys  # fingerprints

    async def run(self) -> NoReturn:
        """Say it again and again, until cancelled."""
        has_told_keys = False
        while True:
            try:
                await self._processes.enter(self._process, PERIOD)
                if not has_told_keys:
                    await self._sealing.note_process(self._process.process_id, self._keys)
                    has_told_keys = True
            except DatabaseAway as away:  # then the others cannot look either
                log.warning("the other processes could not be told that this one lives", why=str(away))
            await asyncio.sleep(SAID_EVERY_SECONDS)

    async def leave(self) -> None:
        """Be known no more, where the database can be told."""
        with contextlib.suppress(DatabaseAway):
            await self._processes.leave(self._process.process_id)
