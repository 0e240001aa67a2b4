"""One client, both versions: what each verb asks over the socket, and that the model comes back."""

import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import PatreonRefused, PatreonUnavailable
from bot.domain.model import CampaignId, MembershipId, Secret
from bot.patreon.client import MAX_PAGES, PatreonApi, PatreonClient
from bot.patreon.http import Http
from bot.patreon.protocol.exchange import Response, UnsupportedByApi
from tests.bot.patreon.served import Loopback, StillClock, load

TOKEN = Secret("invented-access")
CAMPAIGN = CampaignId("700")


@pytest.fixture
def v2(http: Http, loopback: Loopback, clock: StillClock) -> PatreonClient:
    return PatreonClient(http, api=PatreonApi.V2, base_url=loopback.url, clock=clock)


@pytest.fixture
def v1(http: Http, loopback: Loopback, clock: StillClock) -> PatreonClient:
    return PatreonClient(http, api=PatreonApi.V1, base_url=loopback.url, clock=clock)


async def test_v2_asks_the_identity_with_dotted_includes(v2: PatreonClient, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("v2_identity")]
    identity = await v2.fetch_identity(TOKEN)
    assert [m.campaign_id for m in identity.memberships] == ["700", "701"]
    (request,) = loopback.requests
    assert request.path == "/api/oauth2/v2/identity"
    assert request.query["include"] == "memberships.campaign,memberships.currently_entitled_tiers"


async def test_v2_reads_every_page_with_the_same_question(
    v2: PatreonClient, loopback: Loopback, sample: Any, clock: StillClock
) -> None:
    loopback.answers = [sample("v2_members_first_page"), sample("v2_members_last_page")]
    started = clock.now()
    pages = []
    async for page in v2.iter_membership_pages(TOKEN, CAMPAIGN):
        pages.append(page)
        clock.advance(seconds=5)
    assert [(page.number, page.rows, page.total, page.is_last) for page in pages] == [(1, 2, 3, False), (2, 1, 3, True)]
    assert {m.read_started_at for page in pages for m in page.memberships} == {started}
    first, second = (dict(request.query) for request in loopback.requests)
    assert first["page[count]"] == "1000"
    assert second.pop("page[cursor]") == "bmV4dA=="
    assert first == second


async def test_v1_rebuilds_the_next_question_from_the_cursor(
    v1: PatreonClient, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample("v1_pledges_first_page"), sample("v1_pledges_last_page")]
    pages = [page async for page in v1.iter_membership_pages(TOKEN, CAMPAIGN)]
    told = [[m.patreon_user_id for m in page.memberships] for page in pages]
    assert told == [["9001", "9002"], ["9003"]]
    assert sum(page.rows for page in pages) == pages[-1].total
    first, second = (dict(request.query) for request in loopback.requests)
    assert second.pop("page[cursor]") == "2026-04-10T00:12:57.670910+00:00"
    assert first == second
    assert first["include"] == "patron.null,reward.null"


async def test_v1_ends_where_only_the_repeated_row_is_left(v1: PatreonClient, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("v1_pledges_first_page"), sample("v1_pledges_only_the_repeated_row")]
    pages = [page async for page in v1.iter_membership_pages(TOKEN, CAMPAIGN)]
    assert [(page.rows, page.is_last) for page in pages] == [(2, False), (0, True)]


async def test_a_page_that_fails_for_good_ends_the_read_without_a_last_page(
    v2: PatreonClient, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample("v2_members_first_page"), sample("unavailable_html")]
    pages = v2.iter_membership_pages(TOKEN, CAMPAIGN)
    assert not (await anext(pages)).is_last
    with pytest.raises(PatreonUnavailable):
        await anext(pages)


async def test_an_id_cannot_lead_elsewhere(v2: PatreonClient, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("v2_member")]
    await v2.fetch_membership(TOKEN, MembershipId("../campaigns?x"))
    assert loopback.requests[0].rel_url.raw_path == "/api/oauth2/v2/members/..%2Fcampaigns%3Fx"


async def test_a_member_who_is_gone_is_a_refusal_with_its_status(
    v2: PatreonClient, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample("v2_member_gone")]
    with pytest.raises(PatreonRefused) as raised:
        await v2.fetch_membership(TOKEN, MembershipId("m"))
    assert raised.value.status == 404


async def test_campaigns_are_asked_with_their_tiers(
    v1: PatreonClient, v2: PatreonClient, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample("v2_campaigns"), sample("v1_campaigns")]
    assert [c.name for c in await v2.fetch_campaigns(TOKEN)] == ["The Lighthouse", "maps"]
    assert [c.name for c in await v1.fetch_campaigns(TOKEN)] == ["stories", "Cleo Creator", "702"]
    assert [request.path for request in loopback.requests] == [
        "/api/oauth2/v2/campaigns",
        "/api/oauth2/api/current_user/campaigns",
    ]


def a_page(ids: list[str], cursor: str | None = None, *, link: str | None = None) -> Response:
    """A page of a creator's campaigns."""
    body = {
        "data": [{"type": "campaign", "id": one, "attributes": {"creation_name": one}} for one in ids],
        "meta": {"pagination": {"total": 3, "cursors": {"next": cursor}}},
        "links": {"next": link} if link else {},
    }
    return Response(status=200, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode())


LINK = "https://www.patreon.com/api/oauth2/api/current_user/campaigns?page%5Bcursor%5D=second"


@pytest.mark.parametrize(
    ("api", "pages"),
    [
        (PatreonApi.V2, [a_page(["1", "2"], "second"), a_page(["3"])]),
        (PatreonApi.V1, [a_page(["1", "2"], link=LINK), a_page(["2", "3"])]),
    ],
)
async def test_the_campaigns_of_all_pages_are_read_each_once_by_the_same_question(
    v1: PatreonClient, v2: PatreonClient, loopback: Loopback, api: PatreonApi, pages: list[Response]
) -> None:
    client = v1 if api is PatreonApi.V1 else v2
    loopback.answers = [*pages]
    assert [one.campaign_id for one in await client.fetch_campaigns(TOKEN)] == ["1", "2", "3"]
    first, second = (dict(asked.query) for asked in loopback.requests)
    assert second.pop("page[cursor]") == "second"
    assert first == second


async def test_a_list_of_campaigns_that_never_ends_is_left_when_it_repeats_itself(
    v2: PatreonClient, loopback: Loopback
) -> None:
    loopback.answers = [a_page(["1"], "next"), a_page(["1"], "again")]
    assert [one.campaign_id for one in await v2.fetch_campaigns(TOKEN)] == ["1"]
    assert len(loopback.requests) == 2


async def test_a_list_of_campaigns_that_grows_for_ever_is_left_at_some_time(
    v2: PatreonClient, loopback: Loopback
) -> None:
    numbers = itertools.count(1)

    async def grow(_request: web.Request) -> web.StreamResponse:
        number = next(numbers)
        answer = a_page([str(number)], f"after-{number}")
        return web.Response(body=answer.body, headers=answer.headers)

    loopback.answers = [grow]
    assert len(await v2.fetch_campaigns(TOKEN)) == MAX_PAGES


async def test_campaigns_of_which_one_page_fails_are_not_half_a_list(v2: PatreonClient, loopback: Loopback) -> None:
    loopback.answers = [a_page(["1"], "second"), load("unavailable_html")]
    with pytest.raises(PatreonUnavailable):
        await v2.fetch_campaigns(TOKEN)


async def test_v1_asks_the_identity_with_what_names_the_campaigns(
    v1: PatreonClient, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample("v1_identity")]
    identity = await v1.fetch_identity(TOKEN)
    assert [m.campaign_id for m in identity.memberships] == ["700", "701", "702", "703"]
    assert loopback.requests[0].path == "/api/oauth2/api/current_user"


async def test_webhooks_are_listed_made_and_unpaused(v2: PatreonClient, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("v2_webhooks")]
    listed = await v2.fetch_webhooks(TOKEN)
    assert [(w.webhook_id, w.is_paused, w.failures, w.campaign_id) for w in listed] == [
        ("31", True, 3, "700"),
        ("32", False, 0, None),
    ]
    loopback.answers = [sample("v2_webhook")]
    made = await v2.create_webhook(TOKEN, CAMPAIGN, "https://bot.example/webhooks/patreon/700")
    assert made.secret == Secret("invented-webhook-secret")
    assert '"members:pledge:delete"' in loopback.bodies[-1]
    await v2.unpause_webhook(TOKEN, "31")
    assert (loopback.requests[-1].method, loopback.requests[-1].path) == ("PATCH", "/api/oauth2/v2/webhooks/31")
    assert loopback.bodies[-1] == '{"data":{"type":"webhook","id":"31","attributes":{"paused":false}}}'


async def test_the_webhooks_of_all_pages_are_listed(v2: PatreonClient, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [a_page(["1", "2"], "second"), a_page(["2", "3"], "second")]
    assert [one.webhook_id for one in await v2.fetch_webhooks(TOKEN)] == ["1", "2", "3"]
    first, second, third = (dict(asked.query) for asked in loopback.requests)
    assert third.pop("page[cursor]") == second.pop("page[cursor]") == "second"
    assert first == second == third


@pytest.mark.parametrize("case", ["v2_campaigns_without_id", "v2_members_without_list"])
async def test_an_answer_without_webhooks_is_an_error(
    v2: PatreonClient, loopback: Loopback, sample: Any, case: str
) -> None:
    loopback.answers = [sample(case)]
    with pytest.raises(PatreonUnavailable):
        await v2.unpause_webhook(TOKEN, "31")
    loopback.answers = [sample("v1_pledges_without_list")]
    with pytest.raises(PatreonUnavailable):
        await v2.fetch_webhooks(TOKEN)


@pytest.mark.parametrize(
    "verb",
    [
        pytest.param(lambda c: c.fetch_membership(TOKEN, MembershipId("m")), id="one member"),
        pytest.param(lambda c: c.fetch_webhooks(TOKEN), id="listing webhooks"),
        pytest.param(lambda c: c.create_webhook(TOKEN, CAMPAIGN, "https://bot.example/w"), id="making a webhook"),
        pytest.param(lambda c: c.unpause_webhook(TOKEN, "31"), id="unpausing a webhook"),
    ],
)
async def test_v1_has_no_such_call_and_sends_none(
    v1: PatreonClient, loopback: Loopback, verb: Callable[[PatreonClient], Awaitable[object]]
) -> None:
    with pytest.raises(UnsupportedByApi):
        await verb(v1)
    assert loopback.requests == []
