"""API v1's reads, under both addresses, with tokens of both versions."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.sandbox.patreon.conftest import Answer, Asker, Shop

BASES = ("/api/oauth2/api", "/oauth2/api")
BASE = BASES[0]


@pytest.fixture
def shop() -> Shop:
    return Shop(api_version=1)


@pytest.fixture
async def ask_v2() -> AsyncIterator[Asker]:
    """A world whose client knows API v2 only."""
    shop = Shop()
    await shop.standin.start()
    async with aiohttp.ClientSession() as session:
        yield Asker(shop, session)
    await shop.standin.stop()


def pledges_path(shop: Shop) -> str:
    return f"{BASE}/campaigns/{shop.campaign.id}/pledges"


def included(answer: Answer, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in answer.body.get("included", []) if resource["type"] == kind]


@pytest.mark.parametrize("base", BASES)
async def test_current_user_brings_the_pledges_unasked(ask: Asker, shop: Shop, base: str) -> None:
    member = shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(f"{base}/current_user", await ask.token(shop.ada, "users pledges-to-me"))
    user = answer.body["data"]
    assert (user["type"], user["id"], user["attributes"]["full_name"]) == ("user", shop.ada.id, "Ada Reed")
    assert user["relationships"]["pledges"] == {"data": [{"type": "pledge", "id": member.pledge_id}]}
    (pledge,) = included(answer, "pledge")
    assert pledge["attributes"]["amount_cents"] == 1000
    assert pledge["relationships"]["reward"]["data"] == {"type": "reward", "id": shop.gold.id}
    assert included(answer, "reward")[0]["attributes"]["title"] == "Gold"
    assert included(answer, "campaign")[0]["id"] == shop.campaign.id


async def test_pledges_to_others_stay_hidden(ask: Asker, shop: Shop) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    shop.standin.pledge(shop.ada.id, shop.state.add_tier(other, "Silver", 500).id)
    answer = await ask.get(f"{BASE}/current_user", await ask.token(shop.ada, "users pledges-to-me"))
    assert answer.body["data"]["relationships"]["pledges"] == {"data": []}


async def test_without_pledges_to_me_no_pledge_is_seen(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(f"{BASE}/current_user", await ask.token(shop.ada, "users"))
    assert answer.body["data"]["relationships"]["pledges"] == {"data": []}


async def test_a_pledge_has_exactly_its_own_attributes(ask: Asker, shop: Shop) -> None:
    member = shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(pledges_path(shop))
    (pledge,) = answer.body["data"]
    assert pledge["attributes"] == {
        "amount_cents": 1000,
        "created_at": (member.started_at or shop.clock.now()).isoformat(),
        "currency": "USD",
        "declined_since": None,
        "patron_pays_fees": False,
        "pledge_cap_cents": None,
    }
    user = f"{shop.standin.url}/api/oauth2/api/user/{shop.ada.id}"
    assert pledge["relationships"]["patron"] == {
        "data": {"type": "user", "id": shop.ada.id},
        "links": {"related": user},
    }
    reward = f"{shop.standin.url}/api/oauth2/api/rewards/{shop.gold.id}"
    assert pledge["relationships"]["reward"]["links"] == {"related": reward}
    assert pledge["relationships"]["card"] == {"data": None}


async def test_more_attributes_come_only_when_asked_and_drop_the_rest(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(pledges_path(shop), fields_pledge="status,total_historical_amount_cents,is_paused")
    assert answer.body["data"][0]["attributes"] == {
        "status": "valid", "total_historical_amount_cents": 1000, "is_paused": False
    }  # fmt: skip


async def test_other_peoples_private_attributes_are_missing(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.connect_discord(shop.ada.id, "77")
    answer = await ask.get(pledges_path(shop))
    ada = next(user for user in included(answer, "user") if user["id"] == shop.ada.id)
    assert not ada["attributes"].keys() & {"discord_id", "has_password", "is_deleted"}
    assert ada["attributes"]["social_connections"]["discord"] == {"user_id": "77"}


async def test_the_flat_discord_id_is_null_even_for_oneself(ask: Asker, shop: Shop) -> None:
    shop.standin.connect_discord(shop.ada.id, "77")
    answer = await ask.get(f"{BASE}/current_user", await ask.token(shop.ada, "users"))
    assert answer.body["data"]["attributes"]["discord_id"] is None


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        pytest.param({}, {"user", "reward", "campaign"}, id="default"),
        pytest.param({"include": "patron.null"}, {"user"}, id="patron alone"),
        pytest.param({"include": "reward"}, {"reward", "campaign"}, id="reward with its own relations"),
        pytest.param({"include": "null"}, set(), id="null"),
        pytest.param({"json-api-use-default-includes": "false"}, set(), id="no defaults"),
        pytest.param(
            {"json-api-use-default-includes": "false", "include": "reward.null"},
            {"reward"},
            id="no defaults, one asked",
        ),
    ],
)
async def test_include_decides_what_is_included(ask: Asker, shop: Shop, query: dict[str, str], kinds: set[str]) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(pledges_path(shop), **query)
    assert {resource["type"] for resource in answer.body.get("included", [])} == kinds


@pytest.mark.parametrize("query", [{"include": "membership"}, {"fields_pledge": "title"}, {"fields_tier": "title"}])
async def test_unknown_names_are_refused(ask: Asker, shop: Shop, query: dict[str, str]) -> None:
    assert (await ask.get(pledges_path(shop), **query)).status == 400


async def test_the_reward_is_null_for_a_deleted_tier_and_for_a_custom_pledge(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.delete_tier(shop.gold.id)
    shop.standin.pledge(shop.state.add_patron("Ben Ash").id, None, amount_cents=777)
    answer = await ask.get(pledges_path(shop))
    rewards = [pledge["relationships"]["reward"] for pledge in answer.body["data"]]
    assert rewards == [{"data": None}, {"data": None}]
    assert [pledge["attributes"]["amount_cents"] for pledge in answer.body["data"]] == [1000, 777]


async def test_a_decline_is_told_by_its_date(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    member = shop.standin.decline(shop.ada.id)
    answer = await ask.get(pledges_path(shop))
    assert member.declined_since is not None
    assert answer.body["data"][0]["attributes"]["declined_since"] == member.declined_since.isoformat()


@pytest.mark.parametrize("who", ["cancelled", "gifted", "follower"])
async def test_whoever_does_not_pledge_is_not_listed(ask: Asker, shop: Shop, who: str) -> None:
    if who == "cancelled":
        shop.standin.pledge(shop.ada.id, shop.gold.id)
        shop.standin.cancel(shop.ada.id)
    elif who == "gifted":
        shop.standin.gift(shop.ada.id, shop.gold.id)
    else:
        shop.standin.follow_free(shop.ada.id)
    answer = await ask.get(pledges_path(shop))
    assert (answer.body["data"], answer.body["meta"]) == ([], {"count": 0})


async def test_a_tier_change_changes_the_pledges_id(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    before = (await ask.get(pledges_path(shop))).body["data"][0]["id"]
    shop.standin.change_tier(shop.ada.id, shop.bronze.id)
    assert (await ask.get(pledges_path(shop))).body["data"][0]["id"] != before


@pytest.mark.parametrize("base", BASES)
async def test_campaigns_are_a_list_with_built_in_rewards(ask: Asker, shop: Shop, base: str) -> None:
    answer = await ask.get(f"{base}/current_user/campaigns")
    (campaign,) = answer.body["data"]
    rewards = [reward["id"] for reward in campaign["relationships"]["rewards"]["data"]]
    assert rewards == ["-1", "0", shop.bronze.id, shop.gold.id]
    everyone = next(reward for reward in included(answer, "reward") if reward["id"] == "-1")
    assert everyone["attributes"]["amount_cents"] == 0
    assert not everyone["attributes"].keys() & {"title", "published"}


async def test_campaigns_bring_20_pledges_when_asked_and_link_to_the_rest(ask: Asker, shop: Shop) -> None:
    for number in range(25):
        shop.state.add_member(shop.state.add_patron(f"P {number}"), shop.bronze)
    answer = await ask.get(f"{BASE}/current_user/campaigns", include="pledges.null")
    relation = answer.body["data"][0]["relationships"]["pledges"]
    assert len(relation["data"]) == 20
    assert relation["links"]["first"].endswith(f"{pledges_path(shop)}?page%5Bcount%5D=20&sort=created")
    token = {"Authorization": f"Bearer {shop.client.creator_access_token}"}
    rest = await ask.send("GET", relation["links"]["next"], headers=token)
    assert len(rest.body["data"]) == 6


async def test_another_creators_pledges_are_forbidden(ask: Asker, shop: Shop) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    assert (await ask.get(f"{BASE}/campaigns/{other.id}/pledges")).status == 403
    assert (await ask.get(f"{BASE}/campaigns/404/pledges")).status == 404


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        pytest.param("pledges-to-me", "/current_user", 401, id="current_user needs users"),
        pytest.param("users", "/current_user/campaigns", 401, id="campaigns need my-campaign"),
        pytest.param("my-campaign", "/current_user/campaigns", 200, id="my-campaign"),
    ],
)
async def test_scopes_decide(ask: Asker, shop: Shop, scope: str, path: str, status: int) -> None:
    assert (await ask.get(BASE + path, await ask.token(shop.ada, scope))).status == status


@pytest.mark.parametrize(("scope", "count"), [("identity", 0), ("identity identity.memberships", 1)])
async def test_v2_tokens_work_on_v1(ask_v2: Asker, scope: str, count: int) -> None:
    shop = ask_v2.shop
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask_v2.get(f"{BASE}/current_user", await ask_v2.token(shop.ada, scope))
    assert answer.status == 200
    assert len(answer.body["data"]["relationships"]["pledges"]["data"]) == count
    assert "email" not in answer.body["data"]["attributes"]


async def test_a_v2_creator_token_reads_pledges_on_v1(ask_v2: Asker) -> None:
    ask_v2.shop.standin.pledge(ask_v2.shop.ada.id, ask_v2.shop.gold.id)
    assert (await ask_v2.get(pledges_path(ask_v2.shop))).body["meta"] == {"count": 1}


async def test_v1_scopes_are_worth_nothing_on_v2(ask: Asker, shop: Shop) -> None:
    token = await ask.token(shop.ada, "users pledges-to-me")
    assert (await ask.get("/api/oauth2/v2/identity", token)).status == 401
