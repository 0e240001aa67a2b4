"""Whom a delivery names, nothing else of it being read; which webhook is ours, and what is asked about it."""

import json
from typing import Any

import pytest

from bot.domain.errors import PatreonUnreadable
from bot.domain.model import CampaignId, Hint, MembershipId, PatreonUserId, Secret
from bot.patreon.protocol.exchange import is_genuine
from bot.patreon.protocol.webhooks import (
    MEMBER_TRIGGERS,
    Webhook,
    create_request,
    delete_request,
    list_request,
    move_request,
    pick_own,
    read_hint,
    read_webhook,
    read_webhooks,
    unpause_request,
)


def member(**changes: Any) -> dict[str, Any]:
    return {
        "type": "member",
        "id": "m-1",
        "attributes": {"patron_status": "active_patron", "full_name": None},
        "relationships": {"address": {"data": None}, "user": {"data": {"type": "user", "id": "1001"}}},
        **changes,
    }


PLEDGE = {
    "type": "pledge",
    "id": "5",
    "attributes": {"amount_cents": 500},
    "relationships": {"patron": {"data": {"type": "user", "id": "1001"}, "links": {}}},
}
ADA = PatreonUserId("1001")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        pytest.param(member(), Hint(patreon_user_id=ADA, membership_id=MembershipId("m-1")), id="v2 member"),
        pytest.param(member(id=""), None, id="a member without an id"),
        pytest.param(member(id=None), None, id="a member whose id is null: the portal's test"),
        pytest.param(PLEDGE, Hint(patreon_user_id=ADA), id="v1 pledge: its id is not a membership's"),
        pytest.param(member(type="post"), None, id="a post"),
        pytest.param(member(relationships={"user": {"data": None}}), None, id="no user"),
        pytest.param(member(relationships=None), None, id="no relationships"),
        pytest.param({"type": "pledge", "id": "5", "relationships": {}}, None, id="a pledge of nobody"),
        pytest.param(None, None, id="no data"),
        pytest.param([member()], None, id="a list"),
    ],
)
def test_who_is_named(data: object, hint: Hint | None) -> None:
    assert read_hint(json.dumps({"data": data, "included": [], "links": {}}).encode()) == hint


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"null", b"1", b"[" * 100_000, b"\xff"])
def test_what_cannot_be_read_names_nobody(body: bytes) -> None:
    assert read_hint(body) is None


@pytest.mark.parametrize(
    ("case", "membership_id"),
    [("v2_webhook_send_test", None), ("v2_webhook_send_test_delete", "00000000-aaaa-4bbb-8ccc-dddddddddddd")],
)
def test_the_portals_test_asks_for_one_look_at_most(sample: Any, case: str, membership_id: str | None) -> None:
    hint = read_hint(sample(case).body)
    assert (None if hint is None else hint.membership_id) == membership_id


def test_stray_bytes_are_no_signature() -> None:
    assert not is_genuine(b"{}", signature="\udcff", secret=Secret("s"))


def test_a_moved_webhook_is_switched_on_too() -> None:
    request = move_request("7/8", "https://pledges.example/webhooks/patreon/700")
    assert request.method == "PATCH"
    assert request.path.endswith("/webhooks/7%2F8")
    attributes = json.loads(request.json or b"")["data"]["attributes"]
    assert attributes["paused"] is False
    assert attributes["uri"] == "https://pledges.example/webhooks/patreon/700"


def test_a_new_webhook_tells_of_all_that_happens_to_a_campaigns_members() -> None:
    request = create_request(CampaignId("700"), "https://pledges.example/webhooks/patreon/700")
    assert (request.method, request.path, request.is_repeatable) == ("POST", "/api/oauth2/v2/webhooks", False)
    assert json.loads(request.json or b"")["data"] == {
        "type": "webhook",
        "attributes": {"triggers": list(MEMBER_TRIGGERS), "uri": "https://pledges.example/webhooks/patreon/700"},
        "relationships": {"campaign": {"data": {"type": "campaign", "id": "700"}}},
    }


def test_a_paused_webhook_is_switched_on_and_otherwise_left_as_it_is() -> None:
    request = unpause_request("7")
    assert json.loads(request.json or b"")["data"] == {"type": "webhook", "id": "7", "attributes": {"paused": False}}


def test_listing_and_deleting_name_what_they_are_about() -> None:
    listing, deletion = list_request(None), delete_request("7/8")
    assert (listing.method, listing.path) == ("GET", "/api/oauth2/v2/webhooks")
    assert (deletion.method, deletion.path, deletion.json) == ("DELETE", "/api/oauth2/v2/webhooks/7%2F8", None)


def test_webhooks_are_read_and_one_without_an_id_is_none(sample: Any) -> None:
    first, second = read_webhooks(sample("v2_webhooks").body)
    assert (first.webhook_id, first.is_paused, first.failures, first.campaign_id) == ("31", True, 3, "700")
    assert second == Webhook(webhook_id="32", uri="")


@pytest.mark.parametrize("body", [b"{}", b'{"data":null}'])
def test_without_webhooks_there_is_nothing_to_read(body: bytes) -> None:
    with pytest.raises(PatreonUnreadable):
        read_webhooks(body)
    with pytest.raises(PatreonUnreadable):
        read_webhook(body)


HERE, ELSEWHERE = "https://pledges.example/webhooks/patreon/700", "https://old.example/webhooks/patreon/700"
MOTHS, OWLS = CampaignId("700"), CampaignId("701")


@pytest.mark.parametrize(
    ("listed", "picked"),
    [
        pytest.param([], None, id="none"),
        pytest.param([("7", ELSEWHERE, MOTHS)], "7", id="the one we know, wherever it leads"),
        pytest.param([("9", HERE, MOTHS), ("7", ELSEWHERE, MOTHS)], "7", id="the one we know comes first"),
        pytest.param([("9", HERE, MOTHS)], "9", id="one that leads here, though we know another"),
        pytest.param([("9", HERE, None)], "9", id="one that leads here and names no campaign"),
        pytest.param([("7", HERE, OWLS)], None, id="another campaign's"),
        pytest.param([("9", ELSEWHERE, MOTHS)], None, id="one that leads elsewhere"),
    ],
)
def test_our_own_webhook_is_picked(listed: list[tuple[str, str, CampaignId | None]], picked: str | None) -> None:
    webhooks = tuple(
        Webhook(webhook_id=webhook_id, uri=uri, campaign_id=campaign_id) for webhook_id, uri, campaign_id in listed
    )
    own = pick_own(webhooks, campaign_id=MOTHS, uri=HERE, webhook_id="7")
    assert (None if own is None else own.webhook_id) == picked
