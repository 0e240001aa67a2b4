"""How many rows are asked for next, and what is kept of that; what it costs is in test_page_sizes.py."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.model import PageSize
from bot.patreon.protocol import requests_v1, requests_v2
from bot.patreon.protocol.sizes import HOLDS, PageSizes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIZES = (1000, 500, 200, 100)


def kept(hours: float, rows: int = 200) -> PageSize:
    return PageSize(rows=rows, blamed_at=NOW - timedelta(hours=hours))


def test_a_read_begins_with_the_largest_size_and_knows_the_smallest() -> None:
    sizes = PageSizes(SIZES, now=NOW)
    assert (sizes.rows, sizes.smallest, sizes.is_on_trial) == (1000, 100, False)


def test_both_versions_ask_for_the_largest_first() -> None:
    for sizes in (requests_v1.PAGE_SIZES, requests_v2.PAGE_SIZES):
        assert list(sizes) == sorted(sizes, reverse=True)


def test_a_size_that_is_blamed_gives_way_to_the_next_smaller_one_which_is_on_trial_until_it_is_answered() -> None:
    sizes = PageSizes(SIZES, now=NOW)
    sizes.step_down()
    assert (sizes.rows, sizes.is_on_trial) == (500, True)
    sizes.step_down()
    assert (sizes.rows, sizes.is_on_trial) == (200, True)
    sizes.note_answer()
    assert (sizes.rows, sizes.is_on_trial) == (200, False)


def test_an_answer_of_this_size_needs_no_page_of_the_smallest() -> None:
    sizes = PageSizes(SIZES, now=NOW)
    sizes.smallest_answer = b"{}"
    sizes.note_answer()
    assert not sizes.smallest_answer


@pytest.mark.parametrize(("hours", "begins"), [(0, 200), (23.9, 200), (24, 1000)])
def test_what_is_kept_holds_for_a_day(hours: float, begins: int) -> None:
    assert PageSizes(SIZES, kept(hours), now=NOW).rows == begins
    assert timedelta(hours=24) == HOLDS


def test_a_kept_size_of_another_version_is_not_asked_for() -> None:
    assert PageSizes((100, 50, 20, 10), kept(1), now=NOW).rows == 100


@pytest.mark.parametrize("hours", [1, 25])
def test_what_is_kept_stays_while_nothing_is_answered(hours: float) -> None:
    assert PageSizes(SIZES, kept(hours), now=NOW).found() == kept(hours)


def test_what_is_kept_stays_while_it_holds() -> None:
    sizes = PageSizes(SIZES, kept(1), now=NOW)
    sizes.note_answer()
    assert sizes.found() == kept(1)


def test_what_is_kept_goes_once_the_largest_works_again() -> None:
    sizes = PageSizes(SIZES, kept(24), now=NOW)
    sizes.note_answer()
    assert sizes.found() is None


def test_the_newest_step_is_kept_once_it_is_answered() -> None:
    sizes = PageSizes(SIZES, kept(24), now=NOW)
    sizes.step_down()
    assert sizes.found() == kept(24)
    sizes.note_answer()
    assert sizes.found() == PageSize(rows=500, blamed_at=NOW)
