"""Statements and transactions, on both databases: all or nothing, and nobody is held up for ever."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.errors import DatabaseAway, Later, NeedsOwner, Setup
from bot.domain.model import CampaignId, GuildId
from bot.storage import Storage, database, postgresql, sqlite
from bot.storage.sqlite import MAX_READERS
from bot.storage.vault import Vault

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def test_attaching_works_beside_the_owner(storage: Storage, url: str, vault: Vault) -> None:
    attached = await Storage.attach(url, vault)
    await attached.notices.note("told by the one", NOW)
    await attached.close()
    assert await storage.notices.seen("told by the one") == ""


@pytest.mark.parametrize("url", ["sqlite", "own_postgresql"], indirect=True)
async def test_attaching_asks_for_tables_that_are_up_to_date(storage: Storage, url: str, vault: Vault) -> None:
    async with storage.database.write() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(NeedsOwner, match=Setup.TABLES_EMPTY):
        await Storage.attach(url, vault)


async def test_a_write_that_fails_half_way_leaves_nothing(storage: Storage) -> None:
    async def half() -> None:
        async with storage.database.write() as connection:
            await connection.execute(text("INSERT INTO notices VALUES ('half', 0, '')"))
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError, match="killed here"):
        await half()
    assert await storage.notices.seen("half") is None


async def test_a_write_that_is_cancelled_leaves_nothing_and_holds_nobody_up(storage: Storage) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with storage.database.write() as connection:
            await connection.execute(text("INSERT INTO notices VALUES ('half', 0, '')"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await storage.notices.note("half", NOW)


async def test_nobody_who_waits_in_line_is_given_up_on(url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (sqlite, postgresql):
        monkeypatch.setattr(kind, "create_async_engine", partial(create_async_engine, pool_timeout=0.01))
    storage = await Storage.open(url, vault)

    async def hold(lend: Any) -> None:
        async with lend() as connection:
            await connection.execute(text("SELECT 1"))
            await asyncio.sleep(0.02)

    for lend in (storage.database.read, storage.database.write):
        await asyncio.gather(*[hold(lend) for _ in range(2 * MAX_READERS)])
    await storage.close()


async def test_many_who_are_cancelled_leave_room_for_others(storage: Storage) -> None:
    for lend in (storage.database.read, storage.database.write):

        async def hold(lend: Any = lend) -> None:
            async with lend() as connection:
                await connection.execute(text("SELECT 1"))
                await asyncio.Event().wait()

        for _ in range(3):
            holding = [asyncio.create_task(hold()) for _ in range(2 * MAX_READERS)]
            await asyncio.sleep(0.02)
            for task in holding:
                task.cancel()
            await asyncio.gather(*holding, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await storage.notices.note("key", NOW)
        assert await storage.notices.seen("key") == ""


async def test_writers_of_two_processes_wait_for_each_other(storage: Storage, url: str, vault: Vault) -> None:
    other = await Storage.attach(url, vault)

    async def change(which: Storage, guild: int) -> None:
        for number in range(10):
            await which.guilds.change(GuildId(guild), grace_days=number)

    await asyncio.gather(change(storage, 1), change(other, 2), change(storage, 3), change(other, 4))
    await other.close()
    assert [(await storage.guilds.settings(GuildId(guild))).grace_days for guild in (1, 2, 3, 4)] == [9, 9, 9, 9]


async def test_a_binding_to_an_unknown_campaign_is_refused(storage: Storage) -> None:
    with pytest.raises(IntegrityError):
        await storage.campaigns.bind(GuildId(1), CampaignId("nobody"), credential_id=None, at=NOW)


async def test_a_time_without_a_zone_is_refused(storage: Storage) -> None:
    with pytest.raises(StatementError):
        await storage.notices.note("naive", NOW.replace(tzinfo=None))


async def test_an_error_of_the_database_does_not_print_values(storage: Storage) -> None:
    with pytest.raises(IntegrityError) as refused:
        await storage.campaigns.bind(GuildId(1), CampaignId("MARKER"), credential_id=None, at=NOW)
    assert "MARKER" not in str(refused.value)


async def test_more_readers_than_there_are_places_wait_for_each_other(storage: Storage) -> None:
    async def read() -> None:
        async with storage.database.read() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await asyncio.gather(*[read() for _ in range(5 * MAX_READERS)])


async def test_a_read_that_failed_does_not_hinder_the_next(storage: Storage) -> None:
    with pytest.raises(DBAPIError):
        async with storage.database.read() as connection:
            await connection.execute(text("SELECT nothing"))
    async with storage.database.read() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_a_start_waits_for_a_database_that_starts_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BETWEEN_STARTS_SECONDS", 0.01)
    answers = iter([DatabaseAway(Later.DATABASE_AWAY, reason="it starts")] * 3)

    async def ask() -> str:
        for away in answers:
            raise away
        return "there"

    assert await database.patiently(ask) == "there"


async def test_a_start_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 0)

    async def ask() -> None:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="it is gone")

    with pytest.raises(DatabaseAway, match="it is gone"):
        await database.patiently(ask)
