"""How many sessions may be started, by day and by pace."""

import pytest

from sandbox.discord import identifies
from sandbox.discord.identifies import Identifies, Verdict

OK, SOON, NONE = Verdict.MAY_START, Verdict.TOO_SOON, Verdict.NONE_LEFT


class Time:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(identifies, "time", time)
    return time


@pytest.mark.parametrize(
    ("at_once", "shards", "verdicts"),
    [
        pytest.param(1, [0, 1, 0], [OK, SOON, SOON], id="one at a time, whatever shard"),
        pytest.param(2, [0, 1, 2, 3], [OK, OK, SOON, SOON], id="one for each of two keys"),
        pytest.param(16, list(range(16)), [OK] * 16, id="sixteen at once"),
        pytest.param(1, [None, None, 0], [OK, OK, OK], id="who names no shard is not paced"),
    ],
)
@pytest.mark.usefixtures("time")
def test_one_for_each_key_starts_at_once(at_once: int, shards: list[int | None], verdicts: list[Verdict]) -> None:
    allowed = Identifies()
    allowed.max_concurrency = at_once
    assert [allowed.take(shard) for shard in shards] == verdicts


def test_five_seconds_after_the_last_that_started_comes_the_next(time: Time) -> None:
    allowed = Identifies()
    verdicts = []
    for seconds in (0, 3, 1.9, 0.1, 4.9, 0.1):
        time.now += seconds
        verdicts.append(allowed.take(0))
    assert verdicts == [OK, SOON, SOON, OK, SOON, OK]


def test_a_day_has_so_many(time: Time) -> None:
    allowed = Identifies()
    allowed.total = 2
    assert [allowed.take(None), allowed.take(None), allowed.left] == [OK, OK, 0]
    time.now += 3600
    assert allowed.reset_after_seconds == 23 * 3600
    assert allowed.take(None) is NONE
    time.now += 23 * 3600
    assert (allowed.left, allowed.take(None), allowed.left) == (2, OK, 1)
