"""All processes together keep within a limit, and rest together."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.domain.model import Secret
from bot.domain.pace import Demand, Limit
from bot.storage import Storage
from bot.storage.paces import PaceKey
from bot.storage.tables import paces
from bot.storage.vault import Vault
from tests.fakes.statements import counted_statements

HOUR = Limit(most=100, seconds=3600)
ADA, BO = Secret("access-ada"), Secret("access-bo")
MINUTE = timedelta(minutes=1)


def wanting(slots: int, *keys: PaceKey) -> dict[PaceKey, Demand]:
    return {key: Demand(limit=HOUR, slots=slots) for key in keys}


async def take(storage: Storage, key: PaceKey, slots: int) -> int:
    return (await storage.paces.take(wanting(slots, key)))[key].slots


async def test_what_others_took_is_taken(storage: Storage) -> None:
    assert await take(storage, ADA, 60) == 60
    assert await take(storage, ADA, 60) == 40
    share = (await storage.paces.take(wanting(1, ADA)))[ADA]
    assert (share.slots, share.is_rest) == (0, False)
    assert 3000 < share.seconds <= 3900
    assert await take(storage, BO, 60) == 60


async def test_several_limits_are_asked_at_once(storage: Storage) -> None:
    await take(storage, "client", 97)
    shares = await storage.paces.take(wanting(5, "client", ADA))
    assert (shares["client"].slots, shares[ADA].slots) == (3, 5)
    assert 0 < shares[ADA].seconds <= 300


async def test_many_at_once_take_no_more_than_there_is(storage: Storage) -> None:
    asked = (storage.paces.take(wanting(30, "client", ADA)) for _ in range(6))
    shares = await asyncio.gather(*asked)
    assert sum(one[ADA].slots for one in shares) == sum(one["client"].slots for one in shares) == 100


async def test_processes_take_of_one_count(postgresql_url: str, vault: Vault) -> None:
    processes = [await Storage.open(postgresql_url, vault), await Storage.attach(postgresql_url, vault)]
    taken = await asyncio.gather(*(take(one, ADA, 7) for one in processes for _ in range(10)))
    assert sum(taken) == 100
    for one in processes:
        await one.close()


async def test_whoever_has_to_rest_takes_nothing_and_a_longer_rest_goes_on(storage: Storage) -> None:
    await storage.paces.rest(ADA, MINUTE)
    await storage.paces.rest(ADA, timedelta(seconds=1))
    shares = await storage.paces.take(wanting(1, ADA, BO))
    assert (shares[ADA].slots, shares[ADA].is_rest, shares[BO].slots) == (0, True, 1)
    assert 30 < shares[ADA].seconds <= 60


async def test_a_rest_leaves_the_count_and_ends(storage: Storage) -> None:
    await take(storage, ADA, 99)
    await storage.paces.rest(ADA, timedelta())
    assert await take(storage, ADA, 5) == 1


async def test_a_token_that_took_another_s_place_goes_on_with_its_count_and_its_rest(storage: Storage) -> None:
    await take(storage, ADA, 99)
    await storage.paces.succeed(ADA, BO)
    assert await take(storage, BO, 5) == 1
    await storage.paces.rest(ADA, MINUTE)
    await storage.paces.succeed(ADA, Secret("third"))
    await storage.paces.succeed(ADA, ADA)
    await storage.paces.succeed(Secret("never used"), Secret("fourth"))
    assert (await storage.paces.take(wanting(1, Secret("third"))))[Secret("third")].is_rest
    assert await take(storage, Secret("fourth"), 5) == 5


async def test_no_token_stands_in_a_row(storage: Storage) -> None:
    await take(storage, ADA, 1)
    async with storage.database.read() as connection:
        rows = (await connection.execute(select(paces))).all()
    assert "access-ada" not in str(rows)
    assert len(rows) == 1


async def test_what_counts_no_more_is_forgotten(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    await take(storage, ADA, 1)
    monkeypatch.setattr("bot.storage.paces.KEPT", timedelta(minutes=-1))
    await take(storage, BO, 1)
    await storage.paces.purge()
    async with storage.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(paces))).scalar_one() == 1


async def test_to_take_of_two_limits_costs_two_statements(storage: Storage) -> None:
    await storage.paces.take(wanting(1, "client", ADA))
    with counted_statements() as statements:
        await storage.paces.take(wanting(1, "client", ADA))
    assert len([one for one in statements if not one.startswith("BEGIN")]) == 2, statements
