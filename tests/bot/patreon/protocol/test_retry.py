"""The table of `retry.py`, row by row."""

import pytest

from bot.domain.errors import (
    CredentialsDead,
    PatreonCode,
    PatreonRefused,
    PatreonThrottled,
    PatreonUnavailable,
    PledgekeeperError,
)
from bot.patreon.protocol.exchange import PatreonAway, PatreonTimedOut, PatreonUnreached
from bot.patreon.protocol.retry import MAX_TRIES, decide


def throttled(seconds: float) -> PatreonThrottled:
    return PatreonThrottled(PatreonCode.THROTTLED, retry_after_seconds=seconds)


def away(seconds: float) -> PatreonAway:
    return PatreonAway(PatreonCode.UNUSABLE, retry_after_seconds=seconds)


@pytest.mark.parametrize(
    ("error", "attempt", "is_repeatable", "waits"),
    [
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), MAX_TRIES, True, None, id="the last try"),
        pytest.param(throttled(2), MAX_TRIES, True, None, id="the last try, throttled"),
        pytest.param(throttled(2), 1, True, 2, id="throttled, short"),
        pytest.param(throttled(0), 1, True, 0, id="throttled, for no time"),
        pytest.param(throttled(9), 1, True, 9, id="throttled, nine seconds as Patreon documents it"),
        pytest.param(throttled(9.5), 1, True, None, id="throttled, long"),
        pytest.param(throttled(2), 1, False, None, id="throttled, a POST"),
        pytest.param(away(3), 1, True, 3, id="away, short"),
        pytest.param(away(9.5), 1, True, None, id="away, long"),
        pytest.param(away(3), 1, False, None, id="away, a POST"),
        pytest.param(PatreonUnreached(PatreonCode.UNREACHED), 1, True, 0.5, id="unreached"),
        pytest.param(PatreonUnreached(PatreonCode.UNREACHED), 2, False, 1, id="unreached, a POST"),
        pytest.param(PatreonTimedOut(PatreonCode.TIMED_OUT), 1, True, 0.5, id="timed out"),
        pytest.param(PatreonTimedOut(PatreonCode.TIMED_OUT), 2, True, None, id="timed out twice"),
        pytest.param(PatreonTimedOut(PatreonCode.TIMED_OUT), 1, False, None, id="timed out, a POST"),
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), 1, True, 0.5, id="unavailable, first"),
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), 2, True, 1, id="unavailable, second"),
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), 3, True, 2, id="unavailable, third"),
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), 1, False, None, id="unavailable, a POST"),
        pytest.param(CredentialsDead(PatreonCode.TOKEN_REFUSED), 1, True, None, id="dead credentials"),
        pytest.param(PatreonRefused(PatreonCode.REFUSED, status=403), 1, True, None, id="refused"),
    ],
)
def test_after_a_failure(error: PledgekeeperError, attempt: int, waits: float | None, *, is_repeatable: bool) -> None:
    decision = decide(error, attempt=attempt, is_repeatable=is_repeatable, chance=0)
    assert decision.wait_seconds == waits


@pytest.mark.parametrize("error", [PatreonUnavailable(PatreonCode.UNUSABLE), throttled(9.4), throttled(0)])
@pytest.mark.parametrize("attempt", range(1, 100, 7))
@pytest.mark.parametrize("chance", [0, 0.5, 0.999])
def test_no_wait_reaches_ten_seconds(error: PledgekeeperError, attempt: int, chance: float) -> None:
    waits = decide(error, attempt=attempt, is_repeatable=True, chance=chance).wait_seconds
    assert waits is None or 0 <= waits < 10


def test_chance_spreads_the_waits() -> None:
    waits = [
        decide(PatreonUnavailable(PatreonCode.UNUSABLE), attempt=1, is_repeatable=True, chance=c).wait_seconds
        for c in (0, 0.9)
    ]
    assert waits == [0.5, pytest.approx(0.6125)]


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), None, id="unavailable"),
        pytest.param(PatreonTimedOut(PatreonCode.TIMED_OUT), None, id="timed out"),
        pytest.param(PatreonUnreached(PatreonCode.UNREACHED), 0.5, id="unreached"),
        pytest.param(throttled(2), 2, id="throttled"),
        pytest.param(away(2), 2, id="away"),
    ],
)
def test_a_heavy_request_is_made_again_only_where_its_size_is_not_to_blame(
    error: PledgekeeperError, waits: float | None
) -> None:
    assert decide(error, attempt=1, is_repeatable=True, chance=0, is_heavy=True).wait_seconds == waits
