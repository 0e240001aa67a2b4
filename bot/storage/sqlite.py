"""SQLite: one file, owned by one process, in WAL mode with foreign keys on.

SQLAlchemy has two ways with SQLite that do not go together, hence two engines
(https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#transactions-with-sqlite-and-the-sqlite3-driver):

- in driver-level autocommit, for statements that stand alone: a transaction around one would double its cost;
- with a BEGIN of our own, for several that write: IMMEDIATE, for one that began by reading could be refused half-way.
"""

import os
from functools import partial
from pathlib import Path
from typing import Any

import filelock
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.domain.errors import DatabaseLocked, NeedsOwner, SettingsInvalid, Setup
from bot.domain.steps import Extent, Upgrade
from bot.storage import migrations
from bot.storage.engines import Engines

MAX_READERS = 8  # at a time; each connection is a thread
CACHE_KIB = 512  # of the file that each connection remembers; the system remembers all of it once
BUSY_TIMEOUT_SECONDS = 15  # how long another process (rotate-keys) may keep a writer waiting
LOCK_PATIENCE_SECONDS = 1  # a check holds the lock for an instant, and a bot that was killed lets go of it


def build_engines(url: str) -> Engines:
    """Build both engines; one writes at a time."""
    return Engines(
        alone=_build_engine(url, MAX_READERS + 1, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True),
        together=_build_transactional_engine(url),
        max_readers=MAX_READERS,
        max_writers=1,
        is_shared=False,
        patience_seconds=None,
        came_between=lambda _: False,  # another process is waited for, within the busy timeout
        is_away=is_away,
    )


def own(url: str) -> filelock.BaseFileLock:
    """Make the file's folder where needed and lock the file; DatabaseLocked if another process has it."""
    path = database_path(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _lock_beside(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have that name"
        raise SettingsInvalid(Setup.DATABASE_NOT_MADE, reason=reason) from None


def require(url: str) -> None:
    """Raise NeedsOwner where there is no such file: to connect would make one; SettingsInvalid where we can't look."""
    path = database_path(url)
    try:
        is_there = path.is_file()
    except OSError as error:
        raise SettingsInvalid(Setup.DATABASE_UNUSABLE, reason=error.strerror or type(error).__name__) from None
    if not is_there:
        raise NeedsOwner(Setup.DATABASE_MISSING, path=str(path))


async def upgrade(url: str, extent: Extent = Extent.ALL) -> Upgrade:
    """Bring the tables up to date, in one transaction, on a connection that enforces no foreign keys.

    While they are enforced, a table that is dropped to be built anew deletes its children; and within a transaction
    SQLite does not let go of them (https://sqlite.org/lang_altertable.html#otheralter).
    """
    engine = _build_transactional_engine(url, enforces_foreign_keys=False)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(migrations.upgrade, extent)
    finally:
        await engine.dispose()


def is_away(_error: DBAPIError) -> bool:
    """A file is there, or fails by itself."""
    return False


def database_path(url: str) -> Path:
    """Return the file that an address names; of a symbolic link the file itself: what is beside it, it has once."""
    path = Path(make_url(url).database or "")
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114  as `is_seen`


def database_file(url: str) -> Path | None:
    """Return the same; None where the address is none of SQLite's."""
    return database_path(url) if url.startswith("sqlite") else None


def url_with(url: str, path: Path) -> str:
    """Return the same address with another file."""
    return make_url(url).set(database=str(path)).render_as_string(hide_password=False)


def is_seen(path: Path) -> bool:
    """Tell whether there is something, as far as this user may look."""
    return os.path.exists(path)  # noqa: PTH110  Path's own raises where a folder is closed to us, or a name too long


def lock_path(path: Path) -> Path:
    """Return the lock file beside a database file."""
    return path.with_name(path.name + ".lock")


def is_locked(path: Path) -> bool:
    """Tell whether a process works on this database now, as far as we may look."""
    if not is_seen(lock_path(path)):
        return False
    lock = filelock.FileLock(lock_path(path))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    except OSError:  # another user's
        return False
    lock.release()
    return False


def _lock_beside(path: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(lock_path(path))
    try:
        lock.acquire(timeout=LOCK_PATIENCE_SECONDS)
    except filelock.Timeout as taken:
        raise DatabaseLocked(Setup.DATABASE_LOCKED) from taken
    return lock


def _build_transactional_engine(url: str, *, enforces_foreign_keys: bool = True) -> AsyncEngine:
    engine = _build_engine(url, 1, enforces_foreign_keys=enforces_foreign_keys)
    event.listen(engine.sync_engine, "connect", _say_no_begin)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _build_engine(
    url: str, most_connections: int, *, enforces_foreign_keys: bool = True, **options: Any
) -> AsyncEngine:
    """Build an engine whose pool nobody ever waits for: no more are let in by `Database` at a time."""
    engine = create_async_engine(
        url,
        hide_parameters=True,  # an error's text must not carry values
        pool_size=most_connections,
        max_overflow=0,
        pool_use_lifo=True,  # each connection remembers pages of its own: the fewer are used, the less is kept twice
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        **options,
    )
    event.listen(engine.sync_engine, "connect", partial(_prepare, enforces_foreign_keys=enforces_foreign_keys))
    return engine


def _prepare(connection: DBAPIConnection, _record: object, *, enforces_foreign_keys: bool) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute(f"PRAGMA foreign_keys = {int(enforces_foreign_keys)}")
    cursor.close()


def _say_no_begin(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # else the driver says one of its own


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
