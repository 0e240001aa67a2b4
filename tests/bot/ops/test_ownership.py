"""On a database that several can reach, one bot works at a time."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.errors import DatabaseLocked
from bot.ops import ownership
from bot.ops.ownership import BOT, is_bot_running, keep_owning, own
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.fakes.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres, emptied: str) -> str:
    return postgres.url(emptied)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PERIOD", timedelta(seconds=0.4))
    monkeypatch.setattr(ownership, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(ownership, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(ownership, "RENEWED_AFTER_SECONDS", 0.1)


@pytest.fixture
async def storages(url: str) -> list[Storage]:
    vault = Vault((new_key(),))
    return [await Storage.open(url, vault), await Storage.open(url, vault)]


async def test_a_second_bot_waits_for_one_that_was_killed_and_goes_before_one_that_lives(
    quick: None, storages: list[Storage], url: str
) -> None:
    first, second = storages
    assert not await is_bot_running(url, second)
    lease = await own(first)
    assert await is_bot_running(url, second)
    alive = asyncio.create_task(keep_owning(first, lease))
    with pytest.raises(DatabaseLocked):
        await own(second)
    alive.cancel()  # killed: nobody gives the lease back
    await own(second)
    with pytest.raises(DatabaseLocked):
        await keep_owning(first, lease)
    for storage in storages:
        await storage.close()


async def test_while_the_database_is_away_the_lease_stays_ours(
    quick: None, storages: list[Storage], postgres: Postgres
) -> None:
    first, second = storages
    lease = await own(first)
    keeping = asyncio.create_task(keep_owning(first, lease))
    postgres.stop()
    await asyncio.sleep(0.5)
    postgres.start()
    await asyncio.sleep(0.5)
    assert not keeping.done()
    assert await second.leases.is_held(BOT)
    keeping.cancel()
    for storage in storages:
        await storage.close()
