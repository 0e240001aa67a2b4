"""On a database that several can reach, one bot works at a time."""

import asyncio
import math
from datetime import timedelta

import pytest

from bot.domain.errors import DatabaseLocked, Setup
from bot.ops import ownership
from bot.ops.ownership import BOT, OwnerLease, _claim, _keep, is_bot_running, owned
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.fakes.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres, emptied: str) -> str:
    return postgres.url(emptied)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PERIOD", timedelta(seconds=0.4))
    monkeypatch.setattr(ownership, "MARGIN_SECONDS", 0.05)
    monkeypatch.setattr(ownership, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(ownership, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(ownership, "RENEWED_AFTER_SECONDS", 0.1)


@pytest.fixture
async def storages(url: str) -> list[Storage]:
    vault = Vault((new_key(),))
    return [await Storage.open(url, vault), await Storage.open(url, vault)]


async def test_a_second_bot_is_refused_while_the_first_lives_and_waits_where_it_was_killed(
    quick: None, storages: list[Storage], url: str
) -> None:
    first, second = storages
    assert not await is_bot_running(url, second.database)
    async with owned(first.database) as first_ones:
        assert await is_bot_running(url, second.database)
        with pytest.raises(DatabaseLocked):
            async with owned(second.database):
                pass
        first_ones.ends[0].cancel()  # killed: nobody renews the lease, nobody gives it back
        async with owned(second.database):
            assert await is_bot_running(url, first.database)
    assert not await is_bot_running(url, first.database)
    for storage in storages:
        await storage.close()


async def test_one_whose_lease_was_taken_learns_of_it(quick: None, storages: list[Storage]) -> None:
    first, second = storages
    ours = OwnerLease(-math.inf)
    lease = await _claim(first.leases, ours)
    assert ours.is_certain
    await asyncio.sleep(0.5)
    assert not ours.is_certain, "it says so before anybody tells"
    await _claim(second.leases, OwnerLease(-math.inf))
    with pytest.raises(DatabaseLocked, match=Setup.DATABASE_TAKEN):
        await _keep(first.leases, lease, ours)
    assert not ours.is_certain
    for storage in storages:
        await storage.close()


async def test_while_the_database_is_away_the_lease_stays_ours(
    quick: None, storages: list[Storage], postgres: Postgres
) -> None:
    first, second = storages
    async with owned(first.database) as ours:
        (keeping,) = ours.ends
        postgres.stop()
        await asyncio.sleep(0.5)
        assert not ours.is_certain
        postgres.start()
        await asyncio.sleep(0.5)
        assert not keeping.done()
        assert ours.is_certain
        assert await second.leases.is_held(BOT)
    for storage in storages:
        await storage.close()
