"""INSERT that replaces, or stands back: what SQLite and PostgreSQL build with different classes."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert


@dataclass(frozen=True)
class Upsert:
    """Insert a row, or replace the one with the same primary key.

    `not_older` names a column of times: the stored row stays where its time is later than the new row's.
    """

    table: Table
    not_older: str | None = None

    def on(self, connection: AsyncConnection) -> Executable:
        """Build the statement for the database at the other end."""
        return self.build(connection.dialect.name)

    @cache  # noqa: B019  the tables live as long as we do
    def build(self, dialect_name: str) -> Executable:
        """Build the statement for one kind of database; to build it takes as long as to execute it."""
        insert = postgresql.insert(self.table) if dialect_name == "postgresql" else sqlite.insert(self.table)
        keys = [column.name for column in self.table.primary_key]
        changed = {column.name: insert.excluded[column.name] for column in self.table.c if column.name not in keys}
        guard = None
        if self.not_older is not None:
            guard = self.table.c[self.not_older] <= insert.excluded[self.not_older]
        return insert.on_conflict_do_update(index_elements=keys, set_=changed, where=guard)


@cache
def insert_once(table: Table, dialect_name: str) -> ReturningInsert[Any]:
    """Build what inserts a row where none has its key, and returns the key; nothing where one has."""
    insert = postgresql.insert(table) if dialect_name == "postgresql" else sqlite.insert(table)
    return insert.on_conflict_do_nothing().returning(*table.primary_key)
