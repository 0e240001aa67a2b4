"""The weather at Patreon's door: carries out the faults that strike any request, and passes on those of pages.

Faults of a page's content (PAGE_FAULTS), and those of the consent page, are left on the request for whoever makes the
page; those of webhooks are asked for where they are delivered.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.patreon.errors import ApiError, throttled, unauthorized
from sandbox.patreon.query import asked_rows
from sandbox.weather import Weather

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUSES = frozenset({"500", "502", "503", "504", "403", "404", "401"})
DOOR_FAULTS = STATUSES | {"429", "html", "html_403", "slow", "held", "hang", "drop", "lost", "other_api"}
PAGE_FAULTS = frozenset(
    {"cut", "empty", "wrong_total", "endless_cursor", "repeat_page", "null_users", "no_tiers", "no_discord"}
    | {"token_expired"}
)
CONSENT_FAULTS = frozenset({"login_first", "error_page", "error_json", "sent_back"})
WEBHOOK_FAULTS = frozenset({"webhook_late", "webhook_twice", "webhook_reordered", "webhook_paused"})
FAULTS = DOOR_FAULTS | PAGE_FAULTS | CONSENT_FAULTS | WEBHOOK_FAULTS
"""All that the weather can do here."""

CONSENT_PATH = "/oauth2/authorize"
SLOW_SECONDS = 2.0
HANG_SECONDS = 60.0
HELD_LOOK_SECONDS = 0.05
RETRY_AFTER_SECONDS = 2
HTML = "<!doctype html><html lang='en'><title>Just a moment</title><h1>Checking your browser</h1></html>"
_FAULT = web.RequestKey("fault", str)


def fault_of(request: web.Request) -> str | None:
    """Return the fault that strikes this request and is left to whoever makes the page."""
    return request.get(_FAULT)


class Door:
    """The middleware that asks the weather once for each request."""

    def __init__(self, weather: Weather, closing: asyncio.Event) -> None:
        self._weather = weather
        self._closing = closing

    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, under the fault of the hour."""
        left = PAGE_FAULTS | CONSENT_FAULTS if request.path == CONSENT_PATH else PAGE_FAULTS
        line, among = f"{request.method} {request.path}", DOOR_FAULTS | left
        fault = self._weather.take("patreon", line, among=among, rows=asked_rows(request))
        if fault in left:
            request[_FAULT] = fault
        elif fault is not None:
            return await self._strike(fault, request, handler)
        return await handler(request)

    async def _strike(self, fault: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        if fault == "429":
            raise throttled(RETRY_AFTER_SECONDS)
        if (
            fault == "other_api"
        ):  # API v1 to a client of v2 (patreon-js #30); Patreon's docs promise otherwise for a while
            raise ApiError(403, "OAuthClientViewForbidden", "You do not have permission to view this with your client.")
        if fault == "401":
            raise unauthorized()
        if fault in STATUSES:
            raise ApiError(int(fault), f"Weather{fault}", "The sandbox's weather answers for Patreon.")
        if fault in {"html", "html_403"}:
            status = 200 if fault == "html" else 403
            return web.Response(status=status, text=HTML, content_type="text/html")
        if fault == "held":
            await self._hold()
            return await handler(request)
        if fault in {"slow", "hang"}:
            await self._wait(SLOW_SECONDS if fault == "slow" else HANG_SECONDS)
        if fault in {"slow", "lost"}:
            response = await handler(request)
            if fault == "slow":
                return response
        return cut_connection(request)

    async def _hold(self) -> None:
        """Keep a request waiting until nothing is held any more."""
        while not self._closing.is_set() and self._is_held():  # noqa: ASYNC110  faults are a list, and no event tells
            await asyncio.sleep(HELD_LOOK_SECONDS)

    def _is_held(self) -> bool:
        return any(one.fault == "held" for one in self._weather.faults)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


def cut_connection(request: web.Request) -> web.Response:
    """Close the connection under the client; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)
