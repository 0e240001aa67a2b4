"""One database: opened, locked, migrated, and lent out a transaction at a time. Knows no aggregate.

SQLite runs in WAL mode with foreign keys on. There are two engines, for SQLAlchemy has two ways with SQLite that do not
go together (https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#transactions-with-sqlite-and-the-sqlite3-driver):

- in driver-level autocommit, for statements that stand alone: a transaction around one would double its cost;
- with a BEGIN of our own, for several that write: IMMEDIATE, for one that began by reading could be refused half-way.

Within the process, both queue here: SQLAlchemy's pool gives up after a while, and SQLite's own queue is a sleep.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import filelock
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.domain.errors import DatabaseLocked, NeedsOwner, SettingsInvalid, Setup
from bot.storage import migrations

MAX_READERS = 8  # at a time; each connection is a thread
CACHE_KIB = 512  # of the file that each connection remembers; the system remembers all of it once
BUSY_TIMEOUT_SECONDS = 15  # how long another process (rotate-keys) may keep a writer waiting
LOCK_PATIENCE_SECONDS = 1  # a check holds the lock for an instant, and a bot that was killed lets go of it


class Database:
    """The way to a connection. `open` owns the database; `attach` works beside the process that does."""

    def __init__(self, url: str, lock: filelock.BaseFileLock | None = None) -> None:
        self._alone = _build_engine(url, MAX_READERS + 1, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        self._together = _build_transactional_engine(url)
        self._readers = asyncio.Semaphore(MAX_READERS)
        self._writer = asyncio.Lock()
        self._lock = lock

    @classmethod
    async def open(cls, url: str) -> Self:
        """Make the file where needed, lock it and bring its tables up to date; DatabaseLocked if it is in use."""
        path = database_path(url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock_beside(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no file can have that name"
            raise SettingsInvalid(Setup.DATABASE_NOT_MADE, reason=reason) from None
        database = cls(url, lock)
        async with _closed_on_failure(database):
            await _upgrade(url)
        return database

    @classmethod
    async def attach(cls, url: str) -> Self:
        """Open a database that exists, without lock or migration.

        NeedsOwner unless its tables are up to date and it can be written.
        """
        path = database_path(url)
        if not path.is_file():
            raise NeedsOwner(Setup.DATABASE_MISSING, path=str(path))
        database = cls(url)
        async with _closed_on_failure(database), database.write() as connection:
            lag = await connection.run_sync(migrations.compare)
            if lag is not None:
                raise NeedsOwner(lag)
        return database

    async def close(self) -> None:
        """Close every connection and give the lock back."""
        await self._alone.dispose()
        await self._together.dispose()
        if self._lock is not None:
            self._lock.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for reading. A statement sees one state of the database, the next one perhaps a newer."""
        async with self._readers, self._alone.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write_one(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one writing statement: alone it is a transaction, at a third of the cost of `write`."""
        async with self._writer, self._alone.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one short transaction: all of it is kept, or nothing."""
        async with self._writer, self._together.begin() as connection:
            yield connection


@asynccontextmanager
async def _closed_on_failure(database: Database) -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        await database.close()
        raise SettingsInvalid(Setup.DATABASE_UNUSABLE, reason=str(error.orig)) from error
    except BaseException:
        await database.close()
        raise


def database_path(url: str) -> Path:
    """Return the file that a SQLite address names."""
    return Path(make_url(url).database or "")


def lock_path(path: Path) -> Path:
    """Return the lock file beside a database file."""
    return path.with_name(path.name + ".lock")


def is_locked(path: Path) -> bool:
    """Tell whether a process works on this database now."""
    if not lock_path(path).exists():
        return False
    lock = filelock.FileLock(lock_path(path))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def _lock_beside(path: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(lock_path(path))
    try:
        lock.acquire(timeout=LOCK_PATIENCE_SECONDS)
    except filelock.Timeout as taken:
        raise DatabaseLocked(Setup.DATABASE_LOCKED) from taken
    return lock


async def _upgrade(url: str) -> None:
    """Bring the tables up to date, in one transaction, on a connection that enforces no foreign keys.

    While they are enforced, a table that is dropped to be built anew deletes its children; and within a transaction
    SQLite does not let go of them (https://sqlite.org/lang_altertable.html#otheralter).
    """
    engine = _build_transactional_engine(url, enforces_foreign_keys=False)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrations.upgrade)
    finally:
        await engine.dispose()


def _build_transactional_engine(url: str, *, enforces_foreign_keys: bool = True) -> AsyncEngine:
    engine = _build_engine(url, 1, enforces_foreign_keys=enforces_foreign_keys)
    event.listen(engine.sync_engine, "connect", _say_no_begin)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _build_engine(
    url: str, most_connections: int, *, enforces_foreign_keys: bool = True, **options: Any
) -> AsyncEngine:
    """Build an engine whose pool nobody ever waits for: no more are let in here at a time."""
    engine = create_async_engine(
        url,
        hide_parameters=True,  # an error's text must not carry values
        pool_size=most_connections,
        max_overflow=0,
        pool_use_lifo=True,  # each connection remembers pages of its own: the fewer are used, the less is kept twice
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        **options,
    )
    event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, enforces_foreign_keys=enforces_foreign_keys))
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object, *, enforces_foreign_keys: bool) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute(f"PRAGMA foreign_keys = {int(enforces_foreign_keys)}")
    cursor.close()


def _say_no_begin(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # else the driver says one of its own


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
