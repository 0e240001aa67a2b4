"""What every request must bring, and how a refusal looks."""

from typing import Any

import pytest
from yarl import URL

from tests.sandbox.patreon.conftest import Answer, Asker, Shop

V2 = "/api/oauth2/v2"


def error(answer: Answer) -> dict[str, Any]:
    (only,) = answer.body["errors"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize(
    "header", ["Bearer made-up", "Bearer ", "Basic {token}", "{token}", ""], ids=lambda header: header or "none"
)
async def test_a_bad_token_is_refused_as_json_api_error(ask: Asker, shop: Shop, header: str) -> None:
    headers = {"Authorization": header.format(token=shop.client.creator_access_token)} if header else {}
    answer = await ask.send("GET", f"{V2}/identity", headers=headers)
    assert answer.status == 401
    assert (error(answer)["code"], error(answer)["code_name"], error(answer)["status"]) == (1, "Unauthorized", "401")
    assert error(answer).keys() >= {"detail", "id", "title"}


@pytest.mark.parametrize(
    ("scope", "path", "query"),
    [
        pytest.param("identity", "/campaigns", {}, id="campaigns"),
        pytest.param("identity", "/campaigns/{campaign}", {}, id="campaign"),
        pytest.param("campaigns", "/campaigns/{campaign}/members", {}, id="members"),
        pytest.param("campaigns", "/members/{member}", {}, id="member"),
        pytest.param("campaigns", "/webhooks", {}, id="webhooks"),
        pytest.param("identity", "/identity", {"fields_user": "email"}, id="own e-mail"),
        pytest.param("campaigns.members", "/campaigns/{campaign}/members", {"fields_member": "email"}, id="e-mail"),
        pytest.param("campaigns.members", "/campaigns/{campaign}/members", {"include": "address"}, id="address"),
    ],
)
async def test_a_missing_scope_reads_like_a_bad_token(
    ask: Asker, shop: Shop, scope: str, path: str, query: dict[str, str]
) -> None:
    member = shop.standin.pledge(shop.ada.id, shop.gold.id)
    token = await ask.token(shop.ada, scope)
    answer = await ask.get(V2 + path.format(campaign=shop.campaign.id, member=member.id), token, **query)
    assert (answer.status, error(answer)["code_name"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"fields_user": "nickname"}, "fields[user]"),
        ({"fields_reward": "title"}, "fields[reward]"),
        ({"include": "pledges"}, "include"),
        ({"include": "memberships.tiers"}, "include"),
    ],
)
async def test_unknown_fields_and_relations_are_refused(ask: Asker, query: dict[str, str], parameter: str) -> None:
    answer = await ask.get(f"{V2}/identity", **query)
    assert (answer.status, error(answer)["source"]) == (400, {"parameter": parameter})


async def test_brackets_must_be_percent_encoded(ask: Asker, shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.client.creator_access_token}"}
    for query, status in (("fields%5Buser%5D=full_name", 200), ("fields[user]=full_name", 400)):
        url = URL(f"{shop.standin.url}{V2}/identity?{query}", encoded=True)
        async with ask.session.get(url, headers=headers) as response:
            assert response.status == status


@pytest.mark.parametrize("path", [f"{V2}/identity", "/api/oauth2/token", "/oauth2/authorize"])
async def test_a_request_without_user_agent_is_forbidden(ask: Asker, path: str) -> None:
    method = "POST" if path.endswith("token") else "GET"
    answer = await ask.send(method, path, skip_auto_headers=["User-Agent"])
    assert answer.status == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/user", 501),
        ("GET", f"{V2}/campaigns/1/posts", 501),
        ("POST", f"{V2}/lives", 501),
        ("POST", f"{V2}/identity", 405),
        ("GET", "/api/oauth2/token", 405),
    ],
)
async def test_what_is_not_served_says_so(ask: Asker, method: str, path: str, status: int) -> None:
    answer = await ask.send(method, path)
    assert (answer.status, error(answer)["status"]) == (status, str(status))


async def test_every_answer_carries_an_id(ask: Asker) -> None:
    assert (await ask.get(f"{V2}/identity")).headers["x-patreon-uuid"]
    assert (await ask.get(f"{V2}/nothing")).headers["x-patreon-uuid"]


async def test_every_call_is_noted_by_its_route(ask: Asker, shop: Shop) -> None:
    await ask.get(f"{V2}/campaigns/{shop.campaign.id}")
    await ask.get(f"{V2}/campaigns/404")
    assert [(call.route, call.status) for call in shop.standin.calls] == [
        (f"GET {V2}/campaigns/{{campaign_id}}", 200),
        (f"GET {V2}/campaigns/{{campaign_id}}", 404),
    ]
    assert shop.standin.calls[0].user_agent.startswith("Python")


async def test_it_can_be_stopped_and_started_again(shop: Shop) -> None:
    for _ in range(3):
        await shop.standin.start()
        await shop.standin.stop()
