"""A lease has one owner at a time, by the clock that all share."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.runtime.clock import SharedClock
from bot.storage import Storage

LONG, SHORT = timedelta(minutes=5), timedelta(milliseconds=100)


async def test_while_somebody_has_it_nobody_else_does(storage: Storage) -> None:
    assert not await storage.leases.is_held("reading")
    assert await storage.leases.claim("reading", "one", LONG) is not None
    assert await storage.leases.claim("reading", "two", LONG) is None
    assert await storage.leases.is_held("reading")
    assert await storage.leases.claim("something else", "two", LONG) is not None


async def test_of_many_at_once_one_has_it(storage: Storage) -> None:
    claims = [storage.leases.claim("reading", str(number), LONG) for number in range(8)]
    assert len([lease for lease in await asyncio.gather(*claims) if lease is not None]) == 1


async def test_one_that_ended_is_the_next_ones_with_a_higher_fence(storage: Storage) -> None:
    first = await storage.leases.claim("reading", "one", SHORT)
    await asyncio.sleep(2 * SHORT.total_seconds())
    second = await storage.leases.claim("reading", "two", LONG)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    assert not await storage.leases.renew(first, LONG)
    await storage.leases.release(first)
    assert await storage.leases.is_held("reading")


async def test_one_that_is_renewed_goes_on_and_so_does_one_that_nobody_took_meanwhile(storage: Storage) -> None:
    lease = await storage.leases.claim("reading", "one", SHORT)
    assert lease is not None
    assert await storage.leases.renew(lease, SHORT)
    await asyncio.sleep(2 * SHORT.total_seconds())
    assert not await storage.leases.is_held("reading")
    assert await storage.leases.renew(lease, LONG)
    assert await storage.leases.is_held("reading")


async def test_one_that_is_given_back_is_free_at_once(storage: Storage) -> None:
    lease = await storage.leases.claim("reading", "one", LONG)
    assert lease is not None
    await storage.leases.release(lease)
    taken = await storage.leases.claim("reading", "two", LONG)
    assert taken is not None
    assert taken.fence == 2


async def test_two_processes_with_clocks_a_minute_apart_tell_one_time(storage: Storage) -> None:
    machines = [SharedClock(storage.leases.tell_time, steady_ns=partial(steady, apart)) for apart in (0, 60)]
    for machine in machines:
        await machine.measure()
    one, two = (machine.now() for machine in machines)
    assert abs(two - one) < timedelta(seconds=10)  # each is wrong by half of what its question took
    assert abs(datetime.now(UTC) - one) < timedelta(seconds=10), "the database is on this machine"


def steady(seconds: int) -> int:
    return time.monotonic_ns() + seconds * 10**9
