"""A database is brought to this version in two halves, and a newer one is left alone by every command."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from bot.domain.errors import DatabaseLocked, NeedsOwner, SettingsInvalid, Setup
from bot.domain.steps import Stage, Step, Upgrade
from bot.ops.check.database import inspect_database
from bot.ops.migrate import migrate
from bot.ops.move import move_database
from bot.ops.rotation import rotate_keys
from bot.settings import Settings
from bot.storage import Storage, migrations, postgresql
from bot.storage.database import Database
from bot.storage.vault import Vault, new_key
from tests.fakes.postgres import Postgres

VAULT = Vault((new_key(),))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def only_postgresql(postgres: Postgres) -> Iterator[str]:
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


def make(url: str, number: str) -> None:
    """Make the tables as a version of before left them."""
    driver = {"sqlite+aiosqlite": "sqlite", "postgresql": "postgresql+psycopg"}[make_url(url).drivername]
    engine = create_engine(make_url(url).set(drivername=driver))
    with engine.begin() as connection:
        migrations.run_steps(connection, number)
    engine.dispose()


async def number_of(url: str) -> str | None:
    database = await Database.attach(url)
    async with database.read() as connection:
        number = await connection.run_sync(migrations.find_number)
    await database.close()
    return number


def numbers(upgrade: Upgrade) -> tuple[list[str], list[str]]:
    return [step.number for step in upgrade.done], [step.number for step in upgrade.left]


async def test_before_runs_up_to_the_first_after_and_after_the_rest(url: str) -> None:
    make(url, "0001")
    with pytest.raises(NeedsOwner, match=Setup.STEPS_LEFT_OUT):
        await migrate(url, before=False, after=True)
    before = await migrate(url, before=True, after=False)
    assert numbers(before) == (["0002", "0003"], [step.number for step in migrations.list_steps()[3:]])
    after = await migrate(url, before=False, after=True)
    assert numbers(after) == ([step.number for step in before.left], [])
    assert await number_of(url) == migrations.list_steps()[-1].number


@pytest.mark.parametrize("both", [False, True])
async def test_alone_it_runs_all(url: str, both: bool) -> None:
    assert (await migrate(url, before=both, after=both)).is_new
    assert await migrate(url, before=both, after=both) == Upgrade()


async def test_a_file_that_a_bot_uses_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
    database = await Database.open(url)
    with pytest.raises(DatabaseLocked, match=Setup.BOT_RUNS):
        await migrate(url, before=True, after=False)
    await database.close()
    assert await migrate(url, before=True, after=False) == Upgrade()


async def test_a_server_that_is_not_there_is_said_to_be_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 0)
    with pytest.raises(NeedsOwner, match=Setup.DATABASE_SILENT):
        await migrate(f"postgresql://nobody@/none?host={tmp_path}", before=True, after=True)


async def test_a_file_that_is_no_database_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text("this is no database, and long enough to be taken for a broken one" * 20)
    with pytest.raises(SettingsInvalid, match=Setup.DATABASE_UNUSABLE):
        await migrate(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}", before=True, after=True)


async def test_on_a_server_a_start_leaves_what_an_older_version_could_not_bear(
    only_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "OLDEST_USABLE", "0004")
    make(only_postgresql, "0001")
    await (await Database.open(only_postgresql)).close()
    assert await number_of(only_postgresql) == "0006"


async def test_a_database_that_waits_for_a_step_is_not_moved(
    only_postgresql: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await (await Database.open(only_postgresql)).close()
    step = Step(number="9999", name="9999_less", stage=Stage.AFTER)
    monkeypatch.setattr(migrations, "list_missing", lambda _: (step,))
    with pytest.raises(NeedsOwner, match=Setup.STEPS_WAIT):
        await move_database(only_postgresql, f"sqlite+aiosqlite:///{tmp_path / 'new.db'}", lambda *_: None)


async def test_on_a_server_a_start_brings_what_this_version_needs(only_postgresql: str) -> None:
    make(only_postgresql, "0001")
    await (await Database.open(only_postgresql)).close()
    assert (await number_of(only_postgresql) or "") >= migrations.OLDEST_USABLE


async def test_a_file_gets_every_step_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OLDEST_USABLE", "0004")
    url = f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
    make(url, "0001")
    await (await Database.open(url)).close()
    assert await number_of(url) == migrations.list_steps()[-1].number


async def open_bot(url: str) -> None:
    await (await Storage.open(url, VAULT)).close()


async def migrate_all(url: str) -> None:
    await migrate(url, before=False, after=False)


async def rotate(url: str) -> None:
    await rotate_keys(url, VAULT)


async def move(url: str) -> None:
    await move_database(url, url + "_", lambda *_: None)


@pytest.mark.parametrize("command", [open_bot, migrate_all, rotate, move])
async def test_a_newer_database_is_refused(url: str, command: Callable[[str], Awaitable[None]]) -> None:
    await make_newer(url)
    with pytest.raises(NeedsOwner, match=Setup.TABLES_UNKNOWN):
        await command(url)


async def test_check_says_that_a_database_is_newer(url: str) -> None:
    await make_newer(url)
    report = await inspect_database(Settings.model_construct(database_url=url, encryption_keys=(new_key(),)))
    (finding,) = report.findings
    assert not finding.is_fine
    assert isinstance(finding.facts["error"], NeedsOwner)
    assert finding.facts["error"].code is Setup.TABLES_UNKNOWN


async def make_newer(url: str) -> None:
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
