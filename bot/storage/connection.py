"""A SQLite connection that goes to its thread once for a statement. Knows no table and no SQL.

aiosqlite goes there for the cursor, for the statement, for its rows and for the cursor's end: four trips, each of which
costs more than to look a row up, and waits for a core where the machine is busy.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

Rows = list[Any]
Done = tuple[sqlite3.Cursor, Rows]


class Connection(aiosqlite.Connection):
    """aiosqlite's connection, as SQLAlchemy's dialect for aiosqlite uses one."""

    def cursor(self) -> "WholeCursor":  # type: ignore[override]  # nothing is to be awaited for ours
        """Return a cursor."""
        return WholeCursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], Done]) -> Done:
        """Do something in the connection's thread."""
        done: Done = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]  # theirs
        return done


class WholeCursor:
    """A cursor that holds all rows once its statement is executed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._done: sqlite3.Cursor | None = None
        self._rows: Rows = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement and fetch its rows."""

        def whole(connection: sqlite3.Connection) -> Done:
            cursor = connection.execute(sql, parameters)
            return cursor, cursor.fetchall()

        self._done, self._rows = await self._connection.run(whole)

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Execute a statement that brings no rows for each of the parameters."""
        self._done, self._rows = await self._connection.run(lambda one: (one.executemany(sql, parameters), []))

    async def fetchall(self) -> Rows:
        """Return the rows."""
        return self._rows

    async def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    @property
    def description(self) -> Any:
        """The columns; None for a statement that brings no rows."""
        return self._done and self._done.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self._done.rowcount if self._done else -1

    @property
    def lastrowid(self) -> int | None:
        """The row that was added last."""
        return self._done.lastrowid if self._done else None


async def connect(path: Path) -> Connection:
    """Open a database file."""
    connection = Connection(lambda: sqlite3.connect(path), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy has it: no open connection keeps the process alive
    await connection
    return connection
