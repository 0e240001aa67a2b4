"""Who lives, by the database's clock; and a command or a button is one process's."""

import asyncio
from datetime import timedelta

from bot.domain.processes import ProcessRole
from bot.storage import Storage
from tests.fakes.filled import process_of

LONG, SHORT = timedelta(minutes=5), timedelta(milliseconds=100)


async def test_a_process_is_known_until_it_leaves(storage: Storage) -> None:
    gateway, worker = process_of("one", ProcessRole.GATEWAY), process_of("two", ProcessRole.WORKER, ProcessRole.WEB)
    await storage.processes.enter(gateway, LONG)
    await storage.processes.enter(worker, LONG)
    assert await storage.processes.list_live() == (gateway, worker)
    await storage.processes.leave("one")
    assert await storage.processes.list_live() == (worker,)


async def test_one_that_says_nothing_any_more_is_taken_for_dead(storage: Storage) -> None:
    await storage.processes.enter(process_of("killed"), SHORT)
    await storage.processes.enter(process_of("lives"), SHORT)
    await asyncio.sleep(2 * SHORT.total_seconds())
    assert await storage.processes.list_live() == ()
    await storage.processes.enter(process_of("lives"), LONG)
    assert [one.process_id for one in await storage.processes.list_live()] == ["lives"]


async def test_of_many_that_hear_of_a_command_one_has_it(storage: Storage) -> None:
    claims = await asyncio.gather(*(storage.interactions.claim(2**62) for _ in range(8)))
    assert sorted(claims) == [False] * 7 + [True]
    assert await storage.interactions.claim(2**62 + 1)


async def test_a_claim_is_forgotten_in_time(storage: Storage) -> None:
    assert await storage.interactions.claim(1)
    await storage.interactions.purge(LONG)
    assert not await storage.interactions.claim(1)
    await storage.interactions.purge(timedelta(0))
    assert await storage.interactions.claim(1)
