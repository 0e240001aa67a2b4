"""A shard has one process that speaks for it, and their number changes only while there is none."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.domain.processes import ProcessRole
from bot.domain.shards import Shards
from bot.storage import Storage
from bot.storage.leases import Lease
from bot.storage.shards import WHOLE_DATABASE
from bot.storage.tables import leases
from tests.fakes.filled import process_of

COUNT = 20
LONG, SHORT = timedelta(minutes=5), timedelta(milliseconds=100)


@pytest.fixture(autouse=True)
async def _count(storage: Storage) -> None:
    await storage.shards.settle(COUNT)


async def claim(storage: Storage, ids: Iterable[int], owner: str, period: timedelta) -> dict[int, Lease]:
    taken = await storage.shards.claim(Shards(tuple(ids), COUNT), owner, period)
    assert taken is not None
    return taken


async def end(storage: Storage) -> None:
    await asyncio.sleep(2 * SHORT.total_seconds())


async def change(storage: Storage, count: int) -> bool:
    return await storage.shards.change_count(count, gateway=ProcessRole.GATEWAY)


async def test_how_many_there_are_is_settled_once(storage: Storage) -> None:
    assert await storage.shards.settle(3) == COUNT, "whoever came first"
    assert await storage.shards.count() == COUNT


async def test_what_somebody_has_nobody_else_gets(storage: Storage) -> None:
    first = await claim(storage, [0, 1], "one", LONG)
    second = await claim(storage, [1, 2], "two", LONG)
    assert (set(first), set(second)) == ({0, 1}, {2})
    assert await storage.shards.list_free(range(4)) == (3,)
    assert await storage.shards.is_any_held()


async def test_whoever_has_shards_counts_once_and_while_the_leases_last(storage: Storage) -> None:
    assert await storage.shards.count_owners() == 0
    await storage.leases.claim("campaign:700", "a worker", LONG)
    await claim(storage, [0, 1], "one", LONG)
    await claim(storage, [2], "two", SHORT)
    await claim(storage, [3], "three", LONG)
    await end(storage)
    assert await storage.shards.count_owners() == 2


async def test_of_many_at_once_each_shard_has_one(storage: Storage) -> None:
    claims = await asyncio.gather(*(claim(storage, range(3), str(number), LONG) for number in range(6)))
    taken = [shard_id for one in claims for shard_id in one]
    assert sorted(taken) == [0, 1, 2]


async def test_all_of_ones_shards_are_renewed_together(storage: Storage) -> None:
    held = await claim(storage, [0, 1], "one", SHORT)
    assert await storage.shards.renew(held.values(), LONG)
    await end(storage)
    assert await storage.shards.list_free([0, 1]) == ()


async def test_where_one_of_them_was_taken_one_learns_of_it(storage: Storage) -> None:
    held = await claim(storage, [0, 1], "one", SHORT)
    await end(storage)
    assert await storage.shards.renew(held.values(), SHORT), "nobody took any"
    await end(storage)
    taken = await claim(storage, [1], "two", LONG)
    assert taken[1].fence == held[1].fence + 1
    assert not await storage.shards.renew(held.values(), LONG)
    await storage.shards.release(held.values())
    assert await storage.shards.list_free([0, 1]) == (0,), "what is another one's is not given back"


async def test_ones_own_lease_of_an_earlier_life_is_no_more(storage: Storage) -> None:
    first = await claim(storage, [0], "one", SHORT)
    await end(storage)
    second = await claim(storage, [0], "one", LONG)
    assert not await storage.shards.renew(first.values(), LONG)
    assert await storage.shards.renew(second.values(), LONG)


async def test_one_is_free_since_it_was_given_back_or_has_lapsed(storage: Storage) -> None:
    given = await claim(storage, [0], "one", LONG)
    await claim(storage, [1], "one", SHORT)
    await storage.shards.release(given.values())
    await end(storage)
    assert await storage.shards.list_free(range(3)) == (0, 1, 2)
    assert await storage.shards.list_free(range(3), given_back_for=LONG) == (1, 2)
    assert await storage.shards.list_free(range(3), lapsed_for=LONG) == (0, 2)
    assert await storage.shards.list_free(range(3), given_back_for=LONG, lapsed_for=LONG) == (2,), "nobody ever had it"
    assert await storage.shards.list_free(range(3), given_back_for=SHORT, lapsed_for=SHORT) == (0, 1, 2)
    assert not await storage.shards.is_any_held()


async def test_while_somebody_has_the_whole_database_nobody_gets_a_shard(storage: Storage) -> None:
    whole = await storage.leases.claim(WHOLE_DATABASE, "older", LONG)
    assert whole is not None
    assert await storage.shards.claim(Shards((0,), COUNT), "one", LONG) is None
    assert await storage.shards.list_free([0]) == (0,)
    await storage.leases.release(whole)
    assert await claim(storage, [0], "one", LONG)


async def test_whoever_slept_through_the_end_of_the_whole_database_has_it_no_more(storage: Storage) -> None:
    whole = await storage.leases.claim(WHOLE_DATABASE, "older", SHORT)
    assert whole is not None
    await end(storage)
    assert await claim(storage, [0], "one", LONG)
    assert not await storage.leases.renew(whole, LONG)
    taken = await storage.leases.claim(WHOLE_DATABASE, "move", LONG)
    assert taken is not None
    assert taken.fence > whole.fence + 1


async def test_their_number_changes_while_nobody_has_any(storage: Storage) -> None:
    held = await claim(storage, [3], "one", LONG)
    assert not await change(storage, 2)
    assert await storage.shards.count() == COUNT
    await storage.shards.release(held.values())
    assert await change(storage, 2)
    assert await storage.shards.count() == 2
    assert await claim(storage, [0], "one", LONG) == {}, "there are no shards of that number any more"
    assert await storage.shards.list_free([0, 1]) == (0, 1)


@pytest.mark.parametrize(("role", "changes"), [(ProcessRole.GATEWAY, False), (ProcessRole.WORKER, True)])
async def test_their_number_does_not_change_while_a_gateway_lives(
    storage: Storage, role: ProcessRole, changes: bool
) -> None:
    await storage.processes.enter(process_of("one", role), LONG)
    assert await change(storage, 2) is changes


async def test_their_number_does_not_change_while_somebody_has_the_whole_database(storage: Storage) -> None:
    await storage.leases.claim(WHOLE_DATABASE, "older", LONG)
    assert not await change(storage, 2)


async def test_whoever_slept_through_a_change_of_their_number_has_none_any_more(storage: Storage) -> None:
    held = await claim(storage, [0, 1], "one", SHORT)
    await end(storage)
    assert await change(storage, 4)
    assert not await storage.shards.renew(held.values(), LONG)


async def test_they_stand_among_the_leases_with_their_owner(storage: Storage) -> None:
    await claim(storage, [12], "one", LONG)
    async with storage.database.read() as connection:
        rows = (await connection.execute(select(leases.c.name, leases.c.owner, leases.c.fence))).all()
    assert rows == [("shard:12", "one", 1)]
