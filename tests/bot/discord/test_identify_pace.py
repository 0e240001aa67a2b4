"""When a shard may identify."""

import asyncio

import pytest

from bot.discord import identify_pace
from bot.discord.identify_pace import IdentifyPace


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
