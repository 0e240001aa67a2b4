"""API v1's reads: current_user, its campaigns, a campaign's pledges; under today's address and the legacy one.

Known quirks that are kept: links.first and links.next drop include and fields (staff on the Patreon forum, 187),
and a page starts with what was created exactly at the cursor, so that the last row of a page comes once more.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.patreon.api_v2 import answer, own_campaign
from sandbox.patreon.errors import bad_request, not_served
from sandbox.patreon.gate import Gate
from sandbox.patreon.jsonapi import Document
from sandbox.patreon.model import Campaign, Member
from sandbox.patreon.query import read_page_size, read_selection_v1
from sandbox.patreon.resources_v1 import API_V1
from sandbox.patreon.state import PatreonState

# The second is what api.patreon.com serves; older clients still use it.
BASES = ("/api/oauth2/api", "/oauth2/api")
ROWS = 10
# Not documented; clients in production ask for 100.
MOST_ROWS = 100

# What `include=x` brings along, by the relation's name; `include=x.null` brings nothing.
RELATIONS = {
    "pledges": ("patron", "reward", "creator", "address", "card"),
    "reward": ("campaign",),
    "rewards": ("campaign",),
    "campaign": ("creator", "goals", "rewards"),
}
PLEDGE_INCLUDES = "patron.null,reward.campaign.null,creator.campaign.null,address.null,card.null"
USER_INCLUDES = (
    "campaign.null,pledges.patron.null,pledges.reward.campaign.null,pledges.creator.campaign.null,"
    "pledges.address.null,pledges.card.null"
)
CAMPAIGN_INCLUDES = "creator.null,rewards.null,goals.null"

# API v2's scopes serve here too, for as long as the transition lasts (Patreon docs, OAuth).
SELF = (frozenset({"users"}), frozenset({"identity"}))
CAMPAIGNS = (frozenset({"my-campaign"}), frozenset({"campaigns"}))
PLEDGES = (frozenset({"my-campaign"}), frozenset({"pledges"}), frozenset({"campaigns", "campaigns.members"}))


class ApiV1:
    """The handlers; all that they know comes from the state."""

    def __init__(self, state: PatreonState, gate: Gate) -> None:
        self._state = state
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve, under both addresses."""
        return [
            route
            for base in BASES
            for route in (
                web.get(f"{base}/current_user", self.current_user),
                web.get(f"{base}/current_user/campaigns", self.campaigns),
                web.get(f"{base}/campaigns/{{campaign_id}}/pledges", self.pledges),
            )
        ]

    async def current_user(self, request: web.Request) -> web.Response:
        """GET /current_user, with the person's pledges."""
        view = self._gate.admit(request, _base(request), any_of=SELF)
        selection = read_selection_v1(request, default=USER_INCLUDES, relations=RELATIONS)
        return answer(Document(view).one(API_V1.compile("user", selection, view), view.person))

    async def campaigns(self, request: web.Request) -> web.Response:
        """GET /current_user/campaigns: a list, though it has one element most of the time."""
        view = self._gate.admit(request, _base(request), any_of=CAMPAIGNS)
        selection = read_selection_v1(request, default=CAMPAIGN_INCLUDES, relations=RELATIONS)
        node = API_V1.compile("campaign", selection, view)
        return answer(Document(view).many(node, getattr(view.person, "campaigns", [])))

    async def pledges(self, request: web.Request) -> web.Response:
        """GET /campaigns/{id}/pledges."""
        base = _base(request)
        view = self._gate.admit(request, base, any_of=PLEDGES)
        selection = read_selection_v1(request, default=PLEDGE_INCLUDES, relations=RELATIONS)
        node = API_V1.compile("pledge", selection, view)
        page = PledgePage(own_campaign(self._state, request, view), request)
        rows, cursor = page.under(view.fault)
        document = Document(view).many(node, rows)
        first = f"{view.url}{request.path.removeprefix(base)}?page%5Bcount%5D={page.size}&sort={page.sort}"
        document["links"] = {"first": first}
        if cursor is not None:
            document["links"]["next"] = f"{first}&page%5Bcursor%5D={quote(cursor, safe='')}"
        document["meta"] = {"count": page.total * 2 + 1 if view.fault == "wrong_total" else page.total}
        return answer(document)


class PledgePage:
    """One page of a campaign's pledges, by the time they were made, oldest or newest first."""

    def __init__(self, campaign: Campaign, request: web.Request) -> None:
        self.size = read_page_size(request, default=ROWS, most=MOST_ROWS)
        self.sort = request.query.get("sort", "created")
        self.total = len(campaign.pledges)
        self._shelf = campaign.pledges
        if self.sort in {"updated", "-updated"}:
            raise not_served("pledges sorted by their last change")
        if self.sort not in {"created", "-created"}:
            raise bad_request(f"'{self.sort}' is not an attribute to sort by.", "sort")
        cursor = request.query.get("page[cursor]")
        self._start = 0 if not cursor else self._place(_read_moment(cursor))

    def under(self, fault: str | None) -> tuple[list[Member], str | None]:
        """Return rows and the next cursor, made wrong as the fault has it."""
        rows = self._rows(self._start)
        has_more = self._start + len(rows) < self.total
        cursor = _made_at(rows[-1]) if rows and has_more else None
        if fault == "endless_cursor" and cursor is None and rows:
            cursor = _made_at(rows[0])
        changed: dict[str, Any] = {
            "cut": rows[: len(rows) // 2],
            "empty": [],
            "repeat_page": self._rows(max(0, self._start + 1 - self.size)),
        }
        return changed.get(fault or "", rows), cursor

    def _rows(self, start: int) -> list[Member]:
        if self.sort == "created":
            return self._shelf.slice(start, self.size)
        first = max(0, self.total - start - self.size)
        return self._shelf.slice(first, self.total - start - first)[::-1]

    def _place(self, moment: datetime) -> int:
        """Return where the rows of this very moment begin, in the order that is asked for."""
        if self.sort == "created":
            return self._shelf.place_from(moment)
        return self.total - self._shelf.place_after((moment, "\uffff"))


def _base(request: web.Request) -> str:
    return next(base for base in BASES if request.path.startswith(base))


def _made_at(member: Member) -> str:
    return (member.started_at or member.joined_at).isoformat()


def _read_moment(cursor: str) -> datetime:
    try:
        return datetime.fromisoformat(cursor).astimezone(UTC)
    except ValueError:
        raise bad_request("The cursor is no moment in time.", "page[cursor]") from None
