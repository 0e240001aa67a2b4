"""The steps in bot/storage/migrations and the tables in bot/storage/tables/ say the same."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from sqlalchemy import Boolean, Connection, MetaData, Table, Text, create_engine, event, insert, inspect, select, text
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.model import CampaignId, GuildId, Membership, MembershipRecord, Memory, PatreonUserId, TierId
from bot.domain.reasons import OldText
from bot.domain.steps import Stage
from bot.linking.link import RolesOutcome
from bot.storage import migrations
from bot.storage.audit import Audit
from bot.storage.database import Database
from bot.storage.guilds import Guilds
from bot.storage.holds import HeldRevokes
from bot.storage.migrations.library import NEWEST, is_library
from bot.storage.record_json import read_record, write_record
from bot.storage.tables import metadata
from tests.fakes.postgres import Postgres


@pytest.fixture
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    if getattr(request, "param", "sqlite") == "postgresql":
        yield from connect_to_server(request.getfixturevalue("postgres"))
        return
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


def connect_to_server(server: Postgres) -> Iterator[Connection]:
    name = server.create()
    engine = create_engine(server.url(name).replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as opened:
        yield opened
    engine.dispose()
    server.drop(name)


on_both = pytest.mark.parametrize("connection", ["sqlite", "postgresql"], indirect=True)


@on_both
def test_the_steps_lead_from_nothing_to_the_tables(connection: Connection) -> None:
    migrations.run_steps(connection)
    options = {"compare_type": True, "render_as_batch": True, "include_name": is_ours}
    context = MigrationContext.configure(connection, opts=options)
    assert compare_metadata(context, metadata) == []


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not is_library(name or "")


@pytest.mark.parametrize("connection", ["postgresql"], indirect=True)
def test_the_librarys_tables_are_made_by_its_own_sql_and_go_with_all_that_it_brought(connection: Connection) -> None:
    before = brought(connection)
    migrations.run_steps(connection)
    made = {name for name in inspect(connection).get_table_names() if is_library(name)}
    assert made == {f"procrastinate_{name}" for name in ("jobs", "events", "workers", "periodic_defers")}
    assert len(brought(connection)) > 20
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0011")
    assert brought(connection) == before == []


def brought(connection: Connection) -> list[str]:
    """List the library's functions and types: those of its tables too, and of arrays of them."""
    query = """SELECT proname FROM pg_proc WHERE proname LIKE '%procrastinate%'
        UNION SELECT typname FROM pg_type WHERE typname LIKE '%procrastinate%'"""
    return list(connection.exec_driver_sql(query.replace("%", "%%")).scalars())


def test_on_sqlite_the_library_has_no_tables(connection: Connection) -> None:
    migrations.run_steps(connection)
    assert [name for name in inspect(connection).get_table_names() if is_library(name)] == []


def test_the_librarys_own_steps_are_all_known() -> None:
    """A newer one brings tables that are different from those of step 0012: see bot/storage/migrations/library.py."""
    files = Path(SchemaManager.get_migrations_path()).glob("*.sql")
    assert max(one.name for one in files if one.name[0].isdecimal()) == NEWEST


@on_both
def test_tables_made_at_once_are_as_the_steps_leave_them(connection: Connection) -> None:
    migrations.run_steps(connection)
    by_steps = described(connection)
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")
    connection.execute(text("DROP TABLE alembic_version"))
    migrations.upgrade(connection)
    assert described(connection) == by_steps
    assert migrations.compare(connection) is None


def described(connection: Connection) -> dict[str, Any]:
    """Return all that can be asked of the tables, whatever the database."""
    found = inspect(connection)
    return {
        table: (
            {one["name"]: (str(one["type"]), one["nullable"], one["default"]) for one in found.get_columns(table)},
            found.get_pk_constraint(table),
            sorted(map(str, found.get_foreign_keys(table))),
            sorted(map(str, found.get_unique_constraints(table))),
            sorted(map(str, found.get_indexes(table))),
        )
        for table in found.get_table_names()
    }


@on_both
def test_the_steps_leave_nothing_behind_on_their_way_back(connection: Connection) -> None:
    migrations.run_steps(connection)
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")
    assert inspect(connection).get_table_names() == ["alembic_version"]


def test_the_steps_form_one_line() -> None:
    assert len(ScriptDirectory.from_config(migrations.build_config()).get_heads()) == 1


def test_the_steps_are_numbered_in_their_order_and_each_has_a_stage() -> None:
    steps = migrations.list_steps()
    assert [step.number for step in steps] == [f"{number:04}" for number in range(1, len(steps) + 1)]
    assert all(step.name.startswith(step.number + "_") for step in steps)
    assert {step.stage for step in steps} == set(Stage)


@on_both
def test_the_oldest_usable_tables_hold_all_that_the_code_names_and_force_nothing_on_it(connection: Connection) -> None:
    migrations.run_steps(connection, migrations.OLDEST_USABLE)
    found = inspect(connection)
    for table in metadata.tables.values():
        columns = {column["name"]: column for column in found.get_columns(table.name)}
        assert {column.name for column in table.columns} <= set(columns)
        for name in set(columns) - {column.name for column in table.columns}:
            assert columns[name]["nullable"] or columns[name]["default"] is not None


@on_both
def test_an_upgrade_that_is_cut_off_leaves_nothing(connection: Connection) -> None:
    for make in (migrations.run_steps, migrations.upgrade):
        transaction = connection.begin()
        make(connection)
        transaction.rollback()
    assert inspect(connection).get_table_names() == []


@on_both
def test_upgrading_twice_changes_nothing(connection: Connection) -> None:
    migrations.run_steps(connection)
    migrations.run_steps(connection)
    assert migrations.compare(connection) is None


@on_both
def test_an_empty_database_is_told_from_one_of_a_newer_program(connection: Connection) -> None:
    assert migrations.compare(connection) is Setup.TABLES_EMPTY
    migrations.run_steps(connection)
    connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    assert migrations.compare(connection) is Setup.TABLES_UNKNOWN


async def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
    database = await Database.open(url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    await database.close()
    with pytest.raises(NeedsOwner, match=Setup.TABLES_UNKNOWN):
        await Database.open(url)


@pytest.mark.parametrize(
    "dialect", [registry.load("sqlite")(), registry.load("postgresql")()], ids=["sqlite", "postgresql"]
)
def test_every_table_can_be_made_in_either_database(dialect: Any) -> None:
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


NUMBERED = {
    table.name: column.name
    for table in metadata.sorted_tables
    for column in table.primary_key
    if len(table.primary_key) == 1 and table.autoincrement_column is column
}


OLD_NUMBERED = ("audit", "credentials", "holds", "pendings", "reads", "role_rules", "states")


def test_no_number_of_a_row_is_given_twice_in_either_database(connection: Connection) -> None:
    migrations.run_steps(connection)
    assert set(OLD_NUMBERED) <= NUMBERED.keys()
    for name, column in NUMBERED.items():
        table = metadata.tables[name]
        made = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar_one()
        assert table.dialect_options["sqlite"]["autoincrement"], name
        assert f"{column} INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT" in made, name
        assert f"{column} BIGSERIAL" in str(CreateTable(table).compile(dialect=registry.load("postgresql")())), name


def fill(connection: Connection) -> None:
    """Put three rows into every table, each child's with its parent."""
    stored = MetaData()
    stored.reflect(connection)
    for table in stored.sorted_tables:
        if table.name != "alembic_version":
            connection.execute(insert(table), [row_of(table, number) for number in (3, 4, 7)])


def row_of(table: Table, number: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        parents = {key.column.table.name: key.column.name for key in column.foreign_keys}
        if isinstance(column.type, Text):
            row[column.name] = f"{next(iter(parents.values()), column.name)} {number}"
        else:
            row[column.name] = number > 3 if isinstance(column.type, Boolean) else number
    return row


def everything(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    stored = MetaData()
    stored.reflect(connection)
    return {
        table.name: {tuple(row) for row in connection.execute(select(table)).all()}
        for table in stored.sorted_tables
        if table.name != "alembic_version"
    }


def shape(connection: Connection) -> dict[str, Any]:
    """Return all that SQLite says of the tables' columns, references and indexes."""
    found = {}
    for table in metadata.tables:
        columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
        references = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})").all()
        indexes = connection.exec_driver_sql(f"PRAGMA index_list({table})").all()
        found[table] = (
            sorted(tuple(one)[1:] for one in columns),
            sorted(tuple(one)[2:] for one in references),
            {
                (
                    bool(row[2]),
                    tuple(one[2] for one in connection.exec_driver_sql(f"PRAGMA index_info({row[1]})").all()),
                )
                for row in indexes
            },
        )
    return found


def next_number(connection: Connection, table: str) -> int:
    kept = {"name": table}
    return int(connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), kept).scalar_one()) + 1


def old_database(path: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Make a database as the version before unique numbers left it, full of children; return its rows."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.run_steps(connection, "0002")
        fill(connection)
        rows = everything(connection)
    engine.dispose()
    return rows


def rows_in(path: Path) -> dict[str, set[tuple[Any, ...]]]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        rows = everything(connection)
    engine.dispose()
    return rows


@pytest.fixture
def to_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    """Databases are brought as far as unique numbers: what later steps make of rows is theirs to test."""
    run_steps = migrations.run_steps
    monkeypatch.setattr(migrations, "run_steps", lambda connection, to: run_steps(connection, min(to, "0003")))


@pytest.mark.usefixtures("to_unique")
async def test_an_upgrade_loses_no_row_and_no_child(tmp_path: Path) -> None:
    path = tmp_path / "pledgekeeper.db"
    before = old_database(path)
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    async with database.read() as connection:
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar() == 1
    await database.close()
    after = rows_in(path)
    for table, rows in before.items():
        assert len(rows) == 3, table
        assert after[table] == rows, table


def test_tables_built_anew_are_as_if_they_had_been_made_so(connection: Connection) -> None:
    migrations.run_steps(connection)
    engine = create_engine("sqlite://")
    with engine.connect() as other:
        metadata.create_all(other)
        assert shape(connection) == shape(other)
    engine.dispose()


def test_counting_goes_on_far_above_every_number_that_stands_anywhere(connection: Connection) -> None:
    migrations.run_steps(connection, "0002")
    fill(connection)
    for statement in (
        "DELETE FROM pendings",
        "DELETE FROM reads WHERE read_id = 7",
        "UPDATE audit SET read_id = 40 WHERE audit_id = 3",
        "UPDATE audit SET reason = 'hold 90: 2 roles of 2 people, by the admin 5' WHERE audit_id = 4",
        "UPDATE audit SET reason = 'the read 60 of Ada is believed on the word of the admin 5' WHERE audit_id = 7",
        "UPDATE notices SET key = '100000000000000001:hold:95' WHERE told_at = 7",
    ):
        connection.execute(text(statement))
    migrations.run_steps(connection, "0003")
    assert {name: next_number(connection, name) for name in OLD_NUMBERED} == {
        "audit": 1008,
        "credentials": 1008,
        "holds": 1096,
        "pendings": 1001,
        "reads": 1061,
        "role_rules": 1008,
        "states": 1008,
    }


def test_what_refers_to_a_row_that_went_counts_too(connection: Connection) -> None:
    migrations.run_steps(connection, "0002")
    fill(connection)
    connection.execute(text("DELETE FROM holds"))
    connection.execute(text("DELETE FROM hold_items WHERE hold_id = 7"))
    connection.execute(text("DELETE FROM reads"))
    with pytest.raises(NeedsOwner, match=r"rows_lost tables=\('hold_items',\)"):
        migrations.run_steps(connection, "0003")
    assert next_number(connection, "holds") == 1005
    assert next_number(connection, "reads") == 1008


def test_a_new_database_counts_from_one(connection: Connection) -> None:
    migrations.run_steps(connection)
    connection.execute(text("INSERT INTO holds (guild_id, opened_at) VALUES (1, 1)"))
    assert connection.execute(text("SELECT hold_id FROM holds")).scalar_one() == 1


@on_both
def test_the_way_back_keeps_every_row(connection: Connection) -> None:
    migrations.run_steps(connection, "0002")
    fill(connection)
    before = everything(connection)
    migrations.run_steps(connection, "0003")
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0002")
    assert everything(connection) == before


def test_no_table_is_built_anew_where_that_would_take_its_children(tmp_path: Path) -> None:
    path = tmp_path / "pledgekeeper.db"
    before = old_database(path)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys = ON"))
    with engine.connect() as connection, pytest.raises(RuntimeError, match="takes its children along"):
        migrations.run_steps(connection, "0003")
    engine.dispose()
    assert rows_in(path) == before


@pytest.mark.usefixtures("to_unique")
async def test_an_upgrade_that_is_killed_before_its_end_is_done_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, image = tmp_path / "pledgekeeper.db", tmp_path / "image"
    old_database(path)
    with closing(
        sqlite3.connect(path)
    ) as raw:  # more than stays in memory until the end: the disk holds half an upgrade
        raw.executemany("UPDATE audit SET reason = ? WHERE audit_id = ?", [("x" * 2_000_000, one) for one in (3, 4, 7)])
        raw.commit()
    before = rows_in(path)
    image.mkdir()
    check = migrations._check_references

    def killed(connection: Connection) -> None:
        """All is written, nothing is kept yet: this is what the disk holds when the process dies here."""
        check(connection)
        for file in tmp_path.glob("pledgekeeper.db*"):
            if file.suffix != ".lock":
                shutil.copy(file, image)
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_check_references", killed)
        with pytest.raises(RuntimeError, match="killed here"):
            await Database.open(f"sqlite+aiosqlite:///{path}")
    assert (image / "pledgekeeper.db-wal").stat().st_size > 0
    for left in (path, image / "pledgekeeper.db"):
        assert rows_in(left) == before
        database = await Database.open(f"sqlite+aiosqlite:///{left}")
        await database.close()
        assert rows_in(left) == before


def test_of_several_pairs_of_one_person_the_newest_living_one_is_kept(connection: Connection) -> None:
    migrations.run_steps(connection, "0003")
    for statement in OLD_PAIRS:
        connection.execute(text(statement))
    migrations.run_steps(connection)
    columns = "patreon_user_id, pair_sealed, seed_fingerprint, consented_at, version, opens_campaigns, dead_at"
    rows = connection.execute(text(f"SELECT {columns} FROM credentials ORDER BY credential_id")).all()
    assert [tuple(row) for row in rows] == [
        ("ada", "ada as a patron", None, 30, 1, 1, None),
        ("wren", "wren by /link", "f1", 50, 1, 1, None),
        ("bo", "bo as a creator", None, 20, 1, 1, None),
        ("cy", "cy, asked", None, 60, 1, 1, None),
    ]
    pairs = connection.execute(text("SELECT patreon_user_id, credential_id FROM credentials")).all()
    ids = {row.patreon_user_id: row.credential_id for row in pairs}
    links = connection.execute(text("SELECT patreon_user_id, credential_id FROM links ORDER BY discord_user_id")).all()
    assert [tuple(row) for row in links] == [("ada", ids["ada"]), ("wren", ids["wren"]), ("bo", None)]
    bindings = connection.execute(text("SELECT guild_id, credential_id, by_settings FROM bindings ORDER BY guild_id"))
    assert [tuple(row) for row in bindings.all()] == [(1, ids["wren"], 1), (2, ids["wren"], 0), (3, ids["bo"], 0)]
    asked = connection.execute(text("SELECT patreon_user_id, credential_id FROM pendings ORDER BY pending_id")).all()
    assert [tuple(row) for row in asked] == [("cy", ids["cy"]), ("ada", ids["ada"]), ("dee", None)]
    assert next_number(connection, "credentials") == 1000 + ids["cy"] - 999


def test_the_pair_of_the_settings_waits_where_nobody_knows_whose_it_is(connection: Connection) -> None:
    migrations.run_steps(connection, "0003")
    connection.execute(text(_pair("creator", "seed", "the seed", 5, seed="f1")))
    migrations.run_steps(connection)
    assert tuple(connection.execute(text("SELECT patreon_user_id, seed_fingerprint FROM credentials")).one()) == (
        None,
        "f1",
    )


def test_the_way_back_from_one_pair_keeps_what_the_older_program_knows(connection: Connection) -> None:
    migrations.run_steps(connection, "0003")
    for statement in OLD_PAIRS:
        connection.execute(text(statement))
    migrations.run_steps(connection)
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0003")
    rows = connection.execute(text("SELECT kind, subject FROM credentials ORDER BY credential_id")).all()
    assert [tuple(row) for row in rows] == [
        ("patron", "ada"),
        ("creator", "seed"),
        ("creator", "bo"),
        ("creator", "cy"),
    ]
    migrations.run_steps(connection)


def _pair(kind: str, subject: str, sealed: str, at: int, *, seed: str = "", dead: str = "NULL") -> str:
    fingerprint = f"'{seed}'" if seed else "NULL"
    return (
        "INSERT INTO credentials (kind, subject, pair_sealed, scopes, expires_at, obtained_at, dead_at,"
        f" seed_fingerprint) VALUES ('{kind}', '{subject}', '{sealed}', '', 90, {at}, {dead}, {fingerprint})"
    )


def _question(user: str, sealed: str, at: int) -> str:
    return (
        "INSERT INTO pendings (state_id, cookie_digest, patreon_user_id, identity, pair_sealed, scopes,"
        f" token_expires_at, status, created_at, expires_at) VALUES (1, '{user}', '{user}', '', {sealed}, '', 9,"
        f" '{'confirmed' if sealed == 'NULL' else 'pending'}', {at}, 9)"
    )


OLD_PAIRS = (
    _pair("creator", "seed", "the seed", 10, seed="f1"),
    _pair("patron", "ada", "ada as a patron", 30),
    _pair("creator", "ada", "ada as a creator", 40, dead="41"),
    _pair("patron", "wren", "wren by /link", 50),
    _pair("creator", "wren", "wren as a creator", 45),
    _pair("creator", "bo", "bo as a creator", 20),
    "INSERT INTO campaigns VALUES ('700', 'Moth', 'USD', 'wren'), ('701', 'Bo', 'USD', 'bo')",
    "INSERT INTO bindings VALUES (1, '700', 1, 5), (2, '700', 5, 6), (3, '701', 6, 7)",
    (
        "INSERT INTO links VALUES (11, 'ada', 'Ada', 'link', 1, NULL), (12, 'wren', 'Wren', 'link', 1, NULL),"
        " (13, 'bo', 'Bo', 'patreon', 1, NULL)"
    ),
    (
        "INSERT INTO states (state_id, digest, purpose, discord_user_id, username, display_name, guild_name, locale,"
        " created_at, expires_at) VALUES (1, 'd', 'link', 1, '', '', '', '', 1, 9)"
    ),
    _question("cy", "'cy, asked'", 60),
    _question("ada", "'ada, asked before'", 25),
    _question("dee", "NULL", 26),
)


OLD_AUDIT = {
    "grant done": ("grant", "done"),
    "revoke needs_2fa": ("revoke", "needs_2fa"),
    "forget": ("forget", None),
    "hold again": ("hold again", None),
    "hold approved": ("hold", None),
    "believe": ("believe", None),
    "something else": ("?", None),
}
OLD_TRIGGERS = {"webhook": "webhook", "hold 7 approved": "/patreon holds", "of long ago": "?"}
SENTENCE = '**Gold**: to be removed. It asks for "any" pledge'


async def test_a_database_of_sentences_keeps_them_and_is_read_in_codes(tmp_path: Path) -> None:
    path = tmp_path / "pledgekeeper.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.run_steps(connection, "0006")
        fill_with_sentences(connection)
    engine.dispose()
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    entries = await Audit(database).recent(GuildId(1))
    kept = {(one.action, one.outcome, one.trigger, one.reason) for one in entries}
    actions = [(*OLD_AUDIT[action], "webhook", OldText(SENTENCE)) for action in OLD_AUDIT]
    triggers = [("adopt", None, trigger, OldText(SENTENCE)) for trigger in OLD_TRIGGERS.values()]
    assert kept == {*actions, *triggers}
    ((hold,),) = [await HeldRevokes(database).list_open(GuildId(1))]
    assert [item.reason for item in hold.items] == [OldText(SENTENCE)]
    assert (await Guilds(database).settings(GuildId(1))).language == "auto"
    async with database.read() as connection:
        result = (await connection.execute(text("SELECT result FROM pendings"))).scalar_one()
    (news,) = msgspec.json.decode(result, type=RolesOutcome).news
    assert news.reason == OldText("an active patron")
    await database.close()


def test_the_way_back_from_codes_puts_the_sentences_back(connection: Connection) -> None:
    migrations.run_steps(connection, "0006")
    fill_with_sentences(connection)
    before = everything(connection)
    migrations.run_steps(connection, "0007")
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0006")
    after = everything(connection)
    for table in ("hold_items", "guild_settings", "links"):
        assert after[table] == before[table], table
    actions = connection.execute(text("SELECT action, reason FROM audit WHERE action = 'grant done'")).all()
    assert [tuple(row) for row in actions] == [("grant done", SENTENCE)]


def fill_with_sentences(connection: Connection) -> None:
    """Put into a database of before what its program wrote."""
    row = text(
        "INSERT INTO audit (at, guild_id, action, reason, trigger, is_counted)"
        " VALUES (1, 1, :action, :reason, :trigger, 0)"
    )
    connection.execute(row, [{"action": one, "reason": SENTENCE, "trigger": "webhook"} for one in OLD_AUDIT])
    connection.execute(row, [{"action": "adopt", "reason": SENTENCE, "trigger": one} for one in OLD_TRIGGERS])
    connection.execute(text("INSERT INTO holds (hold_id, guild_id, opened_at) VALUES (7, 1, 1)"))
    item = text("INSERT INTO hold_items VALUES (1, 11, 31, 7, 'open', '', :reason)")
    connection.execute(item, {"reason": SENTENCE})
    connection.execute(
        text("INSERT INTO guild_settings VALUES (1, 'sync', 7, 20, 'respect', 1, 0, NULL, 'en')"),
    )
    connection.execute(
        text(
            "INSERT INTO states (state_id, digest, purpose, discord_user_id, username, display_name, guild_name,"
            " locale, created_at, expires_at) VALUES (1, 'd', 'link', 1, '', '', '', '', 1, 9)"
        )
    )
    news = {"guild_id": 1, "guild_name": "Hollow", "role_name": "Gold", "status": "given", "why": "an active patron"}
    connection.execute(
        text(
            "INSERT INTO pendings (pending_id, state_id, cookie_digest, patreon_user_id, identity, status, result,"
            " created_at, expires_at) VALUES (1, 1, 'c', 'ada', '', 'confirmed', :result, 1, 9)"
        ),
        {"result": json.dumps({"news": [news], "is_troubled": False})},
    )


RECORDS = {
    "listed": {"believed": {"full_name": "Ada"}, "unproven": None, "memory": {}},
    "gone": {"believed": {"full_name": "Ben"}, "unproven": None, "memory": {"gone_since": "2026-01-01T00:00:00Z"}},
    "doubted": {"believed": None, "unproven": {"full_name": "Cyd"}, "memory": {"gone_since": "2026-01-01T00:00:00Z"}},
    "absent": {"believed": None, "unproven": None, "memory": {"gone_since": "2026-01-01T00:00:00Z"}},
}


def test_absences_of_people_who_were_never_listed_have_no_rows_any_more(connection: Connection) -> None:
    """There were as many of them as campaigns times linked people: they go page by page."""
    migrations.run_steps(connection, "0007")
    row = text("INSERT INTO memberships VALUES (:campaign, :patron, NULL, 1, :record)")
    stored = [(f"c{number:04}", patron) for number in range(300) for patron in RECORDS]
    values = [{"campaign": one, "patron": patron, "record": json.dumps(RECORDS[patron])} for one, patron in stored]
    connection.execute(row, values)
    read = text(
        "INSERT INTO reads (campaign_id, kind, started_at, finished_at, is_complete, is_believed, anomalies, summary)"
        " VALUES ('c', 'bulk', 1, :finished, 1, 1, '[]', :summary)"
    )
    summaries: tuple[dict[str, int], ...] = ({"rows_without_user": 0}, {"rows_without_user": 3}, {})
    connection.execute(read, [{"finished": 2, "summary": json.dumps(summary)} for summary in summaries])
    connection.execute(read, {"finished": None, "summary": "{}"})
    migrations.run_steps(connection, "0008")
    left = connection.execute(text("SELECT campaign_id, patreon_user_id FROM memberships")).all()
    assert {tuple(one) for one in left} == {one for one in stored if one[1] != "absent"}
    told = connection.execute(text("SELECT is_attributed FROM reads ORDER BY read_id")).scalars().all()
    assert told == [1, 0, 1, None]


def test_the_way_back_from_absences_keeps_every_row(connection: Connection) -> None:
    migrations.run_steps(connection, "0008")
    fill(connection)
    before = {table: len(rows) for table, rows in everything(connection).items()}
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0007")
    assert {table: len(rows) for table, rows in everything(connection).items()} == before


@on_both
def test_on_the_way_back_a_record_says_again_what_it_left_out(connection: Connection) -> None:
    reading = Membership(
        campaign_id=CampaignId("700"),
        patreon_user_id=PatreonUserId("p-ada"),
        read_started_at=datetime(2026, 3, 1, tzinfo=UTC),
        tier_ids=(TierId("t-gold"),),
        entitled_cents=500,
    )
    memory = Memory(
        last_active_at=reading.read_started_at, last_active_tier_ids=reading.tier_ids, last_active_cents=500
    )
    record = MembershipRecord(
        campaign_id=reading.campaign_id, patreon_user_id=reading.patreon_user_id, believed=reading, memory=memory
    )
    migrations.run_steps(connection, "0009")
    written = write_record(record)
    assert "last_active" not in written
    query = text("INSERT INTO memberships VALUES ('700', 'p-ada', NULL, 0, :record)")
    connection.execute(query, {"record": written})
    config = migrations.build_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0008")
    stored = connection.execute(text("SELECT record FROM memberships")).scalar_one()
    assert msgspec.json.decode(stored, type=MembershipRecord) == record
    assert read_record(reading.campaign_id, reading.patreon_user_id, stored) == record
