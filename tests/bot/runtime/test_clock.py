"""A time that others share is carried on by our own steady clock, and never goes back."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.domain.errors import DatabaseAway, Later
from bot.runtime import clock as clocks
from bot.runtime.clock import SharedClock, tell_time

SHARED = datetime(2026, 3, 1, 12, tzinfo=UTC)
MS = timedelta(milliseconds=1)


class World:
    """The true time, a server that tells it (from a minute off what our machine says), and our steady clock."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self.off = timedelta()  # what the server's clock was set forward by
        self.there, self.back = 2 * MS, 2 * MS
        self.is_away = False
        self.asked = 0
        self.clock = SharedClock(self.ask, steady_ns=lambda: 60_000_000_000 + self.passed // MS * 1_000_000)

    @property
    def told(self) -> datetime:
        return SHARED + self.off + self.passed

    async def ask(self) -> datetime:
        self.asked += 1
        self.passed += self.there
        if self.is_away:
            raise DatabaseAway(Later.DATABASE_AWAY, reason="pulled the plug")
        told = self.told
        self.passed += self.back
        return told


async def test_a_machine_that_is_a_minute_off_tells_the_shared_time() -> None:
    world = World()
    await world.clock.measure()
    assert world.clock.now() == world.told
    world.passed += timedelta(hours=1)
    assert world.clock.now() == world.told


async def test_the_answer_that_came_soonest_counts() -> None:
    world = World()
    trips = iter([(1 * MS, 900 * MS), (5 * MS, 5 * MS), (700 * MS, 1 * MS)])
    ask = world.ask

    async def uneven() -> datetime:
        world.there, world.back = next(trips)
        return await ask()

    clock = SharedClock(uneven, steady_ns=lambda: world.passed // MS * 1_000_000)
    await clock.measure()
    assert clock.now() == world.told


async def test_it_stands_still_for_as_long_as_it_was_ahead() -> None:
    world = World()
    await world.clock.measure()
    before = world.clock.now()
    world.off = -timedelta(seconds=5)
    await world.clock.measure()
    assert world.clock.now() == before
    world.passed += timedelta(seconds=4)
    assert world.clock.now() == before
    world.passed += timedelta(seconds=2)
    assert world.clock.now() == world.told > before


async def test_it_steps_forward_at_once() -> None:
    world = World()
    await world.clock.measure()
    world.off = timedelta(seconds=5)
    await world.clock.measure()
    assert world.clock.now() == world.told


async def test_an_answer_that_took_long_changes_nothing_once_there_is_one() -> None:
    world = World()
    world.back = timedelta(seconds=4)
    await world.clock.measure()
    assert world.clock.now() == world.told - timedelta(seconds=2) + MS, "half of the trip, for want of better"
    before = world.told - world.clock.now()
    world.back = timedelta(seconds=8)
    await world.clock.measure()
    assert world.told - world.clock.now() == before


async def test_it_measures_again_and_again_also_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    await world.clock.measure()
    monkeypatch.setattr(clocks, "MEASURED_EVERY_SECONDS", 0.001)
    world.is_away = True
    following = asyncio.create_task(world.clock.follow())
    while world.asked < 6:
        await asyncio.sleep(0.001)
    assert world.clock.now() == world.told, "the time ran on"
    world.is_away, world.off = False, timedelta(minutes=3)
    asked = world.asked
    while world.asked < asked + 6:
        await asyncio.sleep(0.001)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    assert world.clock.now() == world.told


def test_before_it_is_measured_it_tells_the_machines_time() -> None:
    assert abs(World().clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_command_tells_the_time_of_the_clock_that_the_bot_follows() -> None:
    async def tell(_: web.Request) -> web.Response:
        return web.Response(text="2031-05-06T07:08:09+00:00")

    app = web.Application()
    app.router.add_get("/clock", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    assert abs(await tell_time(f"{url}/clock") - datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="ClientResponseError"):
        await tell_time(f"{url}/elsewhere")
    await runner.cleanup()
    assert abs(await tell_time(None) - datetime.now(UTC)) < timedelta(minutes=1)
