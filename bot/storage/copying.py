"""All rows of one database into another, of whichever kind: compared when it is done, and gone on with after a break.

Until then a mark stands in the new one, and no bot works on it.

What says who works on a database, and how fast, stays behind. The next numbers of rows go along: none is ever given
twice.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from sqlalchemy import Table, delete, func, insert, select, tuple_

from bot.storage.database import Database
from bot.storage.numbering import NUMBERED, go_on_after, last_number
from bot.storage.tables import installation, interactions, leases, metadata, paces, processes

AT_ONCE = 500  # rows
MARK = "a copy of another database is under way"  # a row of `installation` in the target
TABLES = tuple(table for table in metadata.sorted_tables if table not in {leases, processes, interactions, paces})


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a table holds: how many rows, and a digest that does not depend on their order."""

    rows: int = 0
    digest: int = 0


async def count_rows(database: Database) -> int:
    """Return how many rows there are to copy."""
    async with database.read() as connection:
        counts = [(await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in TABLES]
    return sum(counts)


async def is_free(target: Database) -> bool:
    """Tell whether nothing stands in the way: no row, or those of a copy that broke off."""
    return await is_unfinished(target) or await count_rows(target) == 0


async def is_unfinished(database: Database) -> bool:
    """Tell whether a database is a copy of which a part may be missing."""
    async with database.read() as connection:
        marked = await connection.execute(select(installation).where(installation.c.name == MARK))
        return marked.first() is not None


async def copy_rows(source: Database, target: Database, tell: Callable[[int], None]) -> None:
    """Copy every row; `tell` is called with how many were copied, or are there already.

    After a break the old database may have changed: from the first table on that differs all is copied anew, for the
    rows of later ones may refer to it.
    """
    if not await is_unfinished(target):
        async with target.write() as connection:
            await connection.execute(insert(installation).values(name=MARK, text=""))
    same = 0
    for table in TABLES:
        there = await _look(source, table)
        if await _look(target, table) != there:
            break
        tell(there.rows)
        same += 1
    for table in reversed(TABLES[same:]):
        async with target.write() as connection:
            await connection.execute(delete(table).where(*_but_the_mark(table)))
    for table in TABLES[same:]:
        async for rows in _read(source, table):
            async with target.write() as connection:
                await connection.execute(insert(table), rows)
            tell(len(rows))
    await _take_numbers(source, target)


async def finish(source: Database, target: Database) -> tuple[str, ...]:
    """Compare both; where all is the same, end the copy. Return the tables that differ."""
    wrong = [table.name for table in TABLES if await _look(source, table) != await _look(target, table)]
    if not wrong:
        async with target.write() as connection:
            await connection.execute(delete(installation).where(installation.c.name == MARK))
    return tuple(wrong)


async def _look(database: Database, table: Table) -> Content:
    rows = total = 0
    async for some in _read(database, table):
        rows += len(some)
        for row in some:
            total += int.from_bytes(hashlib.sha256(msgspec.json.encode([*row.values()])).digest())
    return Content(rows=rows, digest=total % 2**256)


async def _read(database: Database, table: Table) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield all rows of a table, but for the mark, some at a time and in the order of their keys."""
    keys = tuple(table.primary_key)
    query = select(table).where(*_but_the_mark(table)).order_by(*keys).limit(AT_ONCE)
    after: tuple[Any, ...] | None = None
    while True:
        async with database.read() as connection:
            further = query if after is None else query.where(tuple_(*keys) > tuple_(*after))
            found = (await connection.execute(further)).all()
        rows = [{column.name: value for column, value in zip(table.c, row, strict=True)} for row in found]
        if rows:
            yield rows
            after = tuple(rows[-1][key.name] for key in keys)
        if len(rows) < AT_ONCE:
            return


def _but_the_mark(table: Table) -> tuple[Any, ...]:
    return (installation.c.name != MARK,) if table is installation else ()


async def _take_numbers(source: Database, target: Database) -> None:
    for table in NUMBERED:
        async with source.read() as connection:
            old = await last_number(connection, table)
        async with target.read() as connection:
            new = await last_number(connection, table)
        if last := max(old, new):
            async with target.write() as connection:
                await go_on_after(connection, table, last)
