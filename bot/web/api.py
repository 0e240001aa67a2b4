"""`GET /api/v1/…`: what other programs may read of a server's members, by a token of that server.

| answer | when                                                                                          |
|--------|-----------------------------------------------------------------------------------------------|
| 200    | the members that were asked for                                                               |
| 304    | the same, and the program has just that already (If-None-Match)                               |
| 400    | `limit` or `after` is unusable                                                                |
| 401    | no token, or one that works no more                                                           |
| 403    | the token is right, and a web page sent it: all its visitors have it                          |
| 404    | a stranger, somebody who left or was never there: the same for all of them                    |
| 429    | more requests within a minute than one token may send, or more wrong tokens from one address  |

Reads only, so a leaked token changes nothing. A right token is never held up by what others send from its address:
behind a proxy all may seem to come from one. No page may read an answer (there is no CORS): a token in a page is
everybody's. `/api/openapi.json` says the same to programs, and needs no token: it tells nothing of any server.
"""

import hashlib
import ipaddress
import re
from collections.abc import Awaitable, Callable
from time import monotonic

import msgspec
from aiohttp import web

from bot.domain.addresses import API_PATH
from bot.domain.api_token import ApiToken
from bot.domain.model import DiscordUserId
from bot.sync.api_access import ApiAccess
from bot.sync.member_answers import MemberAnswers
from bot.texts.problems import Problem
from bot.web.bearer import bearer_of
from bot.web.problems import ProblemFound, to_problem
from bot.web.quota import Allowance, Quota
from bot.web.tally import Tally

REQUESTS_A_MINUTE = 300  # of one token
WRONG_A_MINUTE = 30  # tokens, from one address
MINUTE = 60.0
MOST_ON_A_PAGE = 500
USUAL_ON_A_PAGE = 100
GREATEST_ID = 2**63 - 1

_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)
_TAG = re.compile(r'"([^"]*)"')
_ASK_AGAIN = "private, no-cache"  # keep it, and ask each time whether it still holds

Answer = Callable[[web.Request, ApiToken], Awaitable[msgspec.Struct]]


def api_routes(access: ApiAccess, answers: MemberAnswers, *, description: bytes) -> list[web.RouteDef]:
    """Return the routes; `description` is the API's own, as OpenAPI."""
    guard = _Guard(access)

    async def list_members(request: web.Request, token: ApiToken) -> msgspec.Struct:
        after, most = _read_after(request.query.get("after", "0")), _read_limit(request.query.get("limit"))
        return await answers.page(token.guild_id, after, most=most)

    async def show_member(request: web.Request, token: ApiToken) -> msgspec.Struct:
        asked = request.match_info["discord_user_id"]
        person = DiscordUserId(int(asked)) if _ID.fullmatch(asked) else None
        found = None if person is None or person > GREATEST_ID else await answers.find(token.guild_id, person)
        if found is None:
            raise ProblemFound(404, Problem.NO_MEMBER)
        return found

    async def describe(request: web.Request) -> web.Response:
        return _to_answer(request, description)

    return [
        web.get(f"{API_PATH}/members", guard.around(list_members)),
        web.get(f"{API_PATH}/members/{{discord_user_id}}", guard.around(show_member)),
        web.get("/api/openapi.json", describe),
    ]


class _Guard:
    """Lets in who shows a token, and no more often than is fair."""

    def __init__(self, access: ApiAccess) -> None:
        self._access = access
        self._requests = Quota(REQUESTS_A_MINUTE, MINUTE)
        self._wrong = Quota(WRONG_A_MINUTE, MINUTE)
        self._refused = Tally("requests of programs were refused")

    def around(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return what handles a request by a token."""

        async def handle(request: web.Request) -> web.StreamResponse:
            allowance = None
            try:
                token = await self._admit(request)
                allowance = self._requests.take(str(token.token_id), monotonic())
                _require_allowance(allowance)
                response = _to_answer(request, msgspec.json.encode(await answer(request, token)))
            except ProblemFound as found:
                if found.status != 404:
                    self._refused.note(status=found.status, why=str(found.problem))
                response = to_problem(found.status, found.problem, found.headers)
            if allowance is not None:
                response.headers.update(_headers_of(self._requests, allowance))
            return response

        return handle

    async def _admit(self, request: web.Request) -> ApiToken:
        shown = bearer_of(request)
        if not shown:
            raise ProblemFound(401, Problem.NO_TOKEN, {"WWW-Authenticate": "Bearer"})
        token = await self._access.admit(shown)
        if token is None:
            _require_allowance(self._wrong.take(_place_of(request), monotonic()))
            raise ProblemFound(401, Problem.WRONG_TOKEN, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if "Origin" in request.headers:  # a browser names the page that sends (Fetch, "append a request Origin header")
            raise ProblemFound(403, Problem.FROM_A_PAGE)
        return token


def _require_allowance(allowance: Allowance) -> None:
    if allowance.is_over:
        raise ProblemFound(429, Problem.TOO_MANY, {"Retry-After": str(allowance.reset_seconds)})


def _headers_of(quota: Quota, allowance: Allowance) -> dict[str, str]:
    """Say what is left, as draft-ietf-httpapi-ratelimit-headers does."""
    return {
        "RateLimit-Policy": f'"token";q={quota.most};w={quota.seconds:.0f}',
        "RateLimit": f'"token";r={allowance.left};t={allowance.reset_seconds}',
    }


def _place_of(request: web.Request) -> str:
    """Name where a request comes from: of IPv6, the network that one household has."""
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return request.remote or ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:  # where the server listens on both protocols
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _to_answer(request: web.Request, body: bytes) -> web.Response:
    """Answer with JSON, or that the program has it already."""
    etag = hashlib.sha256(body).hexdigest()[:32]
    if _is_known(request, etag):
        response = web.Response(status=304)
    else:
        response = web.Response(body=body, content_type="application/json")
    response.headers["ETag"] = f'"{etag}"'  # as RFC 9110 spells it; aiohttp's own would be Etag
    response.headers["Cache-Control"] = _ASK_AGAIN
    response.headers["Vary"] = "Authorization"
    return response


def _is_known(request: web.Request, etag: str) -> bool:
    """Tell whether the program says that it has this (RFC 9110, 13.1.2): in one header or several, weak or strong."""
    said = ",".join(request.headers.getall("If-None-Match", ()))
    return said.strip() == "*" or etag in _TAG.findall(said)


def _read_after(typed: str) -> DiscordUserId:
    if _ID.fullmatch(typed) is None:
        raise ProblemFound(400, Problem.AFTER_UNUSABLE)
    return DiscordUserId(min(int(typed), GREATEST_ID))


def _read_limit(typed: str | None) -> int:
    if typed is None:
        return USUAL_ON_A_PAGE
    if _LIMIT.fullmatch(typed) is None or not 1 <= int(typed) <= MOST_ON_A_PAGE:
        raise ProblemFound(400, Problem.LIMIT_UNUSABLE)
    return int(typed)
