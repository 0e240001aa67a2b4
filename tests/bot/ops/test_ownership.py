"""Whoever copies a database keeps every bot from it, and waits until the last one surely is no more."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.errors import DatabaseLocked
from bot.domain.shards import Shards
from bot.ops import ownership
from bot.ops.ownership import is_bot_running, owned
from bot.storage import Storage
from bot.storage.shards import WHOLE_DATABASE
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import process_of
from tests.fakes.postgres import Postgres
from tests.fakes.stored import until_renewed

LONG, SHORT = timedelta(minutes=5), timedelta(seconds=0.4)
PATIENCE = 40.0
SHARD = Shards((0,), 1)


@pytest.fixture
def url(postgres: Postgres, emptied: str) -> str:
    return postgres.url(emptied)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PERIOD", LONG)
    monkeypatch.setattr(ownership, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(ownership, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(ownership, "RENEWED_AFTER_SECONDS", 0.1)


@pytest.fixture
async def storage(url: str) -> Storage:
    return await Storage.open(url, Vault((new_key(),)))


async def refused(storage: Storage) -> bool:
    try:
        async with owned(storage.database):
            return False
    except DatabaseLocked:
        return True


async def test_one_that_lives_is_in_the_way(quick: None, storage: Storage, url: str) -> None:
    assert not await is_bot_running(url, storage.database)
    await storage.processes.enter(process_of("one"), LONG)
    assert await is_bot_running(url, storage.database)
    assert await refused(storage)
    await storage.processes.leave("one")
    assert not await is_bot_running(url, storage.database)
    assert not await refused(storage)
    await storage.close()


async def test_so_is_one_that_may_still_speak_to_discord(quick: None, storage: Storage, url: str) -> None:
    await storage.shards.settle(SHARD.count)
    held = await storage.shards.claim(SHARD, "one", LONG)
    assert held
    assert await is_bot_running(url, storage.database)
    assert await refused(storage)
    await storage.shards.release(held.values())
    assert not await refused(storage)
    await storage.close()


async def test_so_is_one_of_an_older_version(quick: None, storage: Storage, url: str) -> None:
    older = await storage.leases.claim(WHOLE_DATABASE, "older", LONG)
    assert older is not None
    assert await is_bot_running(url, storage.database)
    assert await refused(storage)
    await storage.leases.release(older)
    assert not await refused(storage)
    await storage.close()


async def test_one_that_was_killed_is_waited_for(
    quick: None, storage: Storage, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "PATIENCE_SECONDS", PATIENCE)
    await storage.shards.settle(SHARD.count)
    await storage.processes.enter(process_of("one"), SHORT)
    await storage.shards.claim(SHARD, "one", SHORT)
    async with owned(storage.database):
        assert await is_bot_running(url, storage.database)
    assert not await is_bot_running(url, storage.database)
    await storage.close()


async def test_meanwhile_nobody_takes_a_shard(quick: None, storage: Storage) -> None:
    await storage.shards.settle(SHARD.count)
    async with owned(storage.database):
        await until_renewed(storage, WHOLE_DATABASE)
        assert await storage.shards.claim(SHARD, "one", LONG) is None
    assert await storage.shards.claim(SHARD, "one", LONG)
    await storage.close()


async def test_when_the_database_comes_back_it_is_still_kept(quick: None, storage: Storage, postgres: Postgres) -> None:
    await storage.shards.settle(SHARD.count)
    async with owned(storage.database):
        postgres.stop()
        await asyncio.sleep(SHORT.total_seconds())
        postgres.start()
        await until_renewed(storage, WHOLE_DATABASE)
        assert await storage.shards.claim(SHARD, "one", LONG) is None
    await storage.close()
