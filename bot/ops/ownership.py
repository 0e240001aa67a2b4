"""One bot at a time on a database that several processes can reach; a file of SQLite has a lock for that.

Whoever was killed owns it until its lease ends, so the next one waits that long.
"""

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

import structlog

from bot.domain.errors import DatabaseAway, DatabaseLocked, Setup
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases
from bot.storage.sqlite import database_path, is_locked

log = structlog.get_logger(__name__)

BOT = "bot"  # the lease's name
PERIOD = timedelta(seconds=10)
MARGIN_SECONDS = 1.0  # for what is on its way to Discord when the lease ends
RENEWED_AFTER_SECONDS = 3
PATIENCE_SECONDS = PERIOD.total_seconds() + 2
PAUSE_SECONDS = 0.5


class OwnerLease:
    """That this process, and no other one, changes the database and what it is about."""

    def __init__(self, until: float = math.inf) -> None:
        self._until = until  # monotonic: it goes on while a process is stopped
        self.ends: tuple[asyncio.Task[NoReturn], ...] = ()  # which fail once another process owns it

    @property
    def is_certain(self) -> bool:
        """Tell whether no other process can own it by now."""
        return time.monotonic() < self._until

    def extend(self, asked_at: float) -> None:
        """Take it that the lease was given for a period, after a moment (monotonic)."""
        self._until = asked_at + PERIOD.total_seconds() - MARGIN_SECONDS


@asynccontextmanager
async def owned(database: Database) -> AsyncIterator[OwnerLease]:
    """Be the one process that changes this database; DatabaseLocked where another one lives.

    A file of SQLite is locked already.
    """
    if not database.is_shared:
        yield OwnerLease()
        return
    leases, ours = Leases(database), OwnerLease(-math.inf)
    lease = await _claim(leases, ours)
    keeping = asyncio.create_task(_keep(leases, lease, ours), name="ownership")
    ours.ends = (keeping,)
    try:
        yield ours
    finally:
        keeping.cancel()
        with contextlib.suppress(DatabaseAway):
            await leases.release(lease)


async def _claim(leases: Leases, ours: OwnerLease) -> Lease:
    """Take the lease, or wait until the last owner surely is no more."""
    me, until, is_told = secrets.token_hex(8), time.monotonic() + PATIENCE_SECONDS, False
    while True:
        asked_at = time.monotonic()
        lease = await leases.claim(BOT, me, PERIOD)
        if lease is not None:
            ours.extend(asked_at)
            return lease
        if time.monotonic() > until:
            raise DatabaseLocked(Setup.DATABASE_LOCKED)
        if not is_told:
            log.info("waiting for the bot that used this database last", seconds=PATIENCE_SECONDS)
            is_told = True
        await asyncio.sleep(PAUSE_SECONDS)


async def _keep(leases: Leases, lease: Lease, ours: OwnerLease) -> NoReturn:
    """Renew the lease for ever; DatabaseLocked once another bot has it.

    While the database is away nobody can take the lease, and no change is begun.
    """
    while True:
        await asyncio.sleep(RENEWED_AFTER_SECONDS)
        asked_at = time.monotonic()
        try:
            is_ours = await leases.renew(lease, PERIOD)
        except DatabaseAway as away:
            log.warning("the lease on the database could not be renewed", why=str(away))
            continue
        if not is_ours:
            raise DatabaseLocked(Setup.DATABASE_TAKEN)
        ours.extend(asked_at)


async def is_bot_running(url: str, database: Database) -> bool:
    """Tell whether a bot works on this database now."""
    if database.is_shared:
        return await Leases(database).is_held(BOT)
    return is_locked(database_path(url))
