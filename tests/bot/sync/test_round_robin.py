"""Everybody's turn comes, and comes in time."""

from datetime import timedelta

import pytest

from bot.sync.round_robin import RoundRobin
from tests.fakes.world import NEW_YEAR

TEN = timedelta(minutes=10)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_at_first_everybodys_turn_has_come() -> None:
    assert RoundRobin[int](TEN).take([1, 2, 3], NEW_YEAR) == [1, 2, 3]
    assert RoundRobin[int](TEN, begun_at=NEW_YEAR).take([1, 2, 3], NEW_YEAR) == []


@pytest.mark.parametrize("step", [0.01, 0.3, 1, 3, 7, 10, 25], ids=str)
@pytest.mark.parametrize(("size", "portion"), [(1, 1), (7, 1), (100, 1), (250, 100), (40, 100)], ids=str)
def test_everybodys_turn_comes_once_in_each_period(step: float, size: int, portion: int) -> None:
    everyone = list(range(size))
    round_robin = RoundRobin[int](TEN, portion=portion)
    seen = dict.fromkeys(round_robin.take(everyone, NEW_YEAR), 0.0)
    turns, at = 0, 0.0
    while at < 60:
        at += step
        for one in round_robin.take(everyone, NEW_YEAR + minutes(at)):
            assert at - seen[one] <= 10 + step + 0.001
            seen[one], turns = at, turns + 1
    assert turns <= size * (60 / max(10, step) + 1)


def test_a_portion_is_waited_for() -> None:
    round_robin = RoundRobin[int](TEN, portion=100, begun_at=NEW_YEAR)
    everyone = list(range(400))
    taken = [len(round_robin.take(everyone, NEW_YEAR + minutes(at))) for at in range(1, 11)]
    assert taken == [0, 0, 100, 0, 100, 0, 0, 100, 0, 100]


def test_who_comes_and_goes_meanwhile_moves_nobody_elses_turn() -> None:
    round_robin = RoundRobin[str](TEN, begun_at=NEW_YEAR)
    assert round_robin.take(["b", "d", "f", "h"], NEW_YEAR + minutes(5)) == ["b", "d"]
    assert round_robin.take(["a", "b", "c", "f", "h"], NEW_YEAR + minutes(9.1)) == ["f", "h"]
    assert round_robin.take([], NEW_YEAR + minutes(12)) == []


def test_a_clock_that_leaps_or_is_set_back_lets_everybodys_turn_come() -> None:
    round_robin = RoundRobin[int](TEN, begun_at=NEW_YEAR)
    assert round_robin.take([1, 2], NEW_YEAR + minutes(90)) == [1, 2]
    assert round_robin.take([1, 2], NEW_YEAR) == [1, 2]


def test_no_period_at_all_is_everybody_each_time() -> None:
    round_robin = RoundRobin[int](timedelta(), begun_at=NEW_YEAR)
    assert round_robin.take([1, 2], NEW_YEAR) == [1, 2]
