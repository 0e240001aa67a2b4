"""A page of which something is known is read exactly as if nothing was, and what is known is not read."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import PatreonUnreadable
from bot.domain.listed_row import ListedRow, in_short
from bot.domain.model import CampaignId
from bot.patreon.protocol.documents_v2 import read_page
from bot.patreon.protocol.pages import PageAnswer, PagePlace
from bot.patreon.protocol.unchanged import IncludedPart, KnownPages, LazyReadings
from tests.fakes.world import reading

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parents[3] / "samples" / "patreon"
CASES = sorted(path.name for path in SAMPLES.glob("v2_members_*") if path.name != "v2_members_without_list")
NUL, HALF = "Ada \x00", "\ud83d"

Document = dict[str, Any]


def document_of(case: str = "v2_members_first_page") -> Document:
    document: Document = json.loads((SAMPLES / case / "body").read_bytes())
    return document


def read(document: Document, known: KnownPages | None, *, days: int = 0) -> PageAnswer:
    place = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED + timedelta(days=days), known=known)
    return read_page(json.dumps(document).encode(), place)


def told(answer: PageAnswer) -> object:
    page = answer.page
    return (
        [*page.memberships],
        [facts(row) for row in page.listed],
        (page.tiers, page.total, page.row_ids, page.unattributed, page.rows, answer.cursor),
    )


def facts(row: ListedRow) -> object:
    """Return what a row says, with whatever its fingerprint is once it is asked for."""
    return {name: getattr(row, name) for name in row.__struct_fields__ if name != "fingerprint"}


def read_either_way(document: Document, known: KnownPages, *, days: int = 0) -> object:
    """Return what a page says, or the code of its error; what is known makes no difference to it."""
    results: list[object] = []
    for memory in (None, known):
        try:
            results.append(told(read(document, memory, days=days)))
        except PatreonUnreadable as error:
            results.append(error.code)
    assert results[0] == results[1]
    return results[0]


def rows_used(document: Document, known: KnownPages, *, days: int = 0) -> list[bool]:
    """Tell of each row whether what is known of it was taken for it."""
    before = list(known.rows.values())
    return [any(row is one for one in before) for row in read(document, known, days=days).page.listed]


@pytest.mark.parametrize("case", CASES)
def test_every_recorded_page_reads_the_same_the_first_time_and_again(case: str) -> None:
    known = KnownPages()
    for days in (0, 1):
        read_either_way(document_of(case), known, days=days)


def test_a_row_whose_bytes_are_as_they_were_is_not_read_again() -> None:
    known = KnownPages()
    document = document_of()
    assert rows_used(document, known) == [False, False]
    assert rows_used(document, known, days=1) == [True, True]


def set_account(document: Document) -> None:
    (user,) = [one for one in document["included"] if one["type"] == "user" and one["id"] == "9002"]
    user["attributes"]["social_connections"] = {"discord": {"user_id": "200000000000000077"}}


def lose_users(document: Document) -> None:
    document["included"] = [one for one in document["included"] if one["type"] != "user"]


CHANGES: dict[str, tuple[Callable[[Document], Any], list[bool]]] = {
    "another order of rows": (lambda page: page["data"].reverse(), [True, True]),
    "another order of users": (lambda page: page["included"].reverse(), [True, True]),
    "another title of a tier": (lambda page: page["included"][0]["attributes"].update(title="New"), [True, True]),
    "another total": (lambda page: page["meta"]["pagination"].update(total=5), [True, True]),
    "another name": (lambda page: page["data"][1]["attributes"].update(full_name="Eve"), [True, False]),
    "another account": (set_account, [True, False]),
    "no users beside the rows": (lose_users, [False, True]),
    "a row twice": (lambda page: page["data"].append(page["data"][0]), [True, True, True]),
    "a row less": (lambda page: page["data"].pop(), [True]),
    "a row of nobody": (lambda page: page["data"][0]["relationships"].pop("user"), [True]),
    "a row without its id": (lambda page: page["data"][1].pop("id"), [True]),
    "a value to mend": (lambda page: page["data"][1]["attributes"].update(is_gifted="?"), [False, False]),
    "a damaged name": (lambda page: page["data"][1]["attributes"].update(full_name=NUL), [False, False]),
    "half a sign": (lambda page: page["data"][1]["attributes"].update(full_name=HALF), [False, False]),
    "a damaged title": (lambda page: page["included"][0]["attributes"].update(title=NUL), [False, False]),
    "a damaged cursor": (lambda page: page["meta"]["pagination"]["cursors"].update(next=NUL), [False, False]),
    "a damaged link": (lambda page: page.update(links={"next": f"?page[cursor]={NUL}"}), [False, False]),
    "nothing beside the rows": (lambda page: page.pop("included"), [False, True]),
    "something else beside the rows": (lambda page: page.update(included=5), [False, False]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_seen_and_what_did_not_is_not_read(change: str) -> None:
    spoiler, expected = CHANGES[change]
    known = KnownPages()
    document = document_of()
    read(document, known)
    spoiler(document)
    assert rows_used(document, known, days=1) == expected
    known = KnownPages()
    read(document_of(), known)
    read_either_way(document, known, days=1)


def test_a_page_without_a_list_is_refused_as_ever() -> None:
    assert read_either_way(document_of("v2_members_without_list"), KnownPages()) == "part_missing"


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("pledge_relationship_start", "2036-11-25T12:00:00+00:00"),
        ("last_charge_date", "2036-11-25T12:00:00+00:00"),
        ("next_charge_date", "2037-01-01T00:00:00+00:00"),
    ],
)
def test_a_date_that_is_no_fact_yet_is_one_in_time(name: str, date: str) -> None:
    known = KnownPages()
    document = document_of()
    document["data"][0]["attributes"][name] = date
    assert rows_used(document, known) == [False, False]
    assert rows_used(document, known, days=4000) == [False, True], "it is read until it is a fact"
    assert rows_used(document, known, days=4001) == [True, True]
    read_either_way(document, known, days=4002)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = put(document[path[0]], path[1:], value)
    return copy


VALUES = st.sampled_from(
    (
        *(None, {}, [], [None], True, 5, -1, 10**30, 2.5, "", "?", NUL, HALF, "x" * 2000, "user", "9001", "9002"),
        *("active_patron", "former_patron", "2036-11-25T12:00:00Z", "1970-01-01T00:00:00Z", "200000000000000077"),
        {"discord": {"user_id": "200000000000000077"}},
    )
)


@settings(max_examples=150, deadline=None)
@given(draw=st.data())
def test_pages_that_follow_each_other_read_the_same_whatever_is_known(draw: st.DataObject) -> None:
    """Each page is the one before with some values set, rows or neighbours moved, dropped or doubled."""
    document = document_of(draw.draw(st.sampled_from(CASES)))
    known = KnownPages()
    for days in range(0, 1200, 400):
        for _ in range(draw.draw(st.integers(0, 3))):
            inner = [path for path in places(document) if path]
            document = put(document, draw.draw(st.sampled_from(inner)), draw.draw(VALUES)) if inner else document
            for name in ("data", "included"):
                part = document.get(name)
                if isinstance(part, list) and part and draw.draw(st.booleans()):
                    document = {**document, name: draw.draw(st.lists(st.sampled_from(part), max_size=len(part) + 1))}
        read_either_way(document, known, days=days)


# --- what is kept -----------------------------------------------------------------------------------------------


def filled(*, rows: int, pages: int) -> KnownPages:
    known = KnownPages()
    known.rows = dict.fromkeys(range(rows), in_short(reading("ada")))
    known.included = dict.fromkeys(range(pages), IncludedPart(accounts={}, tiers=()))
    return known


@pytest.mark.parametrize(
    ("rows", "pages", "kept"),
    [
        pytest.param(100, 4, (100, 4), id="all of it is of the list"),
        pytest.param(125, 5, (125, 5), id="a quarter has changed since"),
        pytest.param(126, 5, (0, 5), id="more rows than that"),
        pytest.param(125, 6, (125, 0), id="more pages than that"),
    ],
)
def test_what_is_no_more_is_forgotten_in_time(rows: int, pages: int, kept: tuple[int, int]) -> None:
    known = filled(rows=rows, pages=pages)
    known.forget_stale(rows=100, pages=4)
    assert (len(known.rows), len(known.included)) == kept


def test_all_may_be_forgotten() -> None:
    known = filled(rows=2, pages=1)
    known.forget()
    assert (known.rows, known.included) == ({}, {})


def test_a_reading_is_made_when_it_is_asked_for() -> None:
    asked: list[int] = []
    three = [reading(name) for name in ("ada", "ben", "cyd")]

    def make(at: int) -> Any:
        asked.append(at)
        return three[at]

    readings = LazyReadings([in_short(one) for one in three], make)
    assert (len(readings), asked) == (3, [])
    assert (readings[-1], asked) == (three[2], [2])
    assert (readings[:2], asked) == (three[:2], [2, 0, 1])
    assert list(readings) == three
    with pytest.raises(IndexError):
        readings[3]
