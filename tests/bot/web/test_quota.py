"""How many requests somebody has left."""

import pytest

from bot.web import quota
from bot.web.quota import Allowance, Quota


def test_so_many_within_a_minute_and_no_more() -> None:
    counted = Quota(2, 60.0)
    assert counted.take("ada", 120.5) == Allowance(left=1, reset_seconds=60, is_over=False)
    assert counted.take("ada", 130.0) == Allowance(left=0, reset_seconds=50, is_over=False)
    assert counted.take("ada", 179.9) == Allowance(left=0, reset_seconds=1, is_over=True)
    assert counted.take("bo", 179.9).left == 1, "what one takes is not another's"
    assert counted.take("ada", 180.0) == Allowance(left=1, reset_seconds=60, is_over=False)


def test_a_crowd_beyond_what_is_remembered_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "MOST_KEYS", 2)
    counted = Quota(1, 60.0)
    taken = [counted.take(name, 0.0).is_over for name in ("ada", "bo", "cy", "di", "ada")]
    assert taken == [False, False, False, True, True]
