"""The table of `protocol/pages.py`: where a list ends, and which calls that costs."""

from datetime import UTC, datetime

import pytest

from bot.domain.errors import PatreonCode, PatreonUnavailable
from bot.domain.model import CampaignId
from bot.patreon import paging
from bot.patreon.paging import walk_pages
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace

FIRST = PagePlace(campaign_id=CampaignId("700"), read_started_at=datetime(2026, 11, 21, tzinfo=UTC))


class Listing:
    """A list of pages as (rows, total, cursor); asked beyond its end it repeats its last page."""

    def __init__(self, *told: tuple[str, int | None, str | None]) -> None:
        self.told = told
        self.places: list[PagePlace] = []

    async def fetch(self, place: PagePlace) -> PageAnswer:
        self.places.append(place)
        rows, total, cursor = self.told[min(place.number, len(self.told)) - 1]
        page = MembershipPage(number=place.number, memberships=(), total=total, row_ids=tuple(rows))
        return PageAnswer(page=page, cursor=cursor)

    async def walked(self) -> list[tuple[int, int, bool]]:
        return [(page.number, page.rows, page.is_last) async for page in walk_pages(FIRST, self.fetch)]


@pytest.mark.parametrize(
    ("told", "shown", "calls"),
    [
        pytest.param([("ab", 2, None)], [(1, 2, True)], 1, id="one page"),
        pytest.param([("", 0, None)], [(1, 0, True)], 1, id="nobody"),
        pytest.param([("", 5, "x"), ("ab", 5, None)], [(1, 0, False), (2, 2, True)], 2, id="an empty page first"),
        pytest.param([("ab", 3, "x"), ("c", 3, None)], [(1, 2, False), (2, 1, True)], 2, id="two pages"),
        pytest.param([("ab", 2, "x")], [(1, 2, True)], 2, id="an endless cursor on one page"),
        pytest.param([("ab", 3, "x"), ("c", 3, "y")], [(1, 2, False), (2, 1, True)], 3, id="an endless cursor on two"),
        pytest.param(
            [("ab", 2, "x"), ("cd", 2, "y"), ("e", 2, None)],
            [(1, 2, False), (2, 2, False), (3, 1, True)],
            3,
            id="a total that is too small ends nothing",
        ),
        pytest.param(
            [("ab", 9, "x"), ("ab", 9, "y"), ("cd", 9, None)],
            [(1, 2, False), (2, 2, True)],
            2,
            id="a page that comes twice is shown and ends the walk",
        ),
        pytest.param([("ab", None, "x")], [(1, 2, False), (2, 2, True)], 2, id="no total and an endless cursor"),
        pytest.param([("ab", 9, "x"), ("", 9, "y")], [(1, 2, False), (2, 0, True)], 2, id="an empty page later"),
    ],
)
async def test_a_list(
    told: list[tuple[str, int | None, str | None]], shown: list[tuple[int, int, bool]], calls: int
) -> None:
    served = Listing(*told)
    assert await served.walked() == shown
    assert len(served.places) == calls


async def test_each_page_is_asked_with_the_cursor_and_the_rows_so_far() -> None:
    served = Listing(("ab", 3, "x"), ("c", 3, None))
    await served.walked()
    first, second = served.places
    assert first == FIRST
    assert (second.number, second.cursor, second.seen) == (2, "x", frozenset("ab"))
    assert second.read_started_at == first.read_started_at


async def test_new_rows_for_ever_end_at_the_page_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    served = Listing(*[(f"{number}", 99, "x") for number in range(10)])
    assert [number for number, _, _ in await served.walked()] == [1, 2, 3]


async def test_what_came_before_a_failure_was_shown() -> None:
    served = Listing(("ab", 9, "x"))

    async def fetch(place: PagePlace) -> PageAnswer:
        if place.number == 2:
            raise PatreonUnavailable(PatreonCode.UNUSABLE)
        return await served.fetch(place)

    walked = walk_pages(FIRST, fetch)
    assert not (await anext(walked)).is_last
    with pytest.raises(PatreonUnavailable):
        await anext(walked)
