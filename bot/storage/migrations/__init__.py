"""The tables' history: numbered steps in `versions/`, and the two verbs that the database needs of them.

A new step: change `tables.py`, copy the newest file in `versions/`, number it, and write both directions by hand.
`tests/test_migrations.py` fails until the steps and the tables agree. A step runs inside the transaction that
`Database.open` began, so a killed upgrade leaves nothing half done.
"""

import enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.errors import NeedsOwner


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


def upgrade(connection: Connection) -> None:
    """Run every step that this database lacks; NeedsOwner where a newer program has worked on it."""
    if compare(connection) is Schema.UNKNOWN:
        raise NeedsOwner(f"the tables of the database are {Schema.UNKNOWN}; {CURES[Schema.UNKNOWN]}")
    config = build_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


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
