"""Several processes together keep Patreon's limits, and a rest that Patreon asks of one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import DatabaseAway, Later, PatreonCall, PatreonThrottled
from bot.domain.model import Secret
from bot.domain.pace import Demand, Share, Taken, share_out
from bot.patreon.client import PatreonApi
from bot.patreon.http import Http
from bot.patreon.limiter import CLIENT_SECONDS, TOKEN_SECONDS, Key
from bot.patreon.protocol.exchange import Request
from bot.patreon.shared_limiter import OF_TOKEN, SharedLimiter
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from sandbox.patreon import faults
from tests.bot.patreon.sandbox_world import World
from tests.bot.patreon.test_limiter import FakeTime, most_within
from tests.fakes.postgres import Postgres

ADA, BO = Secret("ada"), Secret("bo")
TOKEN_PATH = "/api/oauth2/token"
IDENTITY = "GET /api/oauth2/v2/identity"
PATIENCE_SECONDS = 50  # less than the minute for which the limit is


class Counts:
    """Counts as the database does, in a time that the test moves."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self._taken: dict[Key, Taken] = {}
        self._rests: dict[Key, float] = {}
        self.asked: list[Key] = []
        self.is_away = False
        self.seconds = 0.0  # that each answer takes

    async def take(self, wanted: Mapping[Key, Demand]) -> dict[Key, Share]:
        if self.is_away:
            raise DatabaseAway(Later.DATABASE_AWAY, reason="invented")
        self.asked += wanted
        shares = {}
        for key, one in wanted.items():
            rest = self._rests.get(key, 0) - self._time.present
            if rest > 0:
                shares[key] = Share(slots=0, seconds=rest, is_rest=True)
                continue
            at = round(self._time.present * 1_000_000)
            shares[key], self._taken[key] = share_out(one, self._taken.get(key, {}), at)
        await self._time.sleep(self.seconds)
        return shares

    async def rest(self, key: Key, period: timedelta) -> None:
        if self.is_away:
            raise DatabaseAway(Later.DATABASE_AWAY, reason="invented")
        self._rests[key] = self._time.present + period.total_seconds()

    async def succeed(self, old: Key, fresh: Key) -> None:
        self._taken[fresh] = self._taken[old]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def counts(time: FakeTime) -> Counts:
    return Counts(time)


@pytest.fixture
def both(time: FakeTime, counts: Counts) -> list[SharedLimiter]:
    return [SharedLimiter(counts, monotonic=time, sleep=time.sleep) for _ in range(2)]


async def test_nearly_a_hundred_requests_go_at_once_and_the_hundred_and_first_of_both_waits(
    both: list[SharedLimiter], time: FakeTime
) -> None:
    for number in range(84):
        await both[number % 2].turn(ADA)
    assert time.present == 0
    for number in range(17):
        await both[number % 2].turn(ADA)
    assert time.present >= 60


async def test_together_they_never_send_more_than_a_hundred_in_a_minute(
    both: list[SharedLimiter], time: FakeTime
) -> None:
    times: list[float] = []

    async def send(limiter: SharedLimiter) -> None:
        for number in range(130):
            await limiter.turn(ADA)
            times.append(time.present)
            await time.sleep(0.1 * (number % 7))

    await asyncio.gather(*(send(one) for one in both))
    assert most_within(sorted(times), TOKEN_SECONDS) <= 100


async def test_all_tokens_together_send_at_most_a_hundred_in_two_seconds(
    both: list[SharedLimiter], time: FakeTime
) -> None:
    times = []
    for number in range(350):
        await both[number % 2].turn(Secret(f"patron {number}"))
        times.append(time.present)
    assert most_within(times, CLIENT_SECONDS) <= 100
    assert time.present < 11


async def test_a_request_without_token_counts_for_all_only(both: list[SharedLimiter], time: FakeTime) -> None:
    for _ in range(300):
        await both[0].turn(TOKEN_PATH)
    assert time.present < 9


async def test_many_slots_are_taken_with_few_questions_and_few_slots_one_by_one(
    both: list[SharedLimiter], counts: Counts, time: FakeTime
) -> None:
    for _ in range(60):
        await both[0].turn(ADA)
    assert len([key for key in counts.asked if key == ADA]) < 20
    counts.asked.clear()
    for _ in range(9):
        await time.sleep(10)
        await both[0].turn(ADA)
    assert len([key for key in counts.asked if key == ADA]) == 9
    assert (await counts.take({ADA: Demand(limit=OF_TOKEN, slots=99)}))[ADA].slots >= 90


async def test_those_who_wait_for_the_first_answer_ask_together(
    both: list[SharedLimiter], counts: Counts, time: FakeTime
) -> None:
    await asyncio.gather(*(both[0].turn(ADA) for _ in range(10)))
    assert counts.asked == ["client", ADA] * 2
    assert time.present == 0


async def test_slots_are_thrown_away_with_the_end_of_their_slice(
    both: list[SharedLimiter], counts: Counts, time: FakeTime
) -> None:
    for _ in range(5):
        await both[0].turn(ADA)
    counts.asked.clear()
    time.present += 2 * OF_TOKEN.slice_microseconds / 1_000_000
    await both[0].turn(ADA)
    assert ADA in counts.asked


async def test_an_answer_that_came_late_is_used_all_the_same(both: list[SharedLimiter], counts: Counts) -> None:
    counts.seconds = 6.0
    await both[0].turn(ADA)
    assert counts.asked == ["client", ADA]


async def test_a_rest_of_one_is_one_of_all(both: list[SharedLimiter], counts: Counts, time: FakeTime) -> None:
    await both[0].rest(ADA, 30)
    for limiter in both:
        with pytest.raises(PatreonThrottled) as refused:
            await limiter.turn(ADA)
        assert refused.value.retry_after_seconds == 30
        await limiter.turn(BO)
    time.present = 21
    await both[1].turn(ADA)
    assert time.present == 30


async def test_whoever_has_slots_in_hand_hears_the_bell(both: list[SharedLimiter], counts: Counts) -> None:
    await asyncio.gather(*(both[1].turn(ADA) for _ in range(9)))
    for _ in range(5):
        await both[1].turn(ADA)
    assert both[1]._hands[ADA].slots
    await both[0].rest(ADA, 30)
    await both[1].turn(ADA)
    both[1].ring()
    with pytest.raises(PatreonThrottled):
        await both[1].turn(ADA)


async def test_while_the_database_is_away_nothing_is_sent_and_a_rest_is_kept(
    both: list[SharedLimiter], counts: Counts
) -> None:
    counts.is_away = True
    with pytest.raises(DatabaseAway):
        await both[0].turn(ADA)
    await both[0].rest(ADA, 30)
    counts.is_away = False
    with pytest.raises(PatreonThrottled):
        await both[0].turn(ADA)
    await both[1].turn(ADA)


async def test_a_token_that_took_another_s_place_goes_on_with_its_rest_and_its_count(
    both: list[SharedLimiter], counts: Counts, time: FakeTime
) -> None:
    for _ in range(100):
        await both[0].turn(ADA)
    await both[0].succeed(ADA, ADA)
    await both[0].succeed(ADA, BO)
    await both[1].turn(BO)
    assert time.present >= 60
    counts.is_away = True
    await both[0].rest(BO, 30)
    await both[0].succeed(BO, Secret("third"))
    with pytest.raises(PatreonThrottled):
        await both[0].turn(Secret("third"))


# --- over real sockets, on one PostgreSQL


class Sleeper:
    """Sleeps short waits, and holds for ever whoever waits for long."""

    def __init__(self) -> None:
        self.held = 0
        self.moved = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        if seconds < 5:
            await asyncio.sleep(seconds)
            return
        self.held += 1
        self.moved.set()
        await asyncio.Event().wait()

    async def watch(self, work: Awaitable[Any]) -> None:
        try:
            await work
        finally:
            self.moved.set()


@pytest.fixture
async def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
async def processes(postgres: Postgres, emptied: str, sleeper: Sleeper) -> AsyncIterator[list[Http]]:
    url, vault = postgres.url(emptied), Vault((new_key(),))
    async with AsyncExitStack() as stack:
        opened: list[Http] = []
        for _ in range(2):
            storage = await (Storage.attach(url, vault) if opened else Storage.open(url, vault))
            stack.push_async_callback(storage.close)
            limiter = SharedLimiter(storage.paces, sleep=sleeper)
            opened.append(await stack.enter_async_context(Http(limiter=limiter, sleep=sleeper)))
        yield opened


@pytest.fixture
async def world(processes: list[Http]) -> AsyncIterator[World]:
    built = World(PatreonApi.V2, processes[0])
    await built.patreon.start()
    yield built
    await built.patreon.stop()


def identity(token: Secret) -> Request:
    return Request(call=PatreonCall.IDENTITY, method="GET", path="/api/oauth2/v2/identity", token=token)


async def test_two_processes_ask_patreon_no_more_than_it_allows_one(
    processes: list[Http], world: World, sleeper: Sleeper
) -> None:
    request = identity(world.creator_token)
    calls = [one.send(world.patreon.url, request) for one in processes for _ in range(70)]
    tasks = [asyncio.create_task(sleeper.watch(call)) for call in calls]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(task.done() for task in tasks) + sleeper.held < len(tasks):
            sleeper.moved.clear()
            await sleeper.moved.wait()
    assert {call.status for call in world.patreon.calls} == {200}
    assert 50 <= len(world.patreon.calls) <= 100, "slots that are in hand while a machine is busy may be lost"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_429_that_one_process_met_stops_the_other(
    processes: list[Http], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "RETRY_AFTER_SECONDS", 60)
    request = identity(world.creator_token)
    for one in processes:
        assert (await one.send(world.patreon.url, request)).status == 200
    world.fault("429", IDENTITY, times=1)
    assert (await processes[0].send(world.patreon.url, request)).status == 429
    for one in processes:
        with pytest.raises(PatreonThrottled):
            await one.send(world.patreon.url, request)
    assert len(world.patreon.calls) == 3
