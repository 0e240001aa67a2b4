"""The tables' history: numbered steps in `versions/`, and the two verbs that the database needs of them.

A new step: change `tables.py`, copy the newest file in `versions/`, number it, and write both directions by hand.
`tests/test_migrations.py` fails until the steps and the tables agree. A step runs inside the transaction that
`Database.open` began, so a killed upgrade leaves nothing half done. Foreign keys are not enforced meanwhile, so that a
table may be built anew; that every row still has what it refers to is looked at before the transaction ends.
"""

import enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.domain.errors import NeedsOwner


class Schema(enum.StrEnum):
    """Where a database stands against the steps that we know."""

    CURRENT = "up to date"
    EMPTY = "not made yet"
    BEHIND = "of an older version"
    UNKNOWN = "of a version that this program does not know"


CURES = {
    Schema.EMPTY: "start the bot once, it makes them",
    Schema.BEHIND: "start the bot once, it brings them up to date",
    Schema.UNKNOWN: "use the version of Pledgekeeper that last ran on it, or a newer one",
}


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run every step (up to `to`) that this database lacks; NeedsOwner where a newer program has worked on it."""
    state = compare(connection)
    if state is Schema.UNKNOWN:
        raise NeedsOwner(f"the tables of the database are {Schema.UNKNOWN}; {CURES[Schema.UNKNOWN]}")
    if state is Schema.CURRENT:
        return
    config = build_config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    _check_references(connection)


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return  # there foreign keys were enforced all the while
    lost = sorted({str(row[0]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
    if lost:
        raise NeedsOwner(
            f"the tables of the database were not brought up to date: rows of {', '.join(lost)} refer to rows that are"
            " not there. Nothing was changed; put back a copy of the database from before it was edited by hand"
        )


def compare(connection: Connection) -> Schema:
    """Say where this database stands."""
    script = ScriptDirectory.from_config(build_config())
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return Schema.EMPTY
    if revision == script.get_current_head():
        return Schema.CURRENT
    known = {step.revision for step in script.walk_revisions()}
    return Schema.BEHIND if revision in known else Schema.UNKNOWN


def build_config() -> Config:
    """Tell Alembic where the steps are; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
