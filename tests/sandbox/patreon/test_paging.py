"""Pages of members and of pledges: sizes, cursors, ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.sandbox.patreon.conftest import Answer, Asker, Shop


@pytest.fixture
def people(shop: Shop) -> list[str]:
    """Seven patrons, the oldest first; their member ids."""
    ids = []
    for number in range(7):
        since = shop.clock.now() - timedelta(days=10 - number)
        ids.append(shop.state.add_member(shop.state.add_patron(f"P {number}"), shop.bronze, since=since).id)
    return ids


def v2(shop: Shop) -> str:
    return f"/api/oauth2/v2/campaigns/{shop.campaign.id}/members"


def v1(shop: Shop) -> str:
    return f"/api/oauth2/api/campaigns/{shop.campaign.id}/pledges"


def cursor_of(answer: Answer) -> str | None:
    following = answer.body["meta"]["pagination"]["cursors"]["next"]
    return None if following is None else str(following)


def ids(answer: Answer) -> list[str]:
    return [str(row["id"]) for row in answer.body["data"]]


@pytest.mark.parametrize("parameter", ["page_count", "page_size"])
async def test_members_come_page_by_page(ask: Asker, shop: Shop, people: list[str], parameter: str) -> None:
    first = await ask.get(v2(shop), **{parameter: "3"})
    second = await ask.get(v2(shop), page_cursor=cursor_of(first) or "", **{parameter: "3"})
    last = await ask.get(v2(shop), page_cursor=cursor_of(second) or "", **{parameter: "3"})
    assert [ids(first), ids(second), ids(last)] == [people[:3], people[3:6], people[6:]]
    assert cursor_of(last) is None
    assert {answer.body["meta"]["pagination"]["total"] for answer in (first, second, last)} == {7}


async def test_the_next_link_can_be_followed(ask: Asker, shop: Shop, people: list[str]) -> None:
    first = await ask.get(v2(shop), page_count="3", fields_member="full_name")
    assert "[" not in first.body["links"]["next"]
    token = {"Authorization": f"Bearer {shop.client.creator_access_token}"}
    second = await ask.send("GET", first.body["links"]["next"], headers=token)
    assert ids(second) == people[3:6]
    assert second.body["data"][0]["attributes"] == {"full_name": "P 3"}


async def test_a_single_page_has_no_cursors(ask: Asker, shop: Shop, people: list[str]) -> None:
    assert (await ask.get(v2(shop))).body["meta"] == {"pagination": {"total": 7}}


async def test_nobody_is_seen_twice_or_missed_when_someone_leaves_between_pages(
    ask: Asker, shop: Shop, people: list[str]
) -> None:
    first = await ask.get(v2(shop), page_count="3")
    shop.campaign.members.remove(people[2])
    second = await ask.get(v2(shop), page_count="9", page_cursor=cursor_of(first) or "")
    assert ids(second) == people[3:]


@pytest.mark.parametrize(("include", "most"), [("user", 1000), ("pledge_history", 500), ("user,pledge_history", 500)])
async def test_a_page_is_1000_members_or_500_with_their_history(
    ask: Asker, shop: Shop, include: str, most: int
) -> None:
    for number in range(1001):
        shop.state.add_member(shop.state.add_patron(f"P {number}"), shop.bronze)
    for size in ({}, {"page_count": "5000"}):
        assert len((await ask.get(v2(shop), include=include, **size)).body["data"]) == most


@pytest.mark.parametrize(
    ("path", "query"),
    [
        pytest.param(v2, {"page_count": "0"}, id="v2 no rows"),
        pytest.param(v2, {"page_count": "many"}, id="v2 no number"),
        pytest.param(v2, {"page_cursor": "made up"}, id="v2 cursor"),
        pytest.param(v1, {"page_count": "-1"}, id="v1 no rows"),
        pytest.param(v1, {"page_cursor": "made up"}, id="v1 cursor"),
        pytest.param(v1, {"sort": "amount"}, id="v1 sort"),
    ],
)
async def test_what_is_no_page_is_refused(
    ask: Asker, shop: Shop, path: Callable[[Shop], str], query: dict[str, str]
) -> None:
    assert (await ask.get(path(shop), **query)).status == 400


async def test_sorting_that_we_cannot_do_is_not_served(ask: Asker, shop: Shop) -> None:
    assert (await ask.get(v2(shop), sort="full_name")).status == 501
    assert (await ask.get(v1(shop), sort="updated")).status == 501


async def test_v1_starts_a_page_with_the_row_of_the_cursor(ask: Asker, shop: Shop, people: list[str]) -> None:
    pledges = [shop.state.members[member].pledge_id for member in people]
    first = await ask.get(v1(shop), page_count="3")
    cursor = (shop.state.members[people[2]].started_at or shop.clock.now()).isoformat()
    second = await ask.get(v1(shop), page_count="5", page_cursor=cursor)
    assert [ids(first), ids(second)] == [pledges[:3], pledges[2:]]
    assert cursor.replace(":", "%3A").replace("+", "%2B") in first.body["links"]["next"]
    assert "next" not in second.body["links"]


async def test_v1_links_drop_include_and_fields(ask: Asker, shop: Shop, people: list[str]) -> None:
    answer = await ask.get(v1(shop), page_count="3", include="patron.null", fields_pledge="amount_cents")
    first = f"{shop.standin.url}{v1(shop)}?page%5Bcount%5D=3&sort=created"
    assert answer.body["links"]["first"] == first
    assert answer.body["links"]["next"].startswith(f"{first}&page%5Bcursor%5D=")
    assert "include" not in answer.body["links"]["next"]
    assert answer.body["meta"] == {"count": 7}


async def test_v1_can_list_the_newest_first(ask: Asker, shop: Shop, people: list[str]) -> None:
    pledges = [shop.state.members[member].pledge_id for member in people][::-1]
    first = await ask.get(v1(shop), page_count="4", sort="-created")
    cursor = (shop.state.members[people[3]].started_at or shop.clock.now()).isoformat()
    second = await ask.get(v1(shop), page_count="4", sort="-created", page_cursor=cursor)
    assert [ids(first), ids(second)] == [pledges[:4], pledges[3:]]


@pytest.mark.parametrize(("asked", "count"), [(None, 10), ("50", 50), ("500", 100)])
async def test_v1_gives_10_rows_unasked_and_100_at_most(ask: Asker, shop: Shop, asked: str | None, count: int) -> None:
    for number in range(120):
        shop.state.add_member(shop.state.add_patron(f"P {number}"), shop.bronze)
    size = {} if asked is None else {"page_count": asked}
    assert len((await ask.get(v1(shop), **size)).body["data"]) == count
