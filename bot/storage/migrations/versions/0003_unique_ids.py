"""No row's number is ever given twice: a row that goes takes its number with it.

SQLite gives the highest number of a table again once its row is gone, unless the table says AUTOINCREMENT; only a table
that is built anew can say so (https://sqlite.org/autoinc.html). PostgreSQL's sequences never went back.

Numbers outlive their rows: in what was audited, in notices, in the buttons of a hold, in what an admin was shown. So
counting goes on 1,000 above the highest that stands anywhere. A database that holds nothing yet counts from one.

Revision ID: 0003
Revises: 0002
"""

import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
stage = "before"  # rows and columns stay what they were, only their next numbers are higher

MARGIN = 1000
NUMBERED = {
    "audit": "audit_id",
    "credentials": "credential_id",
    "holds": "hold_id",
    "pendings": "pending_id",
    "reads": "read_id",
    "role_rules": "rule_id",
    "states": "state_id",
}
REFERRING = {  # where else such a number stands, in a column of its own
    "credentials": (("bindings", "credential_id"),),
    "holds": (("hold_items", "hold_id"),),
    "reads": (("audit", "read_id"),),
    "states": (("pendings", "state_id"),),
}
WRITTEN = {  # and within a text, as this program wrote it
    "holds": (
        ("audit", "reason", "hold %", re.compile(r"hold (\d{1,15}):")),
        ("notices", "key", "%hold:%", re.compile(r".*\bhold:(\d{1,15})$")),
    ),
    "reads": (("audit", "reason", "the read %", re.compile(r"the read (\d{1,15}) of ")),),
}


def upgrade() -> None:
    counted = {table: max(_numbers(table), default=0) for table in NUMBERED}
    starts = {table: highest + MARGIN for table, highest in counted.items()} if _is_used() else {}
    _rebuild(is_counting_on=True)
    for table, start in starts.items():
        _count_on(table, start)


def downgrade() -> None:
    _rebuild(is_counting_on=False)


def _rebuild(*, is_counting_on: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    if op.get_bind().exec_driver_sql("PRAGMA foreign_keys").scalar():
        raise RuntimeError("a table that is dropped takes its children along while foreign keys are enforced")
    for table in NUMBERED:
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": is_counting_on}):
            pass  # as it stands, and no number twice


def _count_on(table: str, start: int) -> None:
    """Let the next row have the number after `start`."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :start)"), {"name": table, "start": start})
    else:
        sequence = sa.func.pg_get_serial_sequence(table, NUMBERED[table])
        connection.execute(sa.select(sa.func.setval(sequence, start)))


def _is_used() -> bool:
    """Tell whether anything is stored: then a row may have been there, and gone."""
    connection = op.get_bind()
    tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
    anything = [sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1) for table in sorted(tables)]
    return any(connection.execute(query).first() is not None for query in anything)


def _numbers(table: str) -> Iterator[int]:
    """Go through the numbers of this table's rows, where they stand: the highest of each place, and all in texts."""
    connection = op.get_bind()
    for place, name in ((table, NUMBERED[table]), *REFERRING.get(table, ())):
        highest = sa.select(sa.func.max(sa.column(name, sa.BigInteger()))).select_from(sa.table(place))
        yield connection.execute(highest).scalar_one() or 0
    for place, name, like, pattern in WRITTEN.get(table, ()):
        column = sa.column(name, sa.Text())
        for text in connection.execute(sa.select(column).select_from(sa.table(place)).where(column.like(like))).scalars():
            found = pattern.match(text)
            if found is not None:
                yield int(found[1])
