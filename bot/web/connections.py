"""The web server's connections: how many are open, how long each may take, and whose place a newcomer gets.

| a connection                                  | may last                                                             |
|-----------------------------------------------|----------------------------------------------------------------------|
| that has asked for nothing yet                | HEAD_SECONDS, until the end of its first request's head              |
| whose request is being answered               | as long as that takes, and HEAD_SECONDS more to take the answer      |
| that was answered, and has sent nothing since | IDLE_SECONDS: reverse proxies keep theirs for 60 to 75               |
| that has begun another head                   | HEAD_SECONDS from its first byte                                     |
| that was answered for the last time           | LINGER_SECONDS; HEAD_SECONDS where it does not take the answer       |

At the most, a newcomer gets the place of the one that we have been waiting for the longest. Whoever is being answered
keeps theirs; where all are, the newcomer is refused. Whoever is gone holds no place.

Uses only what aiohttp makes public: a `web.RequestHandler` is an asyncio protocol, a `web.Server` makes one for each
connection. Knows no route and no page.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.web.headers import SECURITY_HEADERS
from bot.web.tally import Tally

MAX_CONNECTIONS = 256
HEAD_SECONDS = 20.0
IDLE_SECONDS = 90.0
LINGER_SECONDS = 2.0
LINGER_BYTES = 2 * 1024 * 1024

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ConnectionServer(web.Server):
    """Makes connections, and knows those that are open."""

    def __init__(self, answer: Answer, *, request_factory: Any, **options: Any) -> None:
        super().__init__(self.serve, request_factory=request_factory)
        self._answer = answer
        self._options = options | {"lingering_time": 0.0, "keepalive_timeout": 2 * IDLE_SECONDS}  # we time it all
        self._places: set[Connection] = set()
        self._waited_for: dict[Connection, None] = {}  # the longest first
        self._full = Tally("connections were refused: too many are being answered")
        self._crowded = Tally("connections were closed early: too many are open")
        self.unreadable = Tally("requests could not be read")

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)

    def enter(self, connection: "Connection") -> bool:
        """Give a newcomer a place, and tell whether there was one."""
        if len(self._places) >= MAX_CONNECTIONS:
            longest = next(iter(self._waited_for), None)
            if longest is None:
                self._full.note()
                return False
            self._crowded.note()
            longest.drop()
        self._places.add(connection)
        return True

    def leave(self, connection: "Connection") -> None:
        """Take a place back; it may be gone already."""
        self._places.discard(connection)
        self._waited_for.pop(connection, None)

    def wait_for(self, connection: "Connection") -> None:
        """Note that from now on it is a connection's turn."""
        self.work_for(connection)
        if connection in self._places:
            self._waited_for[connection] = None

    def work_for(self, connection: "Connection") -> None:
        """Note that it is our turn."""
        self._waited_for.pop(connection, None)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whose head is whole, and see that the answer is taken."""
        connection = request.protocol
        if not isinstance(connection, Connection):
            raise TypeError("a connection that we did not make")
        connection.begin()
        is_last = True
        try:
            response = await self._answer(request)
            if request.body_exists:  # what it sends too much must never be read as its next request
                response.force_close()
            await _send(request, response, connection)
            is_last = not response.keep_alive
        finally:
            connection.end(is_last=is_last)
        if request.body_exists:
            await _read_off(request)
        return response


class Connection(web.RequestHandler):
    """One connection; it keeps to itself what it could not read: aiohttp would send it back."""

    def __init__(self, server: ConnectionServer, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._line: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._last = b""  # of what came, the last bytes
        self._is_head_begun = True  # or has to be: it is the first
        self._is_being_answered = False

    # --- as asyncio tells it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = transport if isinstance(transport, asyncio.Transport) else None
        if not self._server.enter(self):
            transport.close()
            return
        super().connection_made(transport)
        self._server.wait_for(self)
        self._give(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._last = (self._last + data)[-4:]
        if data and not self._is_being_answered and not self._is_head_begun:
            self._is_head_begun = True
            self._server.wait_for(self)
            self._give(HEAD_SECONDS)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._take_deadline()
        self._server.leave(self)
        super().connection_lost(exc)

    # --- as the server tells it

    def begin(self) -> None:
        """Note that the head of a request is whole."""
        self._is_being_answered = True
        self._take_deadline()
        self._server.work_for(self)

    def end(self, *, is_last: bool) -> None:
        """Note that the answer was sent. A request without a body ends with an empty line; what follows is a head."""
        self._is_being_answered = False
        self._is_head_begun = not self._last.replace(b"\r", b"").endswith(b"\n\n")
        self._server.wait_for(self)
        self._give(HEAD_SECONDS if is_last or self._is_head_begun else IDLE_SECONDS)

    def drop(self) -> None:
        """End it at once, whatever has not been sent: to wait for that is to wait for the one at the other end."""
        self._take_deadline()
        self._server.leave(self)
        if self._line is not None:
            self._line.abort()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  aiohttp's signature
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  aiohttp's signature
    ) -> web.StreamResponse:
        """Answer what was no request."""
        self._server.unreadable.note(status=status, error=type(exc).__name__)
        response = web.Response(status=status, text="This request could not be read.\n", headers=SECURITY_HEADERS)
        response.force_close()
        return response

    def _give(self, seconds: float) -> None:
        self._take_deadline()
        if self._line is not None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.drop)

    def _take_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


async def _send(request: web.BaseRequest, response: web.StreamResponse, connection: Connection) -> None:
    """Send an answer; whoever does not take it is dropped."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        connection.drop()
    except ConnectionError:
        return


async def _read_off(request: web.BaseRequest) -> None:
    """Read for a moment what still comes: to close on unread bytes is to reset, and that may overtake the answer."""
    count = 0
    with contextlib.suppress(TimeoutError, OSError, web.RequestPayloadError):
        async with asyncio.timeout(LINGER_SECONDS):
            while count < LINGER_BYTES and not request.content.at_eof():
                count += len(await request.content.readany())
