from typing import Any, cast

import pytest

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.steps import Extent, Stage, Step, choose_steps


def line(*stages: str) -> tuple[Step, ...]:
    return tuple(
        Step(number=f"{number:04}", name=f"{number:04}_x", stage=Stage(stage))
        for number, stage in enumerate(stages, start=1)
    )


@pytest.mark.parametrize(
    ("extent", "oldest_usable", "chosen"),
    [
        pytest.param(Extent.ALL, "0000", 5, id="all are all"),
        pytest.param(Extent.BEFORE, "0000", 2, id="before: those in front of the first after"),
        pytest.param(Extent.START, "0000", 2, id="a start that needs none brings those that an older version can bear"),
        pytest.param(Extent.START, "0001", 2, id="a start that needs one brings the others too"),
        pytest.param(Extent.START, "0003", 4, id="a start that needs an after brings it, and what follows"),
        pytest.param(Extent.START, "0005", 5, id="a start that needs all brings all"),
    ],
)
def test_of_two_before_an_after_a_before_and_an_after(extent: Extent, oldest_usable: str, chosen: int) -> None:
    missing = line("before", "before", "after", "before", "after")
    assert choose_steps(missing, extent, oldest_usable=oldest_usable) == missing[:chosen]


def test_after_is_the_rest_also_what_had_to_wait() -> None:
    missing = line("after", "before", "after")
    assert choose_steps(missing, Extent.AFTER, oldest_usable="0000") == missing


def test_after_is_refused_while_something_before_is_missing() -> None:
    with pytest.raises(NeedsOwner, match=Setup.STEPS_LEFT_OUT):
        choose_steps(line("before", "after"), Extent.AFTER, oldest_usable="0000")


@pytest.mark.parametrize("extent", Extent)
def test_nothing_is_left_to_do_where_nothing_is_missing(extent: Extent) -> None:
    assert choose_steps((), extent, oldest_usable="0009") == ()


def test_an_unknown_extent_is_an_error_not_a_default() -> None:
    with pytest.raises(AssertionError):
        choose_steps((), cast("Any", "some"), oldest_usable="0000")
