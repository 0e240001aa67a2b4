"""The limits of Patreon's documentation are kept on our side."""

import asyncio
from collections import deque

import pytest

from bot.domain.errors import PatreonThrottled
from bot.domain.model import Secret
from bot.patreon.limiter import CLIENT_SECONDS, TOKEN_LIMIT, TOKEN_SECONDS, Limiter

ADA, BO = Secret("ada"), Secret("bo")


class FakeTime:
    """A monotonic time that sleeping moves, and that lets others act meanwhile."""

    def __init__(self) -> None:
        self.present = 0.0

    def __call__(self) -> float:
        return self.present

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.present += seconds


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def limiter(time: FakeTime) -> Limiter:
    return Limiter(monotonic=time, sleep=time.sleep)


def most_within(times: list[float], seconds: float) -> int:
    window: deque[float] = deque()
    most = 0
    for moment in times:
        window.append(moment)
        while window[0] <= moment - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


async def test_a_hundred_requests_go_at_once_and_the_next_waits(limiter: Limiter, time: FakeTime) -> None:
    for _ in range(100):
        await limiter.turn(ADA)
    assert time.present == 0
    await limiter.turn(ADA)
    assert time.present >= 60


async def test_one_token_never_sends_more_than_a_hundred_in_a_minute(limiter: Limiter, time: FakeTime) -> None:
    times = []
    for number in range(350):
        await limiter.turn(ADA)
        times.append(time.present)
        time.present += 0.1 * (number % 7)
    assert most_within(times, 60) == 100


async def test_all_tokens_together_send_at_most_a_hundred_in_two_seconds(limiter: Limiter, time: FakeTime) -> None:
    times = []
    for number in range(350):
        await limiter.turn(Secret(f"patron {number}"))
        times.append(time.present)
    assert most_within(times, 2) == 100
    assert time.present < 8


async def test_a_request_without_token_counts_for_all_only(limiter: Limiter, time: FakeTime) -> None:
    for _ in range(300):
        await limiter.turn("/api/oauth2/token")
    assert time.present < 6


async def test_one_busy_token_does_not_keep_another_waiting(limiter: Limiter, time: FakeTime) -> None:
    for _ in range(100):
        await limiter.turn(ADA)
    time.present = 3
    await limiter.turn(BO)
    assert time.present == 3


async def test_those_who_wait_together_keep_the_limit(limiter: Limiter, time: FakeTime) -> None:
    times: list[float] = []

    async def call() -> None:
        await limiter.turn(ADA)
        times.append(time.present)

    await asyncio.gather(*(call() for _ in range(230)))
    assert most_within(sorted(times), 60) == 100


async def test_tokens_of_long_ago_are_forgotten(limiter: Limiter, time: FakeTime) -> None:
    for number in range(50):
        await limiter.turn(Secret(f"patron {number}"))
        time.present += 61
    assert len(limiter._tokens) <= 2


async def test_a_token_that_rests_for_long_is_refused_at_once(limiter: Limiter, time: FakeTime) -> None:
    await limiter.rest(ADA, 30)
    time.present = 10
    with pytest.raises(PatreonThrottled) as refused:
        await limiter.turn(ADA)
    assert (refused.value.retry_after_seconds, time.present) == (20, 10)


async def test_the_end_of_a_rest_is_waited_for(limiter: Limiter, time: FakeTime) -> None:
    await limiter.rest(ADA, 30)
    time.present = 21
    await limiter.turn(ADA)
    assert time.present == 30


async def test_a_rest_is_not_cut_short_by_a_shorter_one(limiter: Limiter, time: FakeTime) -> None:
    await limiter.rest(ADA, 30)
    await limiter.rest(ADA, 2)
    time.present = 5
    with pytest.raises(PatreonThrottled):
        await limiter.turn(ADA)


async def test_while_one_token_rests_another_goes_on(limiter: Limiter, time: FakeTime) -> None:
    await limiter.rest(ADA, 30)
    await limiter.turn(BO)
    await limiter.turn("/api/oauth2/token")
    assert time.present == 0


async def test_rests_of_long_ago_are_forgotten(limiter: Limiter, time: FakeTime) -> None:
    for number in range(50):
        await limiter.rest(Secret(f"patron {number}"), 60)
        time.present += 61
    assert len(limiter._rests) == 1


async def test_a_token_that_took_another_s_place_goes_on_with_its_rest_and_its_count(
    limiter: Limiter, time: FakeTime
) -> None:
    for _ in range(TOKEN_LIMIT):
        await limiter.turn(ADA)
    at = time.present
    await limiter.succeed(ADA, BO)
    await limiter.turn(BO)
    assert time.present > at + TOKEN_SECONDS - CLIENT_SECONDS
    await limiter.rest(BO, 30)
    await limiter.succeed(BO, BO)
    await limiter.succeed(BO, Secret("third"))
    with pytest.raises(PatreonThrottled):
        await limiter.turn(Secret("third"))
    await limiter.succeed(Secret("never used"), Secret("fourth"))
    await limiter.turn(Secret("fourth"))
