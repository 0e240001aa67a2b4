"""The bot's web server: its routes, the headers on every answer, and pages for what goes wrong.

Nothing that a request holds is echoed or logged: the callback's address carries a code and a state.
"""

import errno
import os
import socket
import traceback
from collections.abc import Iterable

import structlog
from aiohttp import web
from multidict import CIMultiDictProxy

from bot.domain.errors import SettingsInvalid, Setup
from bot.linking.connect import ConnectFlow
from bot.linking.flow import LinkFlow
from bot.runtime.health import HealthBoard
from bot.web.connect import ConnectPages
from bot.web.connections import Answer, ConnectionServer
from bot.web.consent import ConsentPages
from bot.web.headers import SECURITY_HEADERS
from bot.web.health import health_routes
from bot.web.render import BROKEN, NOT_ALLOWED, NOT_FOUND, REFUSED, TOO_LARGE, Renderer, Said
from bot.web.tally import Tally

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 16 * 1024  # our forms send one token
MAX_LINE_BYTES = 8190
MAX_HEADERS = 64
SHUTDOWN_SECONDS = 2.0  # so that the whole process ends within ten; whoever waits for Patreon may take half a minute

PORT_ERRORS = {errno.EADDRINUSE, errno.EACCES}  # taken; below 1024, which is for the system's own services

SAID_FOR: dict[int, Said] = {404: NOT_FOUND, 405: NOT_ALLOWED, 413: TOO_LARGE}
NOTED = {400, 415, 417}  # no browser and no service of ours sends such a thing


class WebServer:
    """Listens from `start` to `stop`."""

    def __init__(
        self,
        *,
        flow: LinkFlow,
        connecting: ConnectFlow,
        health: HealthBoard,
        public_url: str,
        routes: Iterable[web.RouteDef] = (),
    ) -> None:
        self._health = health
        self._renderer = Renderer()
        connect = ConnectPages(flow=connecting, renderer=self._renderer, public_url=public_url)
        self._routes = [
            *ConsentPages(flow=flow, connect=connect, renderer=self._renderer, public_url=public_url).routes(),
            *connect.routes(),
            *health_routes(health),
            *routes,
        ]
        self._pages: web.AppRunner | None = None
        self._runner: web.ServerRunner | None = None
        self._refused = Tally("requests were refused")
        self._broken: dict[str, Tally] = {}

    async def start(self, host: str, port: int) -> None:
        """Listen; raises SettingsInvalid where the address cannot be had. Port 0 takes a free one."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes(self._routes)
        self._pages = web.AppRunner(app)
        await self._pages.setup()
        pages = self._pages.server
        if pages is None:
            raise RuntimeError("aiohttp set up no server")
        server = ConnectionServer(
            self._guarded(pages.request_handler),
            request_factory=pages.request_factory,
            access_log=None,  # it would print the callback's address
            auto_decompress=False,  # nothing that a stranger sends is inflated, not even to find out what it is
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise _refusal(error) from None
        self._health.ok("web")
        log.info("the web server listens", host=host, port=self.port)

    async def stop(self) -> None:
        """Let requests end, then stop listening."""
        runner, self._runner = self._runner, None
        pages, self._pages = self._pages, None
        if runner is not None:
            await runner.cleanup()
            self._health.failed("web", "stopped")
        if pages is not None:
            await pages.cleanup()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the web server does not listen")
        port: int = self._runner.addresses[0][1]
        return port

    def _guarded(self, pages: Answer) -> Answer:
        """Return what answers every request whose head could be read: around all that aiohttp answers by itself."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            try:
                _refuse_codings(request.headers)
                response = await pages(request)
            except web.HTTPException as refusal:
                response = self._refuse(refusal)
            except web.RequestPayloadError:
                response = self._refuse(web.HTTPBadRequest())
            except Exception as error:  # noqa: BLE001  the boundary: one page's fault must not end the server
                self._note_broken(request, error)
                response = self._plain(BROKEN, 500)
            response.headers.update(SECURITY_HEADERS)
            return response

        return answer

    def _refuse(self, refusal: web.HTTPException) -> web.Response:
        if refusal.status in NOTED:
            self._refused.note(status=refusal.status)
        response = self._plain(SAID_FOR.get(refusal.status, REFUSED), refusal.status)
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

    def _plain(self, said: Said, status: int) -> web.Response:
        return web.Response(text=self._renderer.plain(said), status=status, content_type="text/html")


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
