"""One database: opened, locked, migrated, and lent out a transaction at a time. Knows no aggregate.

SQLite runs in WAL mode with foreign keys on. A transaction that will write says so at its start (BEGIN IMMEDIATE):
one that began by reading could be refused half-way. Within the process, writers queue here and not in SQLite, whose
own queue is a sleep.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import filelock
from sqlalchemy import Connection, Executable, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.domain.errors import DatabaseLocked, NeedsOwner, SettingsInvalid, Setup
from bot.storage import migrations
from bot.storage.connection import connect

MAX_READERS = 8  # at a time; below what SQLAlchemy's pool holds, for snapshots and the writer come from there too
BUSY_TIMEOUT_SECONDS = 15  # how long another process (rotate-keys) may keep a writer waiting
LOCK_PATIENCE_SECONDS = 1  # a check holds the lock for an instant, and a bot that was killed lets go of it


class Database:
    """The way to a connection. `open` owns the database; `attach` works beside the process that does."""

    def __init__(self, engine: AsyncEngine, lock: filelock.BaseFileLock | None = None) -> None:
        self._engine = engine
        self._readers = engine.execution_options(begin=None)
        self._writers = engine.execution_options(begin="BEGIN IMMEDIATE")
        self._free_readers: list[AsyncConnection] = []
        self._free_writers: list[AsyncConnection] = []
        self._places = asyncio.Semaphore(MAX_READERS)
        self._turn = asyncio.Lock()
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
        database = cls(_build_engine(url), lock)
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
        database = cls(_build_engine(url))
        async with _closed_on_failure(database), database.write() as connection:
            lag = await connection.run_sync(migrations.compare)
            if lag is not None:
                raise NeedsOwner(lag)
        return database

    async def close(self) -> None:
        """Close every connection and give the lock back."""
        for connection in (*self._free_readers, *self._free_writers):
            await connection.close()
        await self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one reading statement: alone it needs no transaction, which would double its cost."""
        async with self._places, _lent(self._readers, self._free_readers) as connection:
            yield connection

    async def write_row(self, statement: Executable, row: dict[str, Any]) -> None:
        """Execute one writing statement for one row: alone it is a transaction, at a third of the cost of `write`."""
        async with self._turn, _lent(self._readers, self._free_readers) as connection:
            await connection.execute(statement, row)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection whose statements all see one state of the database."""
        async with self._engine.begin() as connection:
            yield connection

    @property
    def dialect_name(self) -> str:
        """The kind of database."""
        return self._engine.dialect.name

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one short transaction: all of it is kept, or nothing."""
        async with self._turn, _lent(self._writers, self._free_writers) as connection, connection.begin():
            yield connection


@asynccontextmanager
async def _lent(engine: AsyncEngine, free: list[AsyncConnection]) -> AsyncIterator[AsyncConnection]:
    """Lend a connection that is free, or a new one: to open one costs as much as a look-up by key.

    One that somebody broke off on is closed: who knows what it was doing.
    """
    connection = free.pop() if free else await engine.connect()
    try:
        yield connection
    except BaseException:
        await asyncio.shield(connection.close())
        raise
    free.append(connection)


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
    engine = _build_engine(url, enforces_foreign_keys=False)
    try:
        async with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            await connection.run_sync(migrations.upgrade)
    finally:
        await engine.dispose()


def _build_engine(url: str, *, enforces_foreign_keys: bool = True) -> AsyncEngine:
    path = database_path(url)
    # An error's text must not carry values.
    engine = create_async_engine(url, async_creator=lambda: connect(path), hide_parameters=True)
    event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, enforces_foreign_keys=enforces_foreign_keys))
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object, *, enforces_foreign_keys: bool) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA foreign_keys = {int(enforces_foreign_keys)}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
