"""The bench's table says what was seen, and what nobody waited for."""

import math

import pytest

from bench.table import Row, show


def test_what_was_not_waited_for_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row(promise="a round", seen=math.inf, limit=2, unit="s"), Row(promise="a look", seen=1.25, limit=2)]
    show(rows, seconds=3, load=0.5)
    shown = capsys.readouterr().out.splitlines()
    (missed,) = [line for line in shown if "a round" in line]
    (kept,) = [line for line in shown if "a look" in line]
    assert "too long" in missed
    assert "MISS" in missed
    assert "1.25" in kept
    assert "pass" in kept
    assert [row.is_kept for row in rows] == [False, True]
