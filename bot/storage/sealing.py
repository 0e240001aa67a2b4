"""Every sealed value of every table, for a change of keys; and which keys the bot has, or each of its processes.

A column belongs here by its type alone, so a new one cannot be forgotten.
"""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.aggregate import Aggregate, transaction
from bot.storage.leases import DatabaseClock
from bot.storage.tables import installation, metadata, processes
from bot.storage.tables.column_types import Sealed
from bot.storage.upsert import Upsert

KEYS_IN_USE = "fingerprints of the keys in use"
OF_PROCESS = f"{KEYS_IN_USE} by process "


class SealedValue(NamedTuple):
    """One sealed value, and where it stands."""

    table: str
    column: str
    row_id: int | str
    sealed: str


class Sealing(Aggregate):
    """The sealed values of the whole database."""

    async def list_sealed(self) -> tuple[SealedValue, ...]:
        """Return every sealed value."""
        found: list[SealedValue] = []
        async with self._database.read() as connection:
            for table, row_id, column in _sealed_columns():
                rows = await connection.execute(select(row_id, column).where(column.is_not(None)).order_by(row_id))
                found += [SealedValue(table.name, column.name, *row) for row in rows]
        return tuple(found)

    @transaction
    async def replace_sealed(self, connection: AsyncConnection, old: SealedValue, new: str) -> bool:
        """Put a value sealed anew in its place; False where the row has changed meanwhile, or is gone."""
        table = metadata.tables[old.table]
        (row_id,) = table.primary_key
        statement = update(table).where(row_id == old.row_id, table.c[old.column] == old.sealed)
        return (await connection.execute(statement.values({old.column: new}))).rowcount > 0

    @transaction
    async def note_keys(self, connection: AsyncConnection, fingerprints: tuple[str, ...]) -> None:
        """Remember which keys the process that owns this database has."""
        row = {"name": KEYS_IN_USE, "text": msgspec.json.encode(fingerprints).decode()}
        await connection.execute(Upsert(installation).on(connection), row)

    async def keys_in_use(self) -> tuple[str, ...]:
        """Return the fingerprints of the keys with which the bot last started."""
        query = select(installation.c.text).where(installation.c.name == KEYS_IN_USE)
        async with self._database.read() as connection:
            text = (await connection.execute(query)).scalar()
        return () if text is None else msgspec.json.decode(text, type=tuple[str, ...])

    @transaction
    async def note_process(self, connection: AsyncConnection, process_id: str, fingerprints: tuple[str, ...]) -> None:
        """Remember which keys one of several processes has; those of the dead are forgotten."""
        query = select(processes.c.process_id).where(processes.c.until > DatabaseClock())
        live = [OF_PROCESS + one for one in (await connection.execute(query)).scalars()]
        dead = installation.c.name.startswith(OF_PROCESS, autoescape=True) & installation.c.name.not_in(live)
        await connection.execute(delete(installation).where(dead))
        row = {"name": OF_PROCESS + process_id, "text": msgspec.json.encode(fingerprints).decode()}
        await connection.execute(Upsert(installation).on(connection), row)

    async def keys_of_processes(self) -> dict[str, tuple[str, ...]]:
        """Return the fingerprints of the keys that each process has, where it said so."""
        query = select(installation).where(installation.c.name.startswith(OF_PROCESS, autoescape=True))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.name.removeprefix(OF_PROCESS): msgspec.json.decode(row.text, type=tuple[str, ...]) for row in rows}


def _sealed_columns() -> list[tuple[Table, Column[Any], Column[Any]]]:
    return [
        (table, next(iter(table.primary_key)), column)
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, Sealed)
    ]
