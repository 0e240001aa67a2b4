"""Whom a delivery names: nothing else of it is read."""

import json
from typing import Any

import pytest

from bot.domain.model import MembershipId, PatreonUserId, Secret
from bot.patreon.protocol.exchange import is_genuine
from bot.patreon.protocol.webhooks import Hint, move_request, read_hint


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
