"""What strangers cause is told once a minute, with a count."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
import structlog

from bot.web import tally
from bot.web.tally import Tally


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute ends whenever the loop is idle."""
    monkeypatch.setattr(tally, "SECONDS", 0.0)


def told(logs: Sequence[Mapping[str, object]]) -> list[object]:
    return [line["count"] for line in logs]


async def test_the_first_is_told_at_once_and_the_rest_of_the_minute_is_not() -> None:
    warnings = Tally("somebody knocks")
    with structlog.testing.capture_logs() as logs:
        for _ in range(1000):
            warnings.note(why="no key")
    assert logs == [{"event": "somebody knocks", "log_level": "warning", "count": 1, "why": "no key"}]


@pytest.mark.usefixtures("minutes")
async def test_what_came_within_the_minute_is_told_at_its_end_with_the_last_facts() -> None:
    warnings = Tally("somebody knocks")
    with structlog.testing.capture_logs() as logs:
        for number in range(5):
            warnings.note(number=number)
        await minute()
        assert (told(logs), logs[-1]["number"]) == ([1, 4], 4)
        await minute()
    assert told(logs) == [1, 4]


@pytest.mark.usefixtures("minutes")
async def test_after_a_quiet_minute_the_next_is_told_at_once_again() -> None:
    warnings = Tally("somebody knocks")
    with structlog.testing.capture_logs() as logs:
        warnings.note()
        await minute()
        await minute()
        warnings.note()
    assert told(logs) == [1, 1]


async def minute() -> None:
    await asyncio.sleep(0.001)
