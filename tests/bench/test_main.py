"""`make bench` as a whole: a measurement that comes to no end costs only itself."""

from unittest.mock import patch

import pytest

from bench.__main__ import MEASUREMENTS, measure
from bench.table import Row


async def too_slow() -> list[Row]:
    raise AssertionError("not within 120 s: the first round\nand the whole log")


async def fine() -> list[Row]:
    return [Row(promise="a promise", seen=1, limit=2)]


async def test_what_was_measured_is_shown_beside_what_could_not_be(capsys: pytest.CaptureFixture[str]) -> None:
    with patch.dict(MEASUREMENTS, {"slow": too_slow, "fine": fine}):
        assert await measure(["slow", "fine"]) == 1
        shown = capsys.readouterr().out
        assert "slow could be measured" in shown
        assert "not within 120 s: the first round" in shown
        assert "the whole log" not in shown
        assert "a promise" in shown
        assert await measure(["fine"]) == 0
