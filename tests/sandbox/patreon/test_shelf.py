from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.patreon.shelf import Shelf

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=60))
def test_things_stand_in_the_order_of_their_keys(puts: list[tuple[int, int]]) -> None:
    shelf: Shelf[str] = Shelf()
    last = {}
    for hour, name in puts:
        shelf.put(str(name), (at(hour), str(name)), f"thing {name}")
        last[str(name)] = (at(hour), str(name))
    assert list(shelf) == [f"thing {name}" for _, name in sorted(last.values())]


def test_a_moved_thing_stands_once() -> None:
    shelf: Shelf[str] = Shelf()
    shelf.put("a", (at(1), "a"), "a")
    shelf.put("b", (at(2), "b"), "b")
    shelf.put("a", (at(3), "a"), "a")
    assert list(shelf) == ["b", "a"]


def test_removing_what_is_not_there_is_no_error() -> None:
    Shelf[str]().remove("nobody")


@pytest.mark.parametrize(("hour", "place"), [(0, 0), (1, 0), (2, 1), (9, 2)])
def test_the_place_from_a_moment_counts_what_is_older(hour: int, place: int) -> None:
    shelf: Shelf[str] = Shelf()
    shelf.put("a", (at(1), "a"), "a")
    shelf.put("b", (at(2), "b"), "b")
    assert shelf.place_from(at(hour)) == place


def test_a_slice_goes_no_further_than_the_end() -> None:
    shelf: Shelf[str] = Shelf()
    shelf.put("a", (at(1), "a"), "a")
    assert shelf.slice(0, 10) == ["a"]
    assert shelf.slice(1, 10) == []
    assert shelf.place_after(shelf.key_at(0)) == 1
