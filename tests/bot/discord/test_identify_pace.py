"""When a shard may identify."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.discord import identify_pace
from bot.discord.identify_pace import IdentifyPace, SharedIdentifyPace
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.fakes.postgres import Postgres


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(identify_pace, "time", time)
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 5.0)
    monkeypatch.setattr(asyncio, "sleep", time.sleep)
    return time


@pytest.mark.parametrize(
    ("max_concurrency", "waits"),
    [
        pytest.param(1, [0, 5, 10, 15], id="one after another"),
        pytest.param(2, [0, 0, 5, 5], id="two at a time"),
        pytest.param(16, [0, 0, 0, 0], id="all at once"),
    ],
)
async def test_shards_of_one_key_begin_five_seconds_apart(time: Time, max_concurrency: int, waits: list[float]) -> None:
    pace = IdentifyPace()
    for shard_id in range(4):
        await pace.wait_turn(shard_id, max_concurrency)
    assert time.slept == waits


async def test_time_that_passed_counts(time: Time) -> None:
    pace = IdentifyPace()
    for seconds in (0, 2, 20):
        time.now += seconds
        await pace.wait_turn(0, 1)
    assert time.slept == [0, 3, 0]


# --- among several processes


@pytest.fixture
async def shared(postgres: Postgres, emptied: str) -> AsyncIterator[Storage]:
    storage = await Storage.open(postgres.url(emptied), Vault((new_key(),)))
    yield storage
    await storage.close()


async def test_two_processes_begin_one_after_the_other(shared: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify_pace, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 60.0)
    one, other = SharedIdentifyPace(shared.leases), SharedIdentifyPace(shared.leases)
    await one.wait_turn(0, 2)
    await other.wait_turn(1, 2)
    waiting = asyncio.create_task(other.wait_turn(2, 2))
    await asyncio.sleep(0.3)
    assert not waiting.done(), "2 and 0 have one key where two may begin at a time"
    waiting.cancel()


async def test_the_turn_comes_once_the_time_of_the_one_before_is_over(
    shared: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify_pace, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 0.2)
    pace = SharedIdentifyPace(shared.leases)
    async with asyncio.timeout(20):
        for _ in range(3):
            await pace.wait_turn(0, 1)


async def test_a_turn_that_does_not_come_is_given_up(
    shared: Storage, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify_pace, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(identify_pace, "TURN_WITHIN_SECONDS", 0.5)
    postgres.stop()
    try:
        with pytest.raises(TimeoutError):
            await SharedIdentifyPace(shared.leases).wait_turn(0, 1)
    finally:
        postgres.start()
