"""How growth is told from what a round cost with more and more servers."""

import math

import pytest

from bench.growth import Growth


@pytest.mark.parametrize(
    ("seconds", "growth"),
    [
        pytest.param({10: 0.2, 30: 0.6, 100: 2.0}, 1.0, id="linear"),
        pytest.param({10: 0.2, 30: 0.6}, math.inf, id="more was not waited for"),
        pytest.param({10: 0.2, 30: 1.8, 100: 20.0}, 10.0, id="quadratic"),
        pytest.param({}, math.inf, id="nothing was waited for"),
        pytest.param({10: 0.4, 30: 0.6, 100: 2.0}, 0.5, id="a start that costs"),
    ],
)
def test_growth_is_the_cost_of_a_server_among_many_beside_that_among_few(
    seconds: dict[int, float], growth: float
) -> None:
    assert Growth(seconds).growth == pytest.approx(growth)


def test_what_was_not_waited_for_is_said() -> None:
    assert str(Growth({10: 1.0, 30: 9.0})) == "1.00 s at 10, 9.00 s at 30, more was not waited for"
    assert str(Growth({10: 1.0, 30: 3.0, 100: 10.0})) == "1.00 s at 10, 3.00 s at 30, 10.00 s at 100"
