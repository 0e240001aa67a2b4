"""Whether a bot works on a database, and how to keep every bot from it for a while.

A file of SQLite has a lock for that. On a database that several processes can reach, each that lives has a row, and
those that are connected to Discord have leases (`discord/tenure.py`).
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import NoReturn

import structlog

from bot.domain.errors import DatabaseAway, DatabaseLocked, Setup
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases
from bot.storage.processes import Processes
from bot.storage.shards import WHOLE_DATABASE, ShardLeases
from bot.storage.sqlite import database_path, is_locked

log = structlog.get_logger(__name__)

PERIOD = timedelta(seconds=10)
RENEWED_AFTER_SECONDS = 3.0
PATIENCE_SECONDS = PERIOD.total_seconds() + 2  # one that was killed is taken to live for so long
PAUSE_SECONDS = 0.5


@contextmanager
def stopping_at_a_bot() -> Iterator[None]:
    """Say that a command does nothing because a bot works on the database; else it would be said of a second bot."""
    try:
        yield
    except DatabaseLocked:
        raise DatabaseLocked(Setup.BOT_RUNS) from None


@asynccontextmanager
async def owned(database: Database) -> AsyncIterator[Lease | None]:
    """Keep every bot from this database meanwhile, by a lease that is lent; DatabaseLocked where one lives.

    A file of SQLite is locked already.
    """
    if not database.is_shared:
        yield None
        return
    leases = Leases(database)
    lease = await _claim(leases, database)
    keeping = asyncio.create_task(_keep(leases, lease), name="the whole database")
    try:
        yield lease
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        with contextlib.suppress(DatabaseAway):
            await leases.release(lease)


async def _claim(leases: Leases, database: Database) -> Lease:
    """Take the whole database, or wait until the last bot surely is no more."""
    me, until, is_told = secrets.token_hex(8), asyncio.get_running_loop().time() + PATIENCE_SECONDS, False
    while True:
        lease = await leases.claim(WHOLE_DATABASE, me, PERIOD)  # first: from now on nobody takes a shard
        if lease is not None and not await _is_at_work(database):
            return lease
        if lease is not None:
            await leases.release(lease)
        if asyncio.get_running_loop().time() > until:
            raise DatabaseLocked(Setup.DATABASE_LOCKED)
        if not is_told:
            log.info("waiting for the bot that used this database last", seconds=PATIENCE_SECONDS)
            is_told = True
        await asyncio.sleep(PAUSE_SECONDS)


async def _keep(leases: Leases, lease: Lease) -> NoReturn:
    """Renew the lease for ever."""
    while True:
        await asyncio.sleep(RENEWED_AFTER_SECONDS)
        try:
            if not await leases.renew(lease, PERIOD):
                log.error("another process has taken this database over")
        except DatabaseAway as away:
            log.warning("the lease on the database could not be renewed", why=str(away))


async def _is_at_work(database: Database) -> bool:
    """Tell whether any process of this version lives, or may still be taken to speak to Discord."""
    return bool(await Processes(database).list_live()) or await ShardLeases(database).is_any_held()


async def is_bot_running(url: str, database: Database) -> bool:
    """Tell whether a bot works on this database now."""
    if database.is_shared:
        return await Leases(database).is_held(WHOLE_DATABASE) or await _is_at_work(database)
    return is_locked(database_path(url))
