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
