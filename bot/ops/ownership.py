"""One bot at a time on a database that several processes can reach; a file of SQLite has a lock for that.

Whoever was killed owns it until its lease ends, so the next one waits that long.
"""

import asyncio
import contextlib
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
RENEWED_AFTER_SECONDS = 3
PATIENCE_SECONDS = PERIOD.total_seconds() + 2
PAUSE_SECONDS = 0.5


@asynccontextmanager
async def owned(database: Database) -> AsyncIterator[tuple[asyncio.Task[NoReturn], ...]]:
    """Be the one process that changes this database; DatabaseLocked where another one lives.

    Yields the task that fails once another one is. A file of SQLite is locked already: then there is none.
    """
    if not database.is_shared:
        yield ()
        return
    leases = Leases(database)
    lease = await _claim(leases)
    keeping = asyncio.create_task(_keep(leases, lease), name="ownership")
    try:
        yield (keeping,)
    finally:
        keeping.cancel()
        with contextlib.suppress(DatabaseAway):
            await leases.release(lease)


async def _claim(leases: Leases) -> Lease:
    """Take the lease, or wait until the last owner surely is no more."""
    me, until, is_told = secrets.token_hex(8), time.monotonic() + PATIENCE_SECONDS, False
    while True:
        lease = await leases.claim(BOT, me, PERIOD)
        if lease is not None:
            return lease
        if time.monotonic() > until:
            raise DatabaseLocked(Setup.DATABASE_LOCKED)
        if not is_told:
            log.info("waiting for the bot that used this database last", seconds=PATIENCE_SECONDS)
            is_told = True
        await asyncio.sleep(PAUSE_SECONDS)


async def _keep(leases: Leases, lease: Lease) -> NoReturn:
    """Renew the lease for ever; DatabaseLocked once another bot has it.

    While the database is away nobody can take the lease, and nothing can be written.
    """
    while True:
        await asyncio.sleep(RENEWED_AFTER_SECONDS)
        try:
            is_ours = await leases.renew(lease, PERIOD)
        except DatabaseAway as away:
            log.warning("the lease on the database could not be renewed", why=str(away))
            continue
        if not is_ours:
            raise DatabaseLocked(Setup.DATABASE_TAKEN)


async def is_bot_running(url: str, database: Database) -> bool:
    """Tell whether a bot works on this database now."""
    if database.is_shared:
        return await Leases(database).is_held(BOT)
    return is_locked(database_path(url))
