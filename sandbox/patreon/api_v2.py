"""API v2's reads: identity, campaigns, members."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import web

from sandbox.patreon.errors import bad_request, forbidden, not_found, not_served
from sandbox.patreon.gate import Gate
from sandbox.patreon.jsonapi import Document, Selection, View
from sandbox.patreon.model import Campaign, Member
from sandbox.patreon.query import read_page_size, read_selection
from sandbox.patreon.resources_v2 import API_V2
from sandbox.patreon.shelf import Key
from sandbox.patreon.state import PatreonState

BASE = "/api/oauth2/v2"
# Patreon docs, v2 endpoints: 1000 members to a page, 500 where pledge_history is included.
MOST_MEMBERS = 1000
MOST_MEMBERS_WITH_HISTORY = 500
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)


def answer(document: dict[str, Any], status: int = 200) -> web.Response:
    """Send a JSON:API document."""
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/vnd.api+json")


class ApiV2:
    """The handlers; all that they know comes from the state."""

    def __init__(self, state: PatreonState, gate: Gate) -> None:
        self._state = state
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        return [
            web.get(f"{BASE}/identity", self.identity),
            web.get(f"{BASE}/campaigns", self.campaigns),
            web.get(f"{BASE}/campaigns/{{campaign_id}}", self.campaign),
            web.get(f"{BASE}/campaigns/{{campaign_id}}/members", self.members),
            web.get(f"{BASE}/members/{{member_id}}", self.member),
        ]

    async def identity(self, request: web.Request) -> web.Response:
        """GET /identity. identity.memberships without identity is not enough (Patreon forum, 8908)."""
        view = self._gate.admit(request, BASE, "identity")
        node = API_V2.compile("user", read_selection(request), view)
        return answer(Document(view).one(node, view.person))

    async def campaigns(self, request: web.Request) -> web.Response:
        """GET /campaigns: those of the token's person."""
        view = self._gate.admit(request, BASE, "campaigns")
        node = API_V2.compile("campaign", read_selection(request), view)
        campaigns = getattr(view.person, "campaigns", [])
        # The documentation's sample has a total and no cursors.
        return answer(Document(view).many(node, campaigns) | {"meta": {"pagination": {"total": len(campaigns)}}})

    async def campaign(self, request: web.Request) -> web.Response:
        """GET /campaigns/{id}."""
        view = self._gate.admit(request, BASE, "campaigns")
        node = API_V2.compile("campaign", read_selection(request), view)
        return answer(Document(view).one(node, own_campaign(self._state, request, view)))

    async def members(self, request: web.Request) -> web.Response:
        """GET /campaigns/{id}/members, oldest first."""
        view = self._gate.admit(request, BASE, "campaigns.members")
        selection = read_selection(request)
        node = API_V2.compile("member", selection, view)
        campaign = own_campaign(self._state, request, view)
        if "sort" in request.query:
            raise not_served("sorted member lists")
        page = Page(campaign, request, most=_most(selection))
        rows, pagination = page.under(view.fault)
        document = Document(view).many(node, rows) | {"meta": {"pagination": pagination}}
        following = pagination.get("cursors", {}).get("next")
        if following is not None:
            url = request.url.update_query({"page[cursor]": following})
            document["links"] = {"next": str(url)}
        return answer(document)

    async def member(self, request: web.Request) -> web.Response:
        """GET /members/{id}."""
        view = self._gate.admit(request, BASE, "campaigns.members")
        node = API_V2.compile("member", read_selection(request), view)
        member = self._state.members.get(request.match_info["member_id"])
        if member is None:
            raise not_found("Member")
        if member.campaign.creator is not view.person:
            raise forbidden("You do not have access to this member.")
        return answer(Document(view).one(node, member))


def own_campaign(state: PatreonState, request: web.Request, view: View) -> Campaign:
    """Return the campaign of the path: 404 where there is none, 403 where it is somebody else's."""
    campaign = state.campaigns.get(request.match_info["campaign_id"])
    if campaign is None:
        raise not_found("Campaign")
    if campaign.creator is not view.person:
        raise forbidden("You do not have access to this campaign.")
    return campaign


class Page:
    """One page of a campaign's members, from the place that the cursor names."""

    def __init__(self, campaign: Campaign, request: web.Request, *, most: int) -> None:
        self._shelf = campaign.members
        self._size = read_page_size(request, default=most, most=most)
        cursor = request.query.get("page[cursor]")
        self._start = 0 if not cursor else self._shelf.place_after(_read_cursor(cursor))

    def under(self, fault: str | None) -> tuple[list[Member], dict[str, Any]]:
        """Return rows and pagination, made wrong as the fault has it."""
        start, size, total = self._start, self._size, len(self._shelf)
        rows = self._shelf.slice(start, size)
        end = start + len(rows)
        following = _write_cursor(self._shelf.key_at(end - 1)) if end < total else None
        if fault == "endless_cursor" and following is None:
            before = self._shelf.key_at(start - 1) if start else (FIRST_MOMENT, "")
            following = _write_cursor(before)
        changed = {
            "cut": rows[: len(rows) // 2],
            "empty": [],
            "repeat_page": self._shelf.slice(max(0, start - size), size),
        }
        pagination: dict[str, Any] = {"total": total * 2 + 1 if fault == "wrong_total" else total}
        # A single page has a total and no cursors; the last of several has a null one.
        if start or following is not None:
            pagination["cursors"] = {"next": following}
        return changed.get(fault or "", rows), pagination


def _most(selection: Selection) -> int:
    has_history = any(path.startswith("pledge_history") for path in selection.include)
    return MOST_MEMBERS_WITH_HISTORY if has_history else MOST_MEMBERS


def _write_cursor(key: Key) -> str:
    """Write a cursor, opaque and never the same twice."""
    text = f"{key[0].isoformat()}|{key[1]}|{uuid4().hex[:6]}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str) -> Key:
    try:
        moment, name, _ = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        return datetime.fromisoformat(moment).astimezone(UTC), name
    except (binascii.Error, ValueError):
        raise bad_request("The cursor is not one of ours.", "page[cursor]") from None
