"""One database: opened, and lent out a statement or a transaction at a time. Knows no aggregate.

There are two engines: one in which each statement is a transaction of its own, for reading; and one for several
statements that belong together. What differs between SQLite and PostgreSQL stands in the files of these names.

Within the process everybody queues here: SQLAlchemy's pool gives up after a while, and SQLite's own queue is a sleep.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import ModuleType
from typing import Any, Self, TypeVar

import structlog
from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.errors import DatabaseAway, Later, NeedsOwner, SettingsInvalid, Setup
from bot.domain.steps import Extent, Upgrade
from bot.storage import migrations, postgresql, sqlite
from bot.storage.engines import Engines, Ownership

R = TypeVar("R")

MAX_TRIES = 30  # of one transaction: with so many at once some would have to be very long
FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.5
BETWEEN_STARTS_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Database:
    """The way to a connection. `open` owns the database; `attach` works beside the process that does."""

    def __init__(self, engines: Engines, ownership: Ownership | None = None) -> None:
        self._engines = engines
        self._readers = asyncio.Semaphore(engines.max_readers)
        self._writers = asyncio.Semaphore(engines.max_writers)
        self._ownership = ownership

    @classmethod
    async def open(cls, url: str) -> Self:
        """Make the database where needed, claim it and bring its tables up to date; DatabaseLocked if it is in use."""
        kind = _kind(url)
        ownership = kind.own(url)
        database = cls(kind.build_engines(url), ownership)
        async with _closed_on_failure(database):
            await kind.upgrade(url)
        return database

    @classmethod
    async def attach(cls, url: str) -> Self:
        """Open a database that exists, without claim or migration.

        NeedsOwner unless its tables are up to date and it can be written.
        """
        kind = _kind(url)
        kind.require(url)
        database = cls(kind.build_engines(url))
        async with _closed_on_failure(database), database.write() as connection:
            lag = await connection.run_sync(migrations.compare)
            if lag is not None:
                raise NeedsOwner(lag)
        return database

    @staticmethod
    async def migrate(url: str, extent: Extent) -> Upgrade:
        """Bring the tables up to date, as far as asked; DatabaseLocked where it is SQLite's and in use."""
        kind = _kind(url)
        ownership: Ownership | None = kind.own(url)
        try:
            with _told(lambda error: bool(kind.is_away(error))):
                return await kind.upgrade(url, extent)  # type: ignore[no-any-return]
        finally:
            if ownership is not None:
                ownership.release()

    async def is_whole(self) -> bool:
        """Tell whether no step is missing, not even one that this version can do without."""
        async with self.read() as connection:
            return not await connection.run_sync(migrations.list_missing)

    @property
    def is_shared(self) -> bool:
        """Tell whether other processes write here too, so that what was read a moment ago may be outdated."""
        return self._engines.is_shared

    def is_away(self, error: DBAPIError) -> bool:
        """Tell whether this says that the database cannot be reached."""
        return self._engines.is_away(error)

    async def close(self) -> None:
        """Close every connection and give the claim back."""
        await self._engines.dispose()
        if self._ownership is not None:
            self._ownership.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for reading. A statement sees one state of the database, the next one perhaps a newer."""
        async with self._reached(), self._readers, self._engines.alone.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one short transaction: all of it is kept, or nothing.

        Where others write at once it may fail through nobody's fault: `transact` tries again.
        """
        async with self._reached(), self._writers, self._engines.together.begin() as connection:
            yield connection

    async def transact(self, act: Callable[[AsyncConnection], Awaitable[R]]) -> R:
        """Carry out one transaction, again where others came between: what `act` does must be right the second time.

        DatabaseAway where that never ends.
        """
        pause, reason = FIRST_PAUSE_SECONDS, ""
        for _ in range(MAX_TRIES):
            try:
                return await self._try(act)
            except DBAPIError as error:
                if not self._engines.came_between(error):
                    raise
                reason = _first_line(error)
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311  no secret: the two must not meet again
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        raise DatabaseAway(Later.DATABASE_AWAY, reason=reason)

    async def execute(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Execute one writing statement and return the first row it returns.

        SQLite does it without a transaction around it, at a third of the cost.
        """

        async def act(connection: AsyncConnection) -> Row[Any] | None:
            result = await connection.execute(statement, values)
            return result.first() if result.returns_rows else None

        if self._engines.is_shared:
            return await self.transact(act)
        async with self._writers, self._engines.alone.connect() as connection:
            return await act(connection)

    @property
    def dialect_name(self) -> str:
        """Name the kind of database, as SQLAlchemy does."""
        return self._engines.alone.dialect.name

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[None]:
        """Bound what is asked meanwhile, with the wait for a turn; DatabaseAway where no answer comes."""
        try:
            async with asyncio.timeout(self._engines.patience_seconds):
                yield
        except DBAPIError as error:
            if self._engines.is_away(error):
                raise DatabaseAway(Later.DATABASE_AWAY, reason=_first_line(error)) from error
            raise
        except TimeoutError as error:
            raise DatabaseAway(Later.DATABASE_AWAY, reason=type(error).__name__) from error

    async def _try(self, act: Callable[[AsyncConnection], Awaitable[R]]) -> R:
        async with self.write() as connection:
            return await act(connection)


async def patiently(act: Callable[[], Awaitable[R]]) -> R:
    """Do what a start cannot do without, again while the database is away: it may be starting at the same time.

    DatabaseAway where that takes longer than we wait.
    """
    seconds, is_told = postgresql.START_PATIENCE_SECONDS, False
    until = time.monotonic() + seconds
    while True:
        try:
            return await act()
        except DatabaseAway as away:
            if time.monotonic() > until:
                raise
            if not is_told:
                log.warning("the database doesn't answer yet", why=str(away.facts.get("reason")), seconds=seconds)
            is_told = True
        await asyncio.sleep(BETWEEN_STARTS_SECONDS)


def _kind(url: str) -> ModuleType:
    return sqlite if url.startswith("sqlite") else postgresql


@asynccontextmanager
async def _closed_on_failure(database: Database) -> AsyncIterator[None]:
    try:
        with _told(database.is_away):
            yield
    except BaseException:
        await database.close()
        raise


@contextmanager
def _told(is_away: Callable[[DBAPIError], bool]) -> Iterator[None]:
    """Say to whoever runs us why a database cannot be opened."""
    try:
        yield
    except DBAPIError as error:
        reason = _first_line(error)
        if is_away(error):
            raise NeedsOwner(Setup.DATABASE_SILENT, reason=reason) from error
        raise SettingsInvalid(Setup.DATABASE_UNUSABLE, reason=reason) from error
    except DatabaseAway as away:
        raise NeedsOwner(Setup.DATABASE_SILENT, **away.facts) from away


def _first_line(error: DBAPIError) -> str:
    """Return what the driver says, for whoever runs us; its further lines may quote rows."""
    return str(error.orig).partition("\n")[0]
