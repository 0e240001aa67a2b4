"""A turn is one process's at a time, and ends where its lease does."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.storage import Storage, turns
from bot.storage.leases import LeaseLost, require
from bot.storage.survey import Survey
from bot.storage.turns import Turns
from bot.storage.vault import Vault
from tests.fakes.postgres import Postgres
from tests.fakes.statements import counted_statements
from tests.fakes.stored import until_renewed

PATIENCE = 20.0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PERIOD", timedelta(seconds=1.5))
    monkeypatch.setattr(turns, "RENEWED_AFTER_SECONDS", 0.2)
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0.05)


@pytest.fixture
async def storages(postgresql_url: str, vault: Vault) -> AsyncIterator[list[Storage]]:
    opened = [await Storage.open(postgresql_url, vault), await Storage.open(postgresql_url, vault)]
    yield opened
    for storage in opened:
        await storage.close()


@pytest.fixture
def both(storages: list[Storage]) -> list[Turns]:
    return [Turns(storage.leases, owner=name, is_shared=True) for name, storage in zip("ab", storages, strict=True)]


async def test_while_one_process_has_a_turn_no_other_does(
    quick: None, storages: list[Storage], both: list[Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PERIOD", timedelta(minutes=5))
    one, other = both
    async with one.take("reading") as first:
        assert first is not None
        await until_renewed(storages[0], "reading")
        async with other.take("reading") as second, other.take("something else") as third:
            assert second is None
            assert third is not None
    async with other.take("reading") as second:
        assert second is not None


async def test_its_lease_names_the_process_that_has_it(storages: list[Storage], both: list[Turns]) -> None:
    async with both[1].take("reading") as turn:
        assert turn is not None
        (lease,) = await Survey(storages[0].database).leases()
        assert lease.owner.split() == ["b", "1"]


async def test_within_a_process_too_a_turn_is_had_once(both: list[Turns]) -> None:
    async with both[0].take("reading") as first, both[0].take("reading") as second:
        assert (first is None, second is None) == (False, True)


async def test_whoever_has_patience_gets_it_as_soon_as_it_is_given_back(both: list[Turns]) -> None:
    one, other = both
    order: list[str] = []

    async def wait() -> None:
        async with other.take("reading", patience=PATIENCE) as turn:
            assert turn is not None
            order.append("second")

    async with one.take("reading"):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.2)
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_what_goes_on_in_a_turn_that_was_lost_is_broken_off(quick: None, both: list[Turns]) -> None:
    one, other = both
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            ended.set()

    async with one.take("reading") as turn:
        assert turn is not None
        doing = asyncio.create_task(turn.carry_out(work()))
        await begun.wait()
        await other._leases._database.transact(
            lambda connection: connection.exec_driver_sql("UPDATE leases SET owner = 'another', fence = fence + 1")
        )
        with pytest.raises(LeaseLost):
            await asyncio.wait_for(doing, PATIENCE)
        assert ended.is_set()


async def test_a_loop_goes_on_in_another_process_when_the_first_ends(quick: None, both: list[Turns]) -> None:
    running: list[int] = []
    began = asyncio.Semaphore(0)

    async def loop(number: int) -> None:
        running.append(number)
        began.release()
        try:
            await asyncio.sleep(math.inf)
        finally:
            running.remove(number)

    tasks = [
        asyncio.create_task(turn.run("loop", lambda number=number: loop(number)))  # type: ignore[misc]
        for number, turn in enumerate(both)
    ]
    async with asyncio.timeout(PATIENCE):
        await began.acquire()
        await asyncio.sleep(0.2)
        (first,) = running
        tasks[first].cancel()
        await began.acquire()
        assert running == [1 - first]
    tasks[1 - first].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_loop_that_fails_or_ends_says_so(both: list[Turns]) -> None:
    async def fail() -> None:
        raise ValueError("Something nobody foresaw")

    with pytest.raises(ValueError, match="nobody foresaw"):
        await both[0].run("loop", fail)
    await both[1].run("loop", lambda: asyncio.sleep(0))


async def test_while_the_database_is_away_a_turn_is_ours_until_its_lease_would_end(
    quick: None, both: list[Turns], postgres: Postgres
) -> None:
    async with both[0].take("reading") as turn:
        assert turn is not None
        postgres.stop()
        try:
            with pytest.raises(LeaseLost):
                await asyncio.wait_for(turn.carry_out(asyncio.sleep(PATIENCE)), PATIENCE)
        finally:
            postgres.start()


async def test_where_one_process_owns_the_database_a_turn_costs_nothing(storage: Storage) -> None:
    one = Turns(storage.leases, owner="a", is_shared=False)
    with counted_statements() as statements:
        async with one.take("reading") as turn:
            assert turn is not None
            assert turn.lease is None
            assert await turn.carry_out(asyncio.sleep(0, "done")) == "done"
    assert statements == []


async def test_what_is_stored_under_a_lease_that_is_another_ones_by_now_is_not_stored(storage: Storage) -> None:
    first = await storage.leases.claim("reading", "one", timedelta(milliseconds=1))
    assert first is not None
    async with storage.database.write() as connection:
        await require(connection, first)  # nobody has taken it, though it has ended
    await asyncio.sleep(0.01)
    second = await storage.leases.claim("reading", "two", timedelta(minutes=1))
    assert second is not None
    with pytest.raises(LeaseLost):
        async with storage.database.write() as connection:
            await require(connection, first)
    async with storage.database.write() as connection:
        await require(connection, second)


async def test_nobody_takes_a_lease_in_the_midst_of_a_transaction_under_it(storages: list[Storage]) -> None:
    one, other = storages
    lease = await one.leases.claim("reading", "one", timedelta(milliseconds=1))
    assert lease is not None
    await asyncio.sleep(0.01)
    async with one.database.write() as connection:
        await require(connection, lease)
        taking = asyncio.create_task(other.leases.claim("reading", "two", timedelta(minutes=1)))
        await asyncio.sleep(0.3)
        assert not taking.done()
    assert await taking is not None
