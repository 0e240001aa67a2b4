"""When a reading that says the same is news by now."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.model import Membership
from bot.domain.new_reading import take_reading
from bot.sync.reading.fingerprints import KnownReadings
from tests.fakes.world import NEW_YEAR, reading

PATRON = reading().patreon_user_id


def looks(*readings: Membership) -> tuple[KnownReadings, list[float]]:
    """Return after how many days from NEW_YEAR a second look is due."""
    record = None
    for one in readings:
        record = take_reading(record, one)
    assert record is not None
    known = KnownReadings()
    known.note([record])
    hours = range(30 * 24)
    due = [hour for hour in hours if PATRON in known.second_looks(NEW_YEAR + timedelta(hours=hour))]
    return known, [due[0] / 24] if due else []


def on(day: float, **facts: Any) -> Membership:
    return reading(at=NEW_YEAR + timedelta(days=day), **facts)


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        pytest.param([on(0)], [], id="nothing blank"),
        pytest.param([on(0), on(1, tiers=())], [4], id="tiers and money blank"),
        pytest.param([on(0), on(1, tiers=(), entitled_cents=1000)], [4], id="tiers blank"),
        pytest.param([on(0), on(1, entitled_cents=0)], [4], id="money blank"),
        pytest.param([on(0), on(1, tiers=()), on(4, tiers=())], [], id="looked at again"),
        pytest.param([on(0, entitled_cents=0), on(9, tiers=())], [12], id="a whole discount, then blank"),
        pytest.param([on(0), on(1, tiers=("Free",)), on(2, tiers=())], [4], id="blank, then more so"),
    ],
)
def test_a_blank_is_looked_at_again_three_days_after_it_began(
    chapters: list[Membership], expected: list[float]
) -> None:
    assert looks(*chapters)[1] == expected
