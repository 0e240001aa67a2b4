"""API v2's reads, over the wire."""

from typing import Any

import pytest

from tests.sandbox.patreon.conftest import Answer, Asker, Shop

IDENTITY = "/api/oauth2/v2/identity"
CAMPAIGNS = "/api/oauth2/v2/campaigns"
DOTTED = "memberships.campaign,memberships.currently_entitled_tiers"


def members_path(shop: Shop) -> str:
    return f"{CAMPAIGNS}/{shop.campaign.id}/members"


def included(answer: Answer, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in answer.body["included"] if resource["type"] == kind]


async def test_nothing_but_type_and_id_comes_unasked(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(IDENTITY, await ask.token(shop.ada))
    assert answer.body == {
        "data": {"type": "user", "id": shop.ada.id, "attributes": {}},
        "links": {"self": f"{shop.standin.url}/api/oauth2/v2/user/{shop.ada.id}"},
    }


async def test_only_the_fields_asked_for_come(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(IDENTITY, await ask.token(shop.ada), fields_user="full_name,vanity")
    assert answer.body["data"]["attributes"] == {"full_name": "Ada Reed", "vanity": None}


async def test_plain_memberships_do_not_say_whose_campaign_they_are_of(ask: Asker, shop: Shop) -> None:
    member = shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(IDENTITY, await ask.token(shop.ada), include="memberships", fields_member="patron_status")
    assert answer.body["included"] == [
        {"type": "member", "id": member.id, "attributes": {"patron_status": "active_patron"}}
    ]


async def test_dotted_includes_name_campaign_and_tiers(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(IDENTITY, await ask.token(shop.ada), include=DOTTED, fields_tier="title,amount_cents")
    (member,) = included(answer, "member")
    campaign = f"{shop.standin.url}/api/oauth2/v2/campaign/{shop.campaign.id}"
    assert member["relationships"] == {
        "campaign": {"data": {"type": "campaign", "id": shop.campaign.id}, "links": {"related": campaign}},
        "currently_entitled_tiers": {"data": [{"type": "tier", "id": shop.gold.id}]},
    }
    assert included(answer, "tier")[0]["attributes"] == {"title": "Gold", "amount_cents": 1000}


async def test_no_memberships_are_a_null_relation(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(IDENTITY, await ask.token(shop.ada), include="memberships")
    assert answer.body["data"]["relationships"] == {"memberships": {"data": None}}
    assert answer.body["included"] == []


@pytest.mark.parametrize(("scope", "count"), [("identity", 1), ("identity identity.memberships", 2)])
async def test_other_creators_memberships_need_a_scope(ask: Asker, shop: Shop, scope: str, count: int) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.pledge(shop.ada.id, shop.state.add_tier(other, "Silver", 500).id)
    answer = await ask.get(IDENTITY, await ask.token(shop.ada, scope), include="memberships")
    assert len(answer.body["data"]["relationships"]["memberships"]["data"]) == count


async def test_memberships_without_identity_is_not_enough(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(IDENTITY, await ask.token(shop.ada, "identity.memberships"))
    assert answer.status == 401


async def test_the_owner_is_no_member_of_their_own_campaign(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(IDENTITY, include="memberships,campaign")
    assert answer.body["data"]["relationships"]["memberships"]["data"] is None
    assert answer.body["data"]["relationships"]["campaign"]["data"]["id"] == shop.campaign.id


async def test_people_see_their_own_discord_account(ask: Asker, shop: Shop) -> None:
    shop.campaign.discord_server_id = None
    shop.standin.connect_discord(shop.ada.id, "90071992547409921")
    answer = await ask.get(IDENTITY, await ask.token(shop.ada), fields_user="social_connections")
    connections = answer.body["data"]["attributes"]["social_connections"]
    assert connections["discord"]["user_id"] == "90071992547409921"
    assert connections["twitch"] is None


@pytest.mark.parametrize(("integration", "seen"), [("5", "77"), (None, None)])
async def test_creators_see_discord_accounts_only_with_patreons_integration(
    ask: Asker, shop: Shop, integration: str | None, seen: str | None
) -> None:
    shop.campaign.discord_server_id = integration
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.connect_discord(shop.ada.id, "77")
    answer = await ask.get(members_path(shop), include="user", fields_user="social_connections")
    discord = answer.body["included"][0]["attributes"]["social_connections"]["discord"]
    assert (discord and discord["user_id"]) == seen


async def test_campaigns_have_a_total_and_no_cursors(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(CAMPAIGNS, include="tiers,goals,creator", fields_campaign="name,currency,patron_count")
    assert answer.body["meta"] == {"pagination": {"total": 1}}
    (campaign,) = answer.body["data"]
    assert campaign["attributes"] == {"name": "Mira Quill's campaign", "currency": "USD", "patron_count": 0}
    assert [tier["id"] for tier in campaign["relationships"]["tiers"]["data"]] == [
        shop.campaign.free_tier.id, shop.bronze.id, shop.gold.id
    ]  # fmt: skip
    assert campaign["relationships"]["goals"] == {"data": None}


async def test_one_campaign_can_be_read_alone(ask: Asker, shop: Shop) -> None:
    answer = await ask.get(f"{CAMPAIGNS}/{shop.campaign.id}", fields_campaign="name")
    assert answer.body["data"]["id"] == shop.campaign.id


@pytest.mark.parametrize("rest", ["", "/members"])
async def test_another_creators_campaign_is_forbidden(ask: Asker, shop: Shop, rest: str) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    assert (await ask.get(f"{CAMPAIGNS}/{other.id}{rest}")).status == 403
    assert (await ask.get(f"{CAMPAIGNS}/404{rest}")).status == 404


async def test_a_member_can_be_read_alone(ask: Asker, shop: Shop) -> None:
    member = shop.standin.pledge(shop.ada.id, shop.gold.id)
    answer = await ask.get(
        f"/api/oauth2/v2/members/{member.id}",
        include="user,currently_entitled_tiers,campaign,address,pledge_history",
        fields_pledge_event="type,tier_id,payment_status",
        fields_member="last_charge_status,currently_entitled_amount_cents,is_gifted",
    )
    assert answer.body["data"]["attributes"] == {
        "last_charge_status": "Paid", "currently_entitled_amount_cents": 1000, "is_gifted": False
    }  # fmt: skip
    assert answer.body["data"]["relationships"]["address"] == {"data": None}
    assert [event["attributes"] for event in included(answer, "pledge-event")] == [
        {"type": "pledge_start", "tier_id": shop.gold.id, "payment_status": None},
        {"type": "subscription", "tier_id": shop.gold.id, "payment_status": "Paid"},
    ]
    assert included(answer, "user") == [{"type": "user", "id": shop.ada.id, "attributes": {}}]


async def test_an_unknown_or_foreign_member_is_refused(ask: Asker, shop: Shop) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    foreign = shop.standin.pledge(shop.ada.id, shop.state.add_tier(other, "Silver", 500).id)
    assert (await ask.get("/api/oauth2/v2/members/nobody")).status == 404
    assert (await ask.get(f"/api/oauth2/v2/members/{foreign.id}")).status == 403


async def test_a_deleted_tier_vanishes_though_its_patrons_pay(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.delete_tier(shop.gold.id)
    answer = await ask.get(
        members_path(shop), include="currently_entitled_tiers", fields_member="currently_entitled_amount_cents"
    )
    (member,) = answer.body["data"]
    assert member["relationships"]["currently_entitled_tiers"] == {"data": []}
    assert member["attributes"] == {"currently_entitled_amount_cents": 1000}


async def test_a_follower_is_in_the_list_with_the_free_tier(ask: Asker, shop: Shop) -> None:
    shop.standin.follow_free(shop.ada.id)
    answer = await ask.get(
        members_path(shop), include="currently_entitled_tiers", fields_member="patron_status,is_follower"
    )
    (member,) = answer.body["data"]
    assert member["attributes"] == {"patron_status": None, "is_follower": False}
    assert member["relationships"]["currently_entitled_tiers"]["data"][0]["id"] == shop.campaign.free_tier.id


async def test_several_tiers_come_in_no_stable_order(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id).extra_tiers = (shop.bronze,)
    orders = set()
    for _ in range(2):
        answer = await ask.get(members_path(shop), include="currently_entitled_tiers")
        tiers = answer.body["data"][0]["relationships"]["currently_entitled_tiers"]["data"]
        orders.add(tuple(tier["id"] for tier in tiers))
    assert len(orders) == 2


async def test_an_annual_downgrade_has_no_next_charge_date(ask: Asker, shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id, annual=True)
    shop.standin.change_tier(shop.ada.id, shop.bronze.id)
    answer = await ask.get(members_path(shop), fields_member="next_charge_date,pledge_cadence,will_pay_amount_cents")
    assert answer.body["data"][0]["attributes"] == {
        "next_charge_date": None, "pledge_cadence": 12, "will_pay_amount_cents": 300
    }  # fmt: skip
