"""The steps in bot/storage/migrations and the tables in bot/storage/tables.py say the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable

from bot.errors import NeedsOwner
from bot.storage import migrations
from bot.storage.database import Database
from bot.storage.tables import metadata


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path / 'pledgekeeper.db'}")

    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(begun: Connection) -> None:
        begun.exec_driver_sql("BEGIN")

    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_the_steps_lead_from_nothing_to_the_tables(connection: Connection) -> None:
    migrations.upgrade(connection)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    assert compare_metadata(context, metadata) == []


def test_the_steps_leave_nothing_behind_on_their_way_back(connection: Connection) -> None:
    migrations.upgrade(connection)
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")
    assert inspect(connection).get_table_names() == ["alembic_version"]


def test_the_steps_form_one_line() -> None:
    assert len(ScriptDirectory.from_config(migrations.build_config()).get_heads()) == 1


def test_an_upgrade_that_is_cut_off_leaves_nothing(connection: Connection) -> None:
    migrations.upgrade(connection)
    connection.rollback()
    assert inspect(connection).get_table_names() == []


def test_upgrading_twice_changes_nothing(connection: Connection) -> None:
    migrations.upgrade(connection)
    migrations.upgrade(connection)
    assert migrations.compare(connection) is migrations.Schema.CURRENT


def test_an_empty_database_is_told_from_one_of_a_newer_program(connection: Connection) -> None:
    assert migrations.compare(connection) is migrations.Schema.EMPTY
    migrations.upgrade(connection)
    connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    assert migrations.compare(connection) is migrations.Schema.UNKNOWN


async def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    await database.close()
    with pytest.raises(NeedsOwner, match="a version that this program does not know"):
        await Database.open(url)


@pytest.mark.parametrize(
    "dialect", [registry.load("sqlite")(), registry.load("postgresql")()], ids=["sqlite", "postgresql"]
)
def test_every_table_can_be_made_in_either_database(dialect: Any) -> None:
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))
