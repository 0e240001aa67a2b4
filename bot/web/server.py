"""The bot's web server: its routes, the headers on every answer, and pages for what goes wrong; for programs, problems.

Nothing that a request holds is echoed or logged: the callback's address carries a code and a state.
"""

import errno
import os
import socket
import traceback
from collections.abc import Iterable, Sequence

import structlog
from aiohttp import web
from multidict import CIMultiDictProxy

from bot.domain.errors import SettingsInvalid, Setup, TryLater
from bot.domain.forwarding import Network
from bot.linking.consent_flow import ConsentFlow
from bot.runtime.health import HealthBoard
from bot.texts.pages import Refusal
from bot.web.clients import with_client
from bot.web.connections import Answer, ConnectionServer
from bot.web.consent_pages import consent_routes
from bot.web.headers import secure
from bot.web.health import health_routes
from bot.web.problems import API_ROOT, to_problem
from bot.web.render import Pages
from bot.web.tally import Tally
from bot.web.visits import language_of, to_page

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 16 * 1024  # our forms send one token
MAX_LINE_BYTES = 8190
MAX_HEADERS = 64
SHUTDOWN_SECONDS = 2.0  # so that the whole process ends within ten; whoever waits for Patreon may take half a minute

PORT_ERRORS = {errno.EADDRINUSE, errno.EACCES}  # taken; below 1024, which is for the system's own services

REFUSALS = {404: Refusal.NOT_FOUND, 405: Refusal.NOT_ALLOWED, 413: Refusal.TOO_LARGE}
NOTED = {400, 415, 417}  # no browser and no service of ours sends such a thing


class WebServer:
    """Listens from `start` to `stop`; without pages it still tells how this process is."""

    def __init__(
        self,
        *,
        linking: ConsentFlow,
        connecting: ConsentFlow,
        health: HealthBoard,
        public_url: str,
        has_pages: bool = True,
        routes: Iterable[web.RouteDef] = (),
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._health = health
        self._proxies = trusted_proxies
        self._pages = Pages()
        self._routes = [
            *(consent_routes((linking, connecting), pages=self._pages, public_url=public_url) if has_pages else ()),
            *health_routes(health),
            *routes,
        ]
        self._app: web.AppRunner | None = None
        self._server: ConnectionServer | None = None
        self._refused = Tally("requests were refused")
        self._broken: dict[str, Tally] = {}

    async def start(self, host: str, port: int) -> None:
        """Listen; raises SettingsInvalid where the address cannot be had. Port 0 takes a free one."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes(self._routes)
        self._app = web.AppRunner(app)
        await self._app.setup()
        pages = self._app.server
        if pages is None:
            raise RuntimeError("aiohttp set up no server")
        self._server = ConnectionServer(
            self._guarded(pages.request_handler),
            request_factory=pages.request_factory,
            access_log=None,  # it would print the callback's address
            auto_decompress=False,  # nothing that a stranger sends is inflated, not even to find out what it is
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
        )
        try:
            await self._server.listen(host, port)
        except OSError as error:
            await self.stop()
            raise _refusal(error) from None
        self._health.ok("web")
        log.debug("the web server listens", host=host, port=self.port)  # a start sums up where

    async def stop(self) -> None:
        """Let requests end, then stop listening."""
        server, self._server = self._server, None
        app, self._app = self._app, None
        if server is not None:
            await server.close(SHUTDOWN_SECONDS)
            self._health.ended("web")
        if app is not None:
            await app.cleanup()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None or self._server.port is None:
            raise RuntimeError("the web server does not listen")
        return self._server.port

    def _guarded(self, pages: Answer) -> Answer:
        """Return what answers every request whose head could be read: around all that aiohttp answers by itself."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            request = with_client(request, self._proxies)
            try:
                _refuse_codings(request.headers)
                response = await pages(request)
            except web.HTTPException as refusal:
                response = self._refuse(request, refusal)
            except web.RequestPayloadError:
                response = self._refuse(request, web.HTTPBadRequest())
            except TryLater as away:
                self._note_broken(request, away)
                response = self._plain(request, Refusal.LATER, 503)
            except Exception as error:  # noqa: BLE001  the boundary: one page's fault must not end the server
                self._note_broken(request, error)
                response = self._plain(request, Refusal.BROKEN, 500)
            secure(response.headers)
            return response

        return answer

    def _refuse(self, request: web.BaseRequest, refusal: web.HTTPException) -> web.Response:
        if refusal.status in NOTED:
            self._refused.note(status=refusal.status, client=request.remote)
        response = self._plain(request, REFUSALS.get(refusal.status, Refusal.REFUSED), refusal.status)
        if "Allow" in refusal.headers:
            response.headers["Allow"] = refusal.headers["Allow"]
        return response

    def _note_broken(self, request: web.BaseRequest, error: Exception) -> None:
        """Log a page's fault; its traceback would print the error's text, and that may hold what it met."""
        resource = request.match_info.route.resource if isinstance(request, web.Request) else None
        page = resource.canonical if resource else "none"
        tally = self._broken.setdefault(page, Tally("a page failed", level="error"))
        tally.note(
            page=page,
            error=type(error).__name__,
            frames=[f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)],
        )

    def _plain(self, request: web.BaseRequest, refusal: Refusal, status: int) -> web.Response:
        if request.path.startswith(API_ROOT):
            return to_problem(status)
        return to_page(self._pages.refused(refusal, language_of(request)), status)


def _refuse_codings(headers: CIMultiDictProxy[str]) -> None:
    """Refuse a body that would have to be unpacked: neither a browser's form nor Patreon's webhook is ever packed."""
    if "Content-Encoding" in headers:
        raise web.HTTPUnsupportedMediaType
    if any(coding.strip().lower() != "chunked" for coding in headers.getall("Transfer-Encoding", ())):
        raise web.HTTPBadRequest


def _refusal(error: OSError) -> SettingsInvalid:
    """Tell which setting is wrong; the error's own text may hold the address."""
    is_no_host = isinstance(error, socket.gaierror) or error.errno is None
    reason = "no such host" if is_no_host else os.strerror(error.errno or 0)
    return SettingsInvalid(Setup.PORT_REFUSED if error.errno in PORT_ERRORS else Setup.HOST_REFUSED, reason=reason)
