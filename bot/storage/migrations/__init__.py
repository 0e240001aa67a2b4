"""The tables' history: numbered steps in `versions/`, and the verbs that the database needs of them.

A new step: change `tables/`, copy the newest file in `versions/`, number it, say its stage, and write both directions
by hand. One that adds a table or a column moves `OLDEST_USABLE` to its number; one that is *after* leaves it.
`tests/test_migrations.py` fails until the steps and the tables agree. A step runs inside the transaction that
`Database.open` began, so a killed upgrade leaves nothing half done. Foreign keys are not enforced meanwhile, so that a
table may be built anew; that every row still has what it refers to is looked at before the transaction ends.

The stage says who can live with a step: *before*, also the version that is still running; *after*, only one that knows
it. Why, and which of them a start runs, is in docs/decisions/0013-several-processes.md.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.steps import Extent, Stage, Step, Upgrade, choose_steps
from bot.storage.migrations.library import make_library
from bot.storage.tables import metadata

# The oldest tables that this version can work on: those of the last step whose tables or columns it names, or whose
# rewriting it counts on. A later step is one that ends an older version's time and that nothing of ours waits for.
OLDEST_USABLE = "0019"


def upgrade(connection: Connection, extent: Extent = Extent.ALL) -> Upgrade:
    """Bring the tables up to date, as far as asked.

    NeedsOwner where a newer program has worked on them, or where what comes before was left out.
    """
    lag = compare(connection)
    if lag is Setup.TABLES_UNKNOWN:
        raise NeedsOwner(lag)
    if lag is Setup.TABLES_EMPTY:
        make_tables(connection)
        return Upgrade(is_new=True)
    missing = list_missing(connection)
    chosen = choose_steps(missing, extent, oldest_usable=OLDEST_USABLE)
    if chosen:
        run_steps(connection, chosen[-1].number)
    return Upgrade(done=chosen, left=missing[len(chosen) :])


def make_tables(connection: Connection) -> None:
    """Make all tables at once, as the steps would leave them: that takes a twentieth of the time."""
    metadata.create_all(connection)
    make_library(connection)
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
    """Tell why this version cannot work on this database; None where it can, although steps may be missing."""
    revision = find_number(connection)
    if revision is None:
        return Setup.TABLES_EMPTY
    if revision not in {step.number for step in list_steps()}:
        return Setup.TABLES_UNKNOWN
    return Setup.TABLES_BEHIND if revision < OLDEST_USABLE else None


def find_number(connection: Connection) -> str | None:
    """Return the number of the last step that was run; None where there are no tables."""
    return MigrationContext.configure(connection).get_current_revision()


def list_missing(connection: Connection) -> tuple[Step, ...]:
    """List the steps that a database lacks, whose tables are of a version that we know."""
    number = find_number(connection) or ""
    return tuple(step for step in list_steps() if step.number > number)


@cache
def list_steps() -> tuple[Step, ...]:
    """List every step, the first one first."""
    steps = ScriptDirectory.from_config(build_config()).walk_revisions()
    listed = [Step(number=one.revision, name=Path(one.path).stem, stage=Stage(one.module.stage)) for one in steps]
    return tuple(reversed(listed))


def build_config() -> Config:
    """Tell Alembic where the steps are; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
