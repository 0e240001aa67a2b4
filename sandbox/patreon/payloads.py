"""What a webhook's body says: the member, or API v1's pledge, with its whole neighbourhood, as of now.

Bodies are full, not limited to fields that somebody asked for, and have null amounts for free members (Patreon
docs, webhooks v2, sample). Non-ASCII letters are escaped (patreon-go, webhook_test.go).
"""

import json
from typing import Any

from sandbox.patreon.jsonapi import Document, Selection, View
from sandbox.patreon.model import Member, Webhook
from sandbox.patreon.resources_v1 import API_V1
from sandbox.patreon.resources_v2 import API_V2, CAMPAIGN, MEMBER, TIER, USER

MEMBER_INCLUDES = ("address", "campaign", "currently_entitled_tiers", "user")
PLEDGE_INCLUDES = ("address", "card", "creator", "patron", "reward.campaign")
# An e-mail address is not in a v2 body; all else is.
MEMBER_SELECTION = Selection(
    MEMBER_INCLUDES,
    {kind.name: tuple(name for name in kind.attributes if name != "email") for kind in (MEMBER, USER, CAMPAIGN, TIER)},
)
TEST_MEMBER = "00000000-aaaa-4bbb-8ccc-dddddddddddd"
NULL_WHEN_FREE = ("currently_entitled_amount_cents", "pledge_cadence", "will_pay_amount_cents")


def write_body(webhook: Webhook, trigger: str, member: Member, url: str) -> bytes:
    """Write the body for one event."""
    is_v1 = trigger.startswith("pledges:")
    base = f"{url}/api/oauth2/{'api' if is_v1 else 'v2'}"
    scopes = frozenset({"my-campaign", "campaigns.members.address"})
    view = View(base, scopes, person=webhook.campaign.creator, client=webhook.client)
    document = Document(view).one(
        API_V1.compile("pledge", Selection(PLEDGE_INCLUDES, {}), view)
        if is_v1
        else API_V2.compile("member", MEMBER_SELECTION, view),
        member,
    )
    if not is_v1 and member.patron_status is None:
        _blank(document["data"]["attributes"])
    return json.dumps(document).encode()


def _blank(attributes: dict[str, Any]) -> None:
    attributes.update(dict.fromkeys(NULL_WHEN_FREE))


def write_test_body(trigger: str) -> bytes:
    """Write what the portal's "Send test" sends: nobody's member, or no member at all, and the built-in rewards."""
    is_deleted = trigger == "members:delete"
    included: list[dict[str, Any]] = [
        {"type": "campaign", "id": "1111111", "attributes": {}},
        {"type": "user", "id": "2222222", "attributes": {"full_name": "Platform Team"}},
        *({"type": "reward", "id": number, "attributes": {"amount_cents": 0}} for number in ("-1", "0")),
    ]
    data = {
        "type": "member",
        "id": TEST_MEMBER if is_deleted else None,
        "attributes": {"full_name": "Platform Team", "patron_status": None, "last_charge_status": None},
        "relationships": {
            "address": {"data": None},
            "campaign": {"data": {"type": "campaign", "id": "1111111"}},
            "user": {"data": {"type": "user", "id": "2222222"}},
        },
    }
    return json.dumps({"data": data, "included": included}).encode()
