"""API v2's webhooks: a client sees, makes, changes and deletes those that it made itself."""

from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from sandbox.patreon.api_v2 import BASE, answer
from sandbox.patreon.errors import ApiError, bad_request, forbidden, not_found
from sandbox.patreon.gate import Gate
from sandbox.patreon.jsonapi import Document, Selection, View
from sandbox.patreon.model import Campaign, Webhook
from sandbox.patreon.query import read_selection
from sandbox.patreon.resources_v2 import API_V2, WEBHOOK
from sandbox.patreon.state import PatreonState
from sandbox.patreon.webhooks import Deliveries

SCOPE = "w:campaigns.webhook"
MEMBER_TRIGGERS = tuple(
    f"members:{deed}" for deed in ("create", "update", "delete", "pledge:create", "pledge:update", "pledge:delete")
)
POST_TRIGGERS = ("posts:publish", "posts:update", "posts:delete")
# The documentation's table says pledge:*, what arrives is plural (patreon-go, webhook.go).
V1_TRIGGERS = ("pledges:create", "pledges:update", "pledges:delete")
TRIGGERS = frozenset((*MEMBER_TRIGGERS, *POST_TRIGGERS, *V1_TRIGGERS))
# Who makes or changes a webhook gets all of it, the secret too.
WHOLE = Selection((), {"webhook": tuple(WEBHOOK.attributes)})


class WebhookApi:
    """The handlers."""

    def __init__(self, state: PatreonState, gate: Gate, deliveries: Deliveries) -> None:
        self._state = state
        self._gate = gate
        self._deliveries = deliveries

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        one = f"{BASE}/webhooks/{{webhook_id}}"
        return [
            web.get(f"{BASE}/webhooks", self.list_own),
            web.post(f"{BASE}/webhooks", self.create),
            web.patch(one, self.change),
            web.delete(one, self.delete),
        ]

    async def list_own(self, request: web.Request) -> web.Response:
        """GET /webhooks."""
        view = self._gate.admit(request, BASE, SCOPE)
        node = API_V2.compile("webhook", read_selection(request), view)
        own = [webhook for webhook in self._state.webhooks.values() if _is_own(webhook, view)]
        return answer(Document(view).many(node, own) | {"meta": {"pagination": {"total": len(own)}}})

    async def create(self, request: web.Request) -> web.Response:
        """POST /webhooks."""
        view = self._gate.admit(request, BASE, SCOPE)
        data = await _read_data(request)
        attributes = _read_attributes(data)
        if not {"triggers", "uri"} <= attributes.keys():
            raise bad_request("A webhook needs triggers and a uri.", "attributes")
        campaign = self._own_campaign(data, view)
        webhook = self._state.add_webhook(view.client, campaign, attributes["uri"], attributes["triggers"])
        return _whole(webhook, view, status=201)

    async def change(self, request: web.Request) -> web.Response:
        """PATCH /webhooks/{id}: triggers, uri, paused. Unpausing sends all that waits."""
        view = self._gate.admit(request, BASE, SCOPE)
        webhook = self._own(request, view)
        data = await _read_data(request)
        if data.get("id") != webhook.id:
            raise bad_request("The id of the body is not that of the path.", "id")
        attributes = _read_attributes(data)
        webhook.uri = attributes.get("uri", webhook.uri)
        webhook.triggers = tuple(attributes.get("triggers", webhook.triggers))
        webhook.is_paused = attributes.get("paused", webhook.is_paused)
        if not webhook.is_paused:
            webhook.failures = 0
            self._deliveries.flush(webhook)
        return _whole(webhook, view)

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /webhooks/{id}."""
        view = self._gate.admit(request, BASE, SCOPE)
        webhook = self._own(request, view)
        del self._state.webhooks[webhook.id]
        self._deliveries.drop(webhook)
        return web.Response(status=204)

    def _own(self, request: web.Request, view: View) -> Webhook:
        webhook = self._state.webhooks.get(request.match_info["webhook_id"])
        if webhook is None or not _is_own(webhook, view):
            raise not_found("Webhook")
        return webhook

    def _own_campaign(self, data: dict[str, Any], view: View) -> Campaign:
        try:
            campaign = self._state.campaigns.get(data["relationships"]["campaign"]["data"]["id"])
        except (KeyError, TypeError):
            raise bad_request("A webhook needs a campaign.", "relationships") from None
        if campaign is None:
            raise not_found("Campaign")
        if campaign.creator is not view.person:
            raise forbidden("You do not have access to this campaign.")
        return campaign


def _is_own(webhook: Webhook, view: View) -> bool:
    return webhook.client is view.client and webhook.campaign.creator is view.person


def _whole(webhook: Webhook, view: View, *, status: int = 200) -> web.Response:
    return answer(Document(view).one(API_V2.compile("webhook", WHOLE, view), webhook), status)


async def _read_data(request: web.Request) -> dict[str, Any]:
    """Read the resource object of a JSON:API body."""
    if "json" not in request.content_type:
        raise ApiError(415, "UnsupportedMediaType", "The body must be JSON.")
    try:
        data = orjson.loads(await request.read())["data"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise bad_request("The body has no data.") from None
    if not isinstance(data, dict) or data.get("type") != "webhook":
        raise bad_request("The data must be of type webhook.", "type")
    return data


def _read_attributes(data: dict[str, Any]) -> dict[str, Any]:
    """Check what a body wants to set."""
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise bad_request("The data has no attributes.", "attributes")
    for name, value in attributes.items():
        if name not in _CHECKS or not _CHECKS[name](value):
            raise bad_request(f"'{name}' cannot be set so.", name)
    return attributes


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}


def _are_triggers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(trigger in TRIGGERS for trigger in value)


_CHECKS = {"paused": lambda value: isinstance(value, bool), "triggers": _are_triggers, "uri": _is_address}
