"""What PostgreSQL alone is asked for: many writers, a server that goes and comes back, a pooler in between."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest
import structlog
from sqlalchemy import Connection, make_url, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.errors import DatabaseAway, NeedsOwner, SettingsInvalid, Setup
from bot.domain.model import GuildId, PatreonUserId
from bot.domain.steps import Extent, Upgrade
from bot.storage import Storage, migrations, postgresql
from bot.storage import database as databases
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.memberships import MOST_SHARED
from bot.storage.tables import leases
from bot.storage.vault import Vault
from sandbox.postgres import OWNER
from tests.bot.storage.conftest import NOW
from tests.fakes.filled import CAMPAIGN, campaign_of, populate, record_of
from tests.fakes.postgres import Postgres
from tests.fakes.relay import relayed
from tests.fakes.statements import counted_statements

GUILD = GuildId(900)


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
async def other(url: str, vault: Vault) -> AsyncIterator[Storage]:
    """Another process's storage."""
    opened = await Storage.attach(url, vault)
    yield opened
    await opened.close()


class Counter(Aggregate):
    """A number that is read, and written one higher: the least that goes wrong where two do it at once."""

    @transaction
    async def start(self, connection: AsyncConnection) -> None:
        await connection.execute(leases.insert().values(name="number", owner="", fence=0, until=0))

    @transaction
    async def count(self, connection: AsyncConnection) -> None:
        number = (await connection.execute(select(leases.c.fence))).scalar_one()
        await asyncio.sleep(0)
        await connection.execute(update(leases).values(fence=number + 1))


async def test_of_several_hosts_the_one_that_is_there_is_used(postgres: Postgres, emptied: str, vault: Vault) -> None:
    async with relayed(postgres) as relay, await asyncio.start_server(relay.serve, "127.0.0.1", 0) as door:
        port = door.sockets[0].getsockname()[1]
        url = f"postgresql://{OWNER}:secret@127.0.0.1:9,127.0.0.1:{port}/{emptied}?target_session_attrs=read-write"
        bare = postgresql.bare_address(url)  # libpq's programs read it too
        assert unquote(bare).partition("&target")[0] == (
            f"postgresql://{OWNER}@/{emptied}?host=127.0.0.1,127.0.0.1&port=9,{port}"
        )
        for address in (url, bare):
            assert postgresql.is_address(address)
            storage = await Storage.open(address, vault)
            assert await storage.shards.count() is None
            await storage.close()


async def test_who_waits_for_a_server_says_so_once(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 1.5)
    with structlog.testing.capture_logs() as logs, pytest.raises(NeedsOwner, match=Setup.DATABASE_SILENT):
        await Storage.open(f"postgresql://{OWNER}@/none?host={tmp_path}", vault)
    (told,) = [line for line in logs if line["event"] == "the database doesn't answer yet"]
    assert (told["log_level"], told["seconds"]) == ("warning", 1.5)


async def test_writers_of_several_processes_end_as_if_one_had_gone_after_the_other(
    storage: Storage, other: Storage
) -> None:
    counters = [Counter(storage.database), Counter(other.database)]
    await counters[0].start()
    await asyncio.gather(*[counter.count() for counter in counters for _ in range(20)])
    async with storage.database.read() as connection:
        assert (await connection.execute(select(leases.c.fence))).scalar_one() == 40


async def test_a_single_statement_that_writes_counts_as_a_transaction(storage: Storage) -> None:
    with counted_statements() as statements:
        await storage.reads.start("700", NOW)  # type: ignore[arg-type]
    async with storage.database.write() as connection:
        isolation = (await connection.exec_driver_sql("SHOW transaction_isolation")).scalar()
    assert len(statements) == 1
    assert isolation == "serializable"


async def test_a_server_that_restarts_costs_errors_that_heal(storage: Storage, postgres: Postgres) -> None:
    await storage.guilds.change(GUILD, grace_days=3)
    postgres.stop()
    try:
        with pytest.raises(DatabaseAway):
            await storage.guilds.settings(GUILD)
        with pytest.raises(DatabaseAway):
            await storage.guilds.change(GUILD, grace_days=4)
    finally:
        postgres.start()
    assert (await storage.guilds.settings(GUILD)).grace_days == 3
    await storage.guilds.change(GUILD, grace_days=5)
    assert (await storage.guilds.settings(GUILD)).grace_days == 5


async def test_a_server_that_says_nothing_any_more_is_given_up_and_asked_again(
    postgres: Postgres, emptied: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 2)
    async with relayed(postgres) as relay:
        storage = await Storage.open(relay.url(emptied), vault)
        await storage.guilds.change(GUILD, grace_days=3)
        relay.cut()
        began = time.monotonic()
        answers = await asyncio.gather(
            storage.guilds.settings(GUILD), storage.guilds.change(GUILD, grace_days=4), return_exceptions=True
        )
        assert [type(one) for one in answers] == [DatabaseAway, DatabaseAway]
        assert time.monotonic() - began < 10, "the driver itself would wait for another ten seconds"
        relay.mend()
        assert (await storage.guilds.settings(GUILD)).grace_days in {3, 4}
        await storage.guilds.change(GUILD, grace_days=5)
        await storage.close()


async def test_a_server_that_goes_in_the_middle_of_its_answer_is_away(
    postgres: Postgres, emptied: str, vault: Vault
) -> None:
    async with relayed(postgres) as relay:
        storage = await Storage.open(relay.url(emptied), vault)
        relay.breaks_commit = True
        with pytest.raises(DatabaseAway):
            await storage.guilds.change(GUILD, grace_days=3)
        assert not relay.breaks_commit
        assert (await storage.guilds.settings(GUILD)).grace_days == 3, "it was kept: nobody could know"
        await storage.guilds.change(GUILD, grace_days=5)
        await storage.close()


async def test_behind_a_pooler_nobody_waits_for_a_server_that_went(
    postgres: Postgres, pgbouncer_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 1)
    storage = await Storage.open(pgbouncer_url, vault)
    await asyncio.gather(*[storage.guilds.settings(GUILD) for _ in range(8)])
    postgres.stop()
    try:  # those whose connection to the pooler is there already wait in its queue; others are refused
        began = time.monotonic()
        answers = await asyncio.gather(*[storage.guilds.settings(GUILD) for _ in range(24)], return_exceptions=True)
        assert {type(one) for one in answers} == {DatabaseAway}
        assert time.monotonic() - began < 30
    finally:
        postgres.start()
    await storage.close()


async def test_a_connection_that_is_ended_hits_nobody_twice(storage: Storage, postgres: Postgres, url: str) -> None:
    await asyncio.gather(*[storage.guilds.change(GUILD, grace_days=days) for days in range(6)])
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'")
    with pytest.raises(DatabaseAway):
        await storage.guilds.change(GUILD, grace_days=7)
    await asyncio.gather(*[storage.guilds.change(GUILD, grace_days=days) for days in range(6)])


async def test_a_server_that_starts_at_the_same_time_is_waited_for(postgres: Postgres, url: str, vault: Vault) -> None:
    postgres.stop()
    try:
        opening = asyncio.create_task(Storage.open(url, vault))
        await asyncio.sleep(0.3)
        assert not opening.done()
    finally:
        postgres.start()
    storage = await opening
    await storage.close()


async def test_a_server_that_starts_anew_in_the_midst_of_our_start_is_waited_for(
    postgres: Postgres, url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade, tries = migrations.upgrade, list[Extent]()

    def broken_off_once(connection: Connection, extent: Extent) -> Upgrade:
        tries.append(extent)
        if len(tries) == 1:
            postgres.stop()
            postgres.start()
        return upgrade(connection, extent)

    monkeypatch.setattr(migrations, "upgrade", broken_off_once)
    storage = await Storage.open(url, vault)
    await storage.close()
    assert len(tries) == 2


async def test_a_server_that_does_not_answer_ends_the_start(
    postgres: Postgres, vault: Vault, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 0)
    nowhere = f"postgresql://somebody:MARKER@/bot?host={tmp_path}"
    for start in (Storage.open, Storage.attach):
        with pytest.raises(NeedsOwner, match=Setup.DATABASE_SILENT) as refused:
            await start(nowhere, vault)
        assert "MARKER" not in str(refused.value)


async def test_a_database_that_is_not_there_is_said_to_be_unusable(
    postgres: Postgres, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 0)
    with pytest.raises(NeedsOwner, match="does not exist"):
        await Storage.open(postgres.url("nothing"), vault)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_lacks_letters_is_refused(postgres: Postgres, vault: Vault, encoding: str) -> None:
    name = f"in_{encoding.lower()}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'")
    for start in (Storage.open, Storage.attach):
        with pytest.raises(SettingsInvalid, match=Setup.DATABASE_NOT_UNICODE) as refused:
            await start(postgres.url(name), vault)
        assert refused.value.facts == {"encoding": encoding}
    postgres.drop(name)


async def test_letters_arrive_whatever_the_environment_takes_them_for(
    postgres: Postgres, own_postgresql_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    storage = await Storage.open(own_postgresql_url, vault)
    await storage.campaigns.save(campaign_of("Łódź 🌲"))
    campaign = await storage.campaigns.load(CAMPAIGN)
    assert campaign is not None
    assert campaign.name == "Łódź 🌲"
    await storage.close()


async def test_a_process_that_is_stopped_within_a_transaction_holds_nobody_up(
    postgres: Postgres, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 1)
    url = postgres.url(postgres.create())
    storage = await Storage.open(url, vault)
    await storage.guilds.change(GUILD, grace_days=3)
    with psycopg.connect(url) as stopped:
        stopped.execute("UPDATE guild_settings SET grace_days = 4")
        await storage.guilds.change(GUILD, grace_days=5)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout) as ended:
            stopped.execute("SELECT 1")
    assert postgresql.says_away(str(ended.value.sqlstate))
    assert (await storage.guilds.settings(GUILD)).grace_days == 5
    await storage.close()


async def test_what_somebody_set_for_idle_transactions_stays(
    postgres: Postgres, own_postgresql_url: str, vault: Vault
) -> None:
    storage = await Storage.open(own_postgresql_url, vault)
    await storage.close()
    name = make_url(own_postgresql_url).database
    postgres.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET idle_in_transaction_session_timeout = '33s'")
    storage = await Storage.open(own_postgresql_url, vault)
    async with storage.database.read() as connection:
        shown = (await connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")).scalar()
    await storage.close()
    assert shown == "33s"


async def test_tables_of_a_newer_version_are_left_alone(own_postgresql_url: str, vault: Vault) -> None:
    storage = await Storage.open(own_postgresql_url, vault)
    async with storage.database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await storage.close()
    with pytest.raises(NeedsOwner, match=Setup.TABLES_UNKNOWN):
        await Storage.open(own_postgresql_url, vault)


async def test_of_several_that_make_the_tables_at_once_one_does(postgres: Postgres, vault: Vault) -> None:
    name = postgres.create()
    opened = await asyncio.gather(*[Storage.open(postgres.url(name), vault) for _ in range(4)])
    for storage in opened:
        await storage.guilds.change(GUILD, grace_days=1)
        await storage.close()
    postgres.drop(name)


async def test_news_of_many_are_small_transactions(storage: Storage) -> None:
    """Whoever is linked to a patron is looked up in it: a large one would hardly end while others link and write."""
    await populate(storage)
    records = [record_of(PatreonUserId(f"p-{number}")) for number in range(2 * MOST_SHARED + 1)]
    with counted_statements() as statements:
        await storage.memberships.save(records, trigger=Trigger.INTERVAL)
    assert sum("INSERT INTO memberships" in statement for statement in statements) == 3
    assert sum("INSERT INTO due" in statement for statement in statements) == 3, "each with whom it makes due"


async def test_a_transaction_that_never_gets_through_says_so(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "LONGEST_PAUSE_SECONDS", 0.001)
    tries = 0

    async def conflict(connection: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute(text("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$"))

    with pytest.raises(DatabaseAway):
        await storage.database.transact(conflict)
    assert tries == databases.MAX_TRIES


async def test_the_folder_of_a_socket_may_stand_where_a_host_does(postgres: Postgres, emptied: str) -> None:
    place = str(postgres.folder).replace("/", "%2F")
    with psycopg.connect(
        **postgresql.driver_options(f"postgresql://pledgekeeper@{place}:5432/{emptied}")
    ) as connection:
        found = connection.execute("SELECT current_database(), current_user").fetchone()
    assert found == (emptied, "pledgekeeper")
