"""The tables' history: numbered steps in `versions/`, and the two verbs that the database needs of them.

A new step: change `tables/`, copy the newest file in `versions/`, number it, and write both directions by hand.
`tests/test_migrations.py` fails until the steps and the tables agree. A step runs inside the transaction that
`Database.open` began, so a killed upgrade leaves nothing half done. Foreign keys are not enforced meanwhile, so that a
table may be built anew; that every row still has what it refers to is looked at before the transaction ends.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.domain.errors import NeedsOwner, Setup
from bot.storage.tables import metadata


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date; NeedsOwner where a newer program has worked on them."""
    lag = compare(connection)
    if lag is Setup.TABLES_UNKNOWN:
        raise NeedsOwner(lag)
    if lag is Setup.TABLES_EMPTY:
        make_tables(connection)
    elif lag is not None:
        run_steps(connection)


def make_tables(connection: Connection) -> None:
    """Make all tables at once, as the steps would leave them: that takes a twentieth of the time."""
    metadata.create_all(connection)
    MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(build_config()), "head")


def run_steps(connection: Connection, to: str = "head") -> None:
    """Run every step that this database lacks, up to `to`."""
    config = build_config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    _check_references(connection)


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return  # there foreign keys were enforced all the while
    lost = sorted({str(row[0]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
    if lost:
        raise NeedsOwner(Setup.ROWS_LOST, tables=tuple(lost))


def compare(connection: Connection) -> Setup | None:
    """Tell how this database differs from the steps that we know; None where it is up to date."""
    script = ScriptDirectory.from_config(build_config())
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return Setup.TABLES_EMPTY
    if revision == script.get_current_head():
        return None
    known = {step.revision for step in script.walk_revisions()}
    return Setup.TABLES_BEHIND if revision in known else Setup.TABLES_UNKNOWN


def build_config() -> Config:
    """Tell Alembic where the steps are; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
