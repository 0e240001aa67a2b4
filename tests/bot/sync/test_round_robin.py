"""Everybody's turn comes, and comes in time."""

from datetime import timedelta

import pytest

from bot.sync.round_robin import Circle
from tests.fakes.world import NEW_YEAR

TEN = timedelta(minutes=10)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_at_first_everybodys_turn_has_come() -> None:
    assert Circle[int](TEN).take([1, 2, 3], NEW_YEAR) == [1, 2, 3]
    assert Circle[int](TEN, begun_at=NEW_YEAR).take([1, 2, 3], NEW_YEAR) == []


@pytest.mark.parametrize("step", [0.01, 0.3, 1, 3, 7, 10, 25], ids=str)
@pytest.mark.parametrize(("size", "portion"), [(1, 1), (7, 1), (100, 1), (250, 100), (40, 100)], ids=str)
def test_everybodys_turn_comes_once_in_each_period(step: float, size: int, portion: int) -> None:
    everyone = list(range(size))
    circle = Circle[int](TEN, portion=portion)
    seen = dict.fromkeys(circle.take(everyone, NEW_YEAR), 0.0)
    turns, at = 0, 0.0
    while at < 60:
        at += step
        for one in circle.take(everyone, NEW_YEAR + minutes(at)):
            assert at - seen[one] <= 10 + step + 0.001
            seen[one], turns = at, turns + 1
    assert turns <= size * (60 / max(10, step) + 1)


def test_a_portion_is_waited_for() -> None:
    circle = Circle[int](TEN, portion=100, begun_at=NEW_YEAR)
    everyone = list(range(400))
    taken = [len(circle.take(everyone, NEW_YEAR + minutes(at))) for at in range(1, 11)]
    assert taken == [0, 0, 100, 0, 100, 0, 0, 100, 0, 100]


def test_who_comes_and_goes_meanwhile_moves_nobody_elses_turn() -> None:
    circle = Circle[str](TEN, begun_at=NEW_YEAR)
    assert circle.take(["b", "d", "f", "h"], NEW_YEAR + minutes(5)) == ["b", "d"]
    assert circle.take(["a", "b", "c", "f", "h"], NEW_YEAR + minutes(9.1)) == ["f", "h"]
    assert circle.take([], NEW_YEAR + minutes(12)) == []


def test_a_clock_that_leaps_or_is_set_back_lets_everybodys_turn_come() -> None:
    circle = Circle[int](TEN, begun_at=NEW_YEAR)
    assert circle.take([1, 2], NEW_YEAR + minutes(90)) == [1, 2]
    assert circle.take([1, 2], NEW_YEAR) == [1, 2]


def test_no_period_at_all_is_everybody_each_time() -> None:
    circle = Circle[int](timedelta(), begun_at=NEW_YEAR)
    assert circle.take([1, 2], NEW_YEAR) == [1, 2]
