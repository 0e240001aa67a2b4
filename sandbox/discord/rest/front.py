"""The door of the REST API: weather, token, rate limit, body, handler, answer, in this order.

Traps that clients rely on: the Content-Type is exactly application/json (no charset), and only a 429 of Discord's own
carries Via. Discord docs, "Reference" and "Rate Limits".
"""

import asyncio
import mimetypes
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from aiohttp import BodyPartReader, web

from sandbox.discord.backend import Backend, Call, RoleWrite
from sandbox.discord.changes import Actor
from sandbox.discord.errors import ApiError, invalid, not_served, refusal, unauthorized
from sandbox.discord.files import Files
from sandbox.discord.model import Json
from sandbox.discord.ratelimits import limited_body, limited_headers
from sandbox.discord.rest.call import Answer, ApiCall, Route
from sandbox.peers import peer_of

BASE = "/api/v10"
SLOW_SECONDS, HANG_SECONDS = 2.0, 60.0
RACE_SECONDS = 0.5
MOST_REASON = 512
NO_ANSWER = 444
UNKNOWN_TYPE = "application/octet-stream"  # what discord.py says of every file
REST_FAULTS = frozenset(
    [
        "500",
        "502",
        "503",
        "403",
        "404",
        "401",
        "429",
        "html",
        "slow",
        "hang",
        "drop",
        "lost",
        "ban",
        "write_lost",
        "missing_permission",
        "parallel_write_lost",
        "10007",
        "10011",
        "10013",
        "limited_for_hours",
        "30034",
        "50035",
        "60003",
    ]
)
# What Discord itself says no with: counted like any call, and sent with the headers of its limit.
REFUSALS = {"403": 50001, "missing_permission": 50013} | {
    str(code): code for code in (10007, 10011, 10013, 30034, 50035, 60003)
}
HOURS_SECONDS = 5 * 3600.0
BAN_PAGE = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>error code: 1015</body></html>"
MEMBER = "/guilds/{g}/members/{u}"
ROLE_WRITES = frozenset({f"PATCH {MEMBER}", f"PUT {MEMBER}/roles/{{r}}", f"DELETE {MEMBER}/roles/{{r}}"})
TOKEN_IN_PATH = re.compile(r"^(/(?:webhooks|interactions)/[^/]+/)[^/]+")


class Front:
    """Serves one route; one for each."""

    def __init__(self, backend: Backend, route: Route) -> None:
        self.backend = backend
        self.route = route
        self.name = f"{route.method} {route.template}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request and note it."""
        answer: web.StreamResponse | None = None
        began = time.monotonic()
        peer = peer_of(request) if self.name in ROLE_WRITES else None
        try:
            answer = await self._answer(request)
            return answer
        finally:
            shown = note(self.backend, request, self.name, answer.status if answer is not None else NO_ANSWER)
            if peer is not None:
                at = request.match_info
                write = RoleWrite(began, time.monotonic(), request.method, at["g"], at["u"], at.get("r"), shown, peer)
                self.backend.role_writes.append(write)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        fault = self._fault(request)
        if fault in ("hang", "drop"):
            return await cut(request, HANG_SECONDS if fault == "hang" else 0.0)
        if fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if fault and (struck := strike(fault)) is not None:
            return struck
        if self.backend.limits.is_blocked():
            return ban()
        answer = await self._served(request, fault)
        if fault == "lost":
            return await cut(request, 0.0)
        if fault == "parallel_write_lost":
            await self._overwrite(request)
        return answer

    async def _overwrite(self, request: web.Request) -> None:
        """Let what this request wrote to a member's roles land once more, over what was written meanwhile."""
        guild = self.backend.state.guilds.get(request.match_info.get("g", ""))
        member = guild.members.get(request.match_info.get("u", "")) if guild else None
        if guild is None or member is None:
            return
        written = member.role_ids
        await asyncio.sleep(RACE_SECONDS)
        if member.id in guild.members:
            self.backend.changes.set_roles(
                guild, member, written & guild.roles.keys(), Actor(self.backend.state.bot.id)
            )

    def _fault(self, request: web.Request) -> str | None:
        weather = self.backend.weather
        if not weather.faults:
            return None
        line = f"{request.method} {request.path.removeprefix(BASE)}"
        if any("{" in fault.route for fault in weather.faults):
            # Someone named the route by its template, as the list of calls shows it.
            line = self.name if any(fault.matches(self.name) for fault in weather.faults) else line
        return weather.take("discord", line, among=REST_FAULTS)

    async def _served(self, request: web.Request, fault: str | None) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            self._authorise(request)
            top = "/".join(request.match_info[name] for name in self.route.top)
            verdict = self.backend.limits.take(
                self.route.bucket, self.route.template, top, counts_globally=self.route.needs_token
            )
            headers = verdict.headers
            if verdict.retry_after is not None:
                return reply(429, limited_body(verdict.retry_after, is_global=verdict.is_global), headers)
            if fault in REFUSALS:
                raise refusal(REFUSALS[fault])
            return self._handle(await self._read(request), headers, pretend=fault == "write_lost")
        except ApiError as error:
            return reply(error.status, error.body, headers)

    def _handle(self, call: ApiCall, headers: dict[str, str], *, pretend: bool) -> web.Response:
        if pretend:
            return reply(204, None, headers)
        answer = self.route.handler(call)
        if isinstance(answer, Answer):
            return reply(answer.status, answer.body, headers)
        return reply(204 if answer is None else 200, answer, headers)

    def _authorise(self, request: web.Request) -> None:
        if not request.headers.get("User-Agent"):
            raise refusal(40333)
        given = request.headers.get("Authorization", "")
        if self.route.needs_token and given != f"Bot {self.backend.state.bot_token}":
            raise unauthorized()

    async def _read(self, request: web.Request) -> ApiCall:
        body, files = await read_body(request, self.backend.files)
        reason = read_reason(request.headers.get("X-Audit-Log-Reason", ""))
        locale = request.headers.get("X-Discord-Locale", self.backend.state.bot.locale)
        return ApiCall(self.backend, request.match_info, request.query, body, files, reason, locale)


def read_reason(header: str) -> str | None:
    """Return the reason for the audit log: URL-encoded UTF-8 (docs, "Audit Log"), or raw bytes as they came."""
    raw = unquote_to_bytes(header.encode("utf-8", "surrogateescape"))
    reason = raw.decode("utf-8", "replace").strip()
    if len(reason) > MOST_REASON:
        raise invalid("", "BASE_TYPE_MAX_LENGTH", "Must be 512 or fewer in length.")
    return reason or None


def reply(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    """Return an answer of Discord's own: JSON, or nothing with 204."""
    if status == 204:
        return web.Response(status=204, headers=headers)
    return web.Response(status=status, body=orjson.dumps(body), headers=headers, content_type="application/json")


def ban() -> web.Response:
    """Return what Cloudflare answers to an address that it blocked: no Via, no JSON."""
    return web.Response(status=429, body=BAN_PAGE, content_type="text/html", headers={"Retry-After": "3600"})


def strike(fault: str) -> web.Response | None:
    """Return the answer that a fault puts in place of the right one; None where it does not."""
    errors: dict[str, Json] = {
        "401": {"message": "401: Unauthorized", "code": 0},
        "404": {"message": "404: Not Found", "code": 0},
        "500": {"message": "500: Internal Server Error", "code": 0},
        "502": {"message": "502: Bad Gateway", "code": 0},
        "503": {"message": "Service resource is being rate limited.", "code": 130000},
    }
    if fault in errors:
        return reply(int(fault), errors[fault])
    if fault == "429":
        return reply(429, limited_body(1.0), limited_headers(1.0, scope="user"))
    if fault == "limited_for_hours":
        return reply(429, limited_body(HOURS_SECONDS), limited_headers(HOURS_SECONDS, scope="user"))
    if fault == "ban":
        return ban()
    if fault == "html":
        return web.Response(body=b"<!DOCTYPE html><html><body>Discord</body></html>", content_type="text/html")
    return None


async def cut(request: web.Request, after_seconds: float) -> web.StreamResponse:
    """Cut the connection without an answer, at once or when the client gives up."""
    ends = asyncio.get_running_loop().time() + after_seconds
    while asyncio.get_running_loop().time() < ends and request.transport is not None:  # noqa: ASYNC110  no event tells
        await asyncio.sleep(0.05)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=NO_ANSWER)


async def read_body(request: web.Request, kept: Files) -> tuple[Any, list[Json]]:
    """Return the JSON of the body, and the files beside it (multipart: `payload_json` and `files[n]`)."""
    if request.content_type.startswith("multipart/"):
        return await read_multipart(request, kept)
    raw = await request.read()
    return decode(raw) if raw else None, []


async def read_multipart(request: web.Request, kept: Files) -> tuple[Any, list[Json]]:
    """Return `payload_json` and the attachments that the files become."""
    body: Any = None
    files: dict[str, Json] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        raw = bytes(await part.read())
        if part.name == "payload_json":
            body = decode(raw)
        elif part.filename:
            number = (part.name or "").removeprefix("files[").removesuffix("]")
            sent = part.headers.get("Content-Type", UNKNOWN_TYPE)
            files[number] = kept.keep(part.filename, guessed(part.filename) if sent == UNKNOWN_TYPE else sent, raw)
    describe(body, files)
    return body, list(files.values())


def describe(body: Any, files: Mapping[str, Json]) -> None:
    """Give each file what `attachments` says of it: its alt text. An answer to an interaction has that below `data`."""
    form = body.get("data", body) if isinstance(body, dict) else None
    told = form.get("attachments") if isinstance(form, dict) else None
    for one in told if isinstance(told, list) else []:
        if isinstance(one, dict) and str(one.get("id")) in files and isinstance(one.get("description"), str):
            files[str(one["id"])]["description"] = one["description"]


def decode(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refusal(50109) from error


def guessed(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or UNKNOWN_TYPE


def note(backend: Backend, request: web.Request, route: str, status: int) -> int:
    """Keep a request in the list of calls, and count it if it was refused; return the status that is shown."""
    path = TOKEN_IN_PATH.sub(r"\1…", request.path.removeprefix(BASE))
    agent = request.headers.get("User-Agent", "")
    shown = 0 if status == NO_ANSWER else status
    backend.note(Call(backend.state.clock.now(), request.method, path, route, shown, agent, peer_of(request).pid))
    backend.limits.note(status)
    return shown


async def serve_the_rest(backend: Backend, request: web.Request) -> web.StreamResponse:
    """Say that a route is not served here, rather than pretend."""
    error = not_served(f"{request.method} {request.path.removeprefix(BASE)}")
    note(backend, request, f"{request.method} (not served)", error.status)
    return reply(error.status, error.body)
