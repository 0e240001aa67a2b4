"""The numbers that a database gives to new rows: which was the last, and how to go on after another one."""

from sqlalchemy import Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import metadata

NUMBERED = tuple(table for table in metadata.sorted_tables if table.dialect_options["sqlite"].get("autoincrement"))


async def last_number(connection: AsyncConnection, table: Table) -> int:
    """Return the highest number that was ever given to a row."""
    (number,) = table.primary_key
    highest = (await connection.execute(select(func.max(number)))).scalar() or 0
    if connection.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        given = (await connection.execute(query, {"name": table.name})).scalar() or 0
    else:
        query = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {_sequence(table)}")  # noqa: S608  a name of ours
        given = (await connection.execute(query)).scalar_one()
    return max(highest, given)


async def go_on_after(connection: AsyncConnection, table: Table, last: int) -> None:
    """Let the next row get a higher number than this one."""
    if connection.dialect.name == "sqlite":
        await connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        await connection.execute(
            text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), {"name": table.name, "last": last}
        )
    else:
        await connection.execute(select(func.setval(_sequence(table), last)))


def _sequence(table: Table) -> str:
    (number,) = table.primary_key
    return f"{table.name}_{number.name}_seq"  # as PostgreSQL names it
