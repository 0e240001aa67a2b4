"""The bot's web server: its routes, the headers on every answer, and pages for what goes wrong.

Nothing that a request holds is echoed or logged: the callback's address carries a code and a state.
"""

import asyncio
import errno
import os
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bot.errors import NeedsOwner
from bot.health import HealthBoard
from bot.linking.connect import ConnectFlow
from bot.linking.flow import LinkFlow
from bot.web.connect import ConnectPages
from bot.web.consent import ConsentPages
from bot.web.headers import SECURITY_HEADERS
from bot.web.health import health_routes
from bot.web.render import BROKEN, NOT_ALLOWED, NOT_FOUND, REFUSED, TOO_LARGE, Renderer, Said
from bot.web.tally import Tally

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 16 * 1024  # our forms send one token
MAX_LINE_BYTES = 8190
MAX_HEADERS = 64
SHUTDOWN_SECONDS = 10.0
HEAD_SECONDS = 20.0  # from the connection, or the answer before, to the end of a request's head
MAX_CONNECTIONS = 256

PORT_ERRORS = {errno.EADDRINUSE, errno.EACCES}  # taken; below 1024, which is for the system's own services

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAID_FOR: dict[int, Said] = {404: NOT_FOUND, 405: NOT_ALLOWED, 413: TOO_LARGE}


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
        self._runner: _Runner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen; raises NeedsOwner where the address cannot be had. Port 0 takes a free one."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        app.add_routes(self._routes)
        self._runner = _Runner(
            app,
            access_log=None,  # it would print the callback's address
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            shutdown_timeout=SHUTDOWN_SECONDS,
            keepalive_timeout=HEAD_SECONDS,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            raise NeedsOwner(_why_not(error)) from None
        self._health.ok("web")
        log.info("the web server listens", host=host, port=self.port)

    async def stop(self) -> None:
        """Let requests end, then stop listening."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
            self._health.failed("web", "stopped")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the web server does not listen")
        port: int = self._runner.addresses[0][1]
        return port

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            response = self._plain(SAID_FOR.get(refusal.status, REFUSED), refusal.status)
            if "Allow" in refusal.headers:
                response.headers["Allow"] = refusal.headers["Allow"]
        except Exception as error:  # noqa: BLE001  the boundary: one page's fault must not end the server
            resource = request.match_info.route.resource
            log.error(  # noqa: TRY400  a traceback would print the error's text, and that may hold what it met
                "a page failed",
                page=resource.canonical if resource else "none",
                error=type(error).__name__,
                frames=[f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)],
            )
            response = self._plain(BROKEN, 500)
        response.headers.update(SECURITY_HEADERS)
        return response

    def _plain(self, said: Said, status: int) -> web.Response:
        return web.Response(text=self._renderer.plain(said), status=status, content_type="text/html")


def _why_not(error: OSError) -> str:
    """Say which setting is wrong; the error's own text may hold the address."""
    is_no_host = isinstance(error, socket.gaierror) or error.errno is None
    reason = "no such host" if is_no_host else os.strerror(error.errno or 0)
    if error.errno in PORT_ERRORS:
        return f"WEB_PORT cannot be listened on: {reason}; nothing was started. Name a free one. Example: WEB_PORT=8081"
    return (
        f"WEB_HOST cannot be listened on: {reason}; nothing was started. Name an address of this machine."
        " Example: WEB_HOST=127.0.0.1"
    )


class _Connection(RequestHandler):
    """One of not too many connections; it keeps to itself what it could not read: aiohttp would send it back."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(self._manager, _Server) and len(self._manager.connections) > MAX_CONNECTIONS:
            self._manager.too_many.note()
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  aiohttp's signature
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  aiohttp's signature
    ) -> web.StreamResponse:
        if isinstance(self._manager, _Server):
            self._manager.unreadable.note(status=status, error=type(exc).__name__)
        response = web.Response(status=status, text="This request could not be read.\n", headers=SECURITY_HEADERS)
        response.force_close()
        return response


class _Server(web.Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.too_many = Tally("connections were refused: too many are open")
        self.unreadable = Tally("requests could not be read")

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **self._kwargs)
