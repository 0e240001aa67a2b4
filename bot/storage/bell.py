"""The bell: a word from another process that there is something to look at. It says no more, and may be missed.

PostgreSQL carries it (https://www.postgresql.org/docs/current/sql-notify.html) to a connection of our own, which a
pgbouncer in transaction mode does not lend. So we ring ourselves and expect to hear it: at the start, after each new
connection, and every half a minute. Whoever waits for the bell must look now and then all the same.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import NoReturn

import structlog
from sqlalchemy import func, select

from bot.domain.errors import DatabaseAway
from bot.runtime.health import HealthBoard, Note
from bot.storage import postgresql
from bot.storage.database import Database
from bot.storage.postgresql import Hear

log = structlog.get_logger(__name__)

CHANNEL = "pledgekeeper"
TEST = "test "  # how the words begin by which each process tries whether it hears
HEARD_WITHIN_SECONDS = 2.0
TESTED_EVERY_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


class Bell:
    """Hears the bell and calls `on_ring` with its word; with an empty one where some may have been missed."""

    def __init__(self, database: Database, url: str, *, health: HealthBoard, on_ring: Callable[[str], None]) -> None:
        self._database = database
        self._url = url
        self._health = health
        self._on_ring = on_ring
        self._me = TEST + secrets.token_hex(8)
        self._is_told = False
        self.is_heard = False  # whether the bell reaches us, as far as we know

    async def run(self) -> NoReturn:
        """Listen until cancelled, by a new connection wherever one breaks, or hears us no more."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with postgresql.listen(self._url, CHANNEL) as hear:
                    while await self._test(hear):
                        pause = FIRST_PAUSE_SECONDS
                        self._note_heard()
                        await self._hear(hear, seconds=TESTED_EVERY_SECONDS)
                self._note_unheard("silence")
            except DatabaseAway as away:
                self._note_unheard(str(away))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _test(self, hear: Hear) -> bool:
        """Ring ourselves; tell whether we heard it in time."""
        await ring(self._database, self._me)
        return await self._hear(hear, seconds=HEARD_WITHIN_SECONDS, until=self._me)

    async def _hear(self, hear: Hear, *, seconds: float, until: str | None = None) -> bool:
        """Pass on what is rung, for so long; True as soon as the word of a test was heard."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            words = await hear(left)
            for word in words:
                if not word.startswith(TEST):
                    self._on_ring(word)
            if until in words:
                return True
        return False

    def _note_heard(self) -> None:
        self._health.withdraw(Note.BELL_UNHEARD)
        if self._is_told:
            log.info("the bell is heard again")
        if not self.is_heard:
            self._on_ring("")
        self.is_heard, self._is_told = True, False

    def _note_unheard(self, why: str) -> None:
        self.is_heard = False
        self._health.note(Note.BELL_UNHEARD)
        if not self._is_told:
            log.warning(
                "PostgreSQL's notifications don't arrive, so I look every few seconds instead",
                why=why,
                to_do="if a pgbouncer is in between, set DATABASE_LISTEN_URL to the same database at the server itself",
            )
        self._is_told = True


async def ring(database: Database, word: str) -> None:
    """Ring once, by whatever way statements go."""
    async with database.read() as connection:
        await connection.execute(select(func.pg_notify(CHANNEL, word)))


async def is_heard(database: Database, url: str) -> bool:
    """Try once whether what is rung arrives by this address; DatabaseAway where it can't be reached."""
    word = TEST + secrets.token_hex(8)
    async with postgresql.listen(url, CHANNEL) as hear:
        await ring(database, word)
        end = time.monotonic() + HEARD_WITHIN_SECONDS
        while (left := end - time.monotonic()) > 0:
            if word in await hear(left):
                return True
    return False
