"""Webhooks as API v2's documents describe them: what we ask to list, make, mend and end one; who is named. Pure.

A delivery's signature is checked in exchange.py. Its body is as old as the delivery, which may be days late, so of all
that it says only *who* is read. Public source: https://docs.patreon.com/#webhooks
"""

from datetime import datetime
from urllib.parse import quote

import msgspec

from bot.domain.errors import PatreonCall, PatreonUnreadable
from bot.domain.model import CampaignId, Hint, MembershipId, PatreonUserId, Secret
from bot.patreon.protocol.exchange import Request, page_at
from bot.patreon.protocol.requests_v2 import BASE
from bot.patreon.protocol.wire import Id, Moment, ToOne, decode, part_missing, target

MEMBER_TRIGGERS = (
    "members:create",
    "members:update",
    "members:delete",
    "members:pledge:create",
    "members:pledge:update",
    "members:pledge:delete",
)
QUERY = (
    ("include", "campaign"),
    ("fields[webhook]", "uri,triggers,paused,secret,num_consecutive_times_failed,last_attempted_at"),
)


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook of ours at Patreon. Patreon pauses one after too many failed deliveries."""

    webhook_id: str
    uri: str
    triggers: tuple[str, ...] = ()
    is_paused: bool = False
    failures: int = 0  # deliveries failed in a row
    last_attempted_at: datetime | None = None
    secret: Secret | None = None
    campaign_id: CampaignId | None = None


class _Attributes(msgspec.Struct):
    uri: str | None = None
    triggers: list[str] | None = None
    paused: bool | None = None
    num_consecutive_times_failed: int | None = None
    last_attempted_at: Moment | None = None
    secret: str | None = None


class _Relations(msgspec.Struct):
    campaign: ToOne | None = None


class _Webhook(msgspec.Struct):
    id: Id = ""
    attributes: _Attributes | None = None
    relationships: _Relations | None = None


class _People(msgspec.Struct):
    user: ToOne | None = None  # of a member, in v2
    patron: ToOne | None = None  # of a pledge, in v1


class _Subject(msgspec.Struct):
    id: Id = ""
    type: str = ""
    relationships: _People | None = None


class _Delivery(msgspec.Struct):
    data: _Subject | None = None


class _List(msgspec.Struct):
    data: list[_Webhook] | None = None


class _One(msgspec.Struct):
    data: _Webhook | None = None


_LIST = msgspec.json.Decoder(_List)
_ONE = msgspec.json.Decoder(_One)
_DELIVERY = msgspec.json.Decoder(_Delivery)


def list_request(cursor: str | None) -> Request:
    """Ask for our client's webhooks."""
    return Request(call=PatreonCall.WEBHOOKS, path=f"{BASE}/webhooks", query=(*QUERY, *page_at(cursor)))


def create_request(campaign_id: CampaignId, uri: str) -> Request:
    """Ask for a webhook that tells of a campaign's members."""
    document = {
        "data": {
            "type": "webhook",
            "attributes": {"triggers": MEMBER_TRIGGERS, "uri": uri},
            "relationships": {"campaign": {"data": {"type": "campaign", "id": campaign_id}}},
        }
    }
    return Request(
        call=PatreonCall.WEBHOOK,
        about=campaign_id,
        method="POST",
        path=f"{BASE}/webhooks",
        query=QUERY,
        json=msgspec.json.encode(document),
    )


def unpause_request(webhook_id: str) -> Request:
    """Ask Patreon to send again."""
    return _change_request(webhook_id, {"paused": False})


def move_request(webhook_id: str, uri: str) -> Request:
    """Ask Patreon to send elsewhere, and to send again."""
    return _change_request(webhook_id, {"uri": uri, "triggers": MEMBER_TRIGGERS, "paused": False})


def delete_request(webhook_id: str) -> Request:
    """Ask Patreon to forget a webhook."""
    return Request(call=PatreonCall.WEBHOOK, about=webhook_id, method="DELETE", path=_path(webhook_id))


def _change_request(webhook_id: str, attributes: dict[str, object]) -> Request:
    document = {"data": {"type": "webhook", "id": webhook_id, "attributes": attributes}}
    return Request(
        call=PatreonCall.WEBHOOK,
        about=webhook_id,
        method="PATCH",
        path=_path(webhook_id),
        query=QUERY,
        json=msgspec.json.encode(document),
    )


def _path(webhook_id: str) -> str:
    return f"{BASE}/webhooks/{quote(webhook_id, safe='')}"


def read_webhooks(body: bytes) -> tuple[Webhook, ...]:
    """Read a list of webhooks. Raises PatreonUnreadable where there is none."""
    document = decode(body, _LIST)
    if document.data is None:
        raise part_missing("webhooks")
    return tuple(_webhook(told) for told in document.data if told.id)


def read_webhook(body: bytes) -> Webhook:
    """Read one webhook. Raises PatreonUnreadable where there is none."""
    document = decode(body, _ONE)
    if document.data is None or not document.data.id:
        raise part_missing("webhook")
    return _webhook(document.data)


def pick_own(
    listed: tuple[Webhook, ...], *, campaign_id: CampaignId, uri: str, webhook_id: str | None
) -> Webhook | None:
    """Return our webhook: the one we know, or one that leads to us all the same (our database may be new)."""
    ours = [one for one in listed if one.campaign_id in {None, campaign_id}]
    known = [one for one in ours if one.webhook_id == webhook_id]
    return next(iter([*known, *(one for one in ours if one.uri == uri)]), None)


def read_hint(body: bytes) -> Hint | None:
    """Read whom a genuine delivery is about; None where it is about nobody (a post, a test), or cannot be read.

    A member without an id is what the portal's "Send test" sends: it stands for nobody, and asks for no read.
    """
    try:
        subject = decode(body, _DELIVERY).data
    except PatreonUnreadable:
        return None
    if subject is None or subject.relationships is None:
        return None
    if subject.type == "member" and subject.id and (user_id := target(subject.relationships.user, "user")):
        return Hint(patreon_user_id=PatreonUserId(user_id), membership_id=MembershipId(subject.id))
    if subject.type == "pledge" and (user_id := target(subject.relationships.patron, "user")):
        return Hint(patreon_user_id=PatreonUserId(user_id))
    return None


def _webhook(told: _Webhook) -> Webhook:
    attributes = told.attributes or _Attributes()
    campaign_id = target(told.relationships.campaign, "campaign") if told.relationships else ""
    return Webhook(
        webhook_id=told.id,
        uri=attributes.uri or "",
        triggers=tuple(attributes.triggers or ()),
        is_paused=attributes.paused is True,
        failures=attributes.num_consecutive_times_failed or 0,
        last_attempted_at=attributes.last_attempted_at,
        secret=Secret(attributes.secret) if attributes.secret else None,
        campaign_id=CampaignId(campaign_id) if campaign_id else None,
    )
