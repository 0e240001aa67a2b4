"""The web server's connections: how many are open, how long each may take, and whose place a newcomer gets.

| a connection                                  | may last                                                             |
|-----------------------------------------------|----------------------------------------------------------------------|
| that has asked for nothing yet                | HEAD_SECONDS, until the end of its first request's head              |
| whose request is being answered               | as long as that takes, and HEAD_SECONDS more to take the answer      |
| that was answered, and has sent nothing since | IDLE_SECONDS: reverse proxies keep theirs for 60 to 75               |
| that has begun another head                   | HEAD_SECONDS from its first byte                                     |
| that was answered for the last time           | LINGER_SECONDS; HEAD_SECONDS where it does not take the answer       |

MAX_CONNECTIONS are open at the most. Further ones wait in the listening sockets' queues, which the system keeps. The
next of them gets the place of the first of these that there is:

| a connection                                      | since when it may be closed for another                          |
|---------------------------------------------------|------------------------------------------------------------------|
| that was answered, and has sent nothing since     | PATIENCE_SECONDS after its answer; the longest waited for first  |
| whose head is not whole                           | as long after it was made, or after the head's first byte        |
| that was answered for the last time, and lingers  | as long after its answer                                         |
| whose request is being answered                   | never: it is waited for                                          |

So nobody is cut off who sends a request at once, however many come at the same time, and nobody who is silent or slow
holds a place that others want. Whoever is gone holds no place.

Uses only what aiohttp and asyncio make public: a `web.RequestHandler` is an asyncio protocol, a `web.Server` makes one
for each connection. Knows no route and no page.
"""

import asyncio
import contextlib
import functools
import itertools
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.web.headers import NOT_KEPT, SECURITY_HEADERS
from bot.web.tally import Tally

MAX_CONNECTIONS = 256
MAX_QUEUED = 1024  # for each address listened on; Linux allows 4096, and lets the rest knock again
PATIENCE_SECONDS = 0.25  # a request follows its connection at once; beyond this, others go first
ACCEPT_AGAIN_SECONDS = 1.0
HEAD_SECONDS = 20.0
IDLE_SECONDS = 90.0
LINGER_SECONDS = 2.0
LINGER_BYTES = 2 * 1024 * 1024

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ConnectionServer(web.Server):
    """Listens, makes connections, and knows those that are open."""

    def __init__(self, answer: Answer, *, request_factory: Any, **options: Any) -> None:
        super().__init__(self.serve, request_factory=request_factory)
        self._answer = answer
        self._options = options | {"lingering_time": 0.0, "keepalive_timeout": 2 * IDLE_SECONDS}  # we time it all
        self._listeners: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._entrance = asyncio.Lock()  # one at a time, also where several addresses are listened on
        self._places: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # whose place others may have; the longest waited for first
        self._slow: dict[Connection, None] = {}
        self._place_to_be_had = asyncio.Event()
        self._crowded = Tally("connections were closed early: too many are open")
        self._full = Tally("connections had to wait: too many are open")
        self._unaccepted = Tally("connections could not be accepted")
        self.unreadable = Tally("requests could not be read")

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)

    async def listen(self, host: str, port: int) -> None:
        """Accept connections from now on; raises OSError where an address of the host cannot be had."""
        bound = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
        self._listeners = [each.dup() for each in bound.sockets]  # an asyncio server accepts all: no queue would form
        bound.close()
        for listener in self._listeners:
            listener.setblocking(False)
            listener.listen(MAX_QUEUED)
        self._accepting = [asyncio.create_task(self._accept(listener)) for listener in self._listeners]

    @property
    def port(self) -> int | None:
        """The port that it listens on."""
        if not self._listeners:
            return None
        port: int = self._listeners[0].getsockname()[1]
        return port

    async def close(self, seconds: float) -> None:
        """Accept no more, and give those that are being answered so long."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        self.pre_shutdown()
        await self.shutdown(seconds)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                newcomer, _ = await asyncio.get_running_loop().sock_accept(listener)
            except ConnectionError:
                continue
            except OSError as error:  # above all: too many open files
                self._unaccepted.note(why=error.strerror)
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            await self._let_in(newcomer)

    async def _let_in(self, newcomer: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as undo:
            undo.callback(newcomer.close)
            async with self._entrance:
                await self._make_room()
                await asyncio.get_running_loop().connect_accepted_socket(self, newcomer)
            undo.pop_all()

    async def _make_room(self) -> None:
        while len(self._places) >= MAX_CONNECTIONS:
            spare = itertools.chain(self._idle, self._slow)
            longest = next((each for each in spare if not each.has_begun_unread()), None)
            if longest is not None:
                self._crowded.note()
                longest.drop()
            else:
                self._full.note()
                self._place_to_be_had.clear()
                await self._place_to_be_had.wait()

    def enter(self, connection: "Connection") -> None:
        """Give a connection a place."""
        self._places.add(connection)

    def leave(self, connection: "Connection") -> None:
        """Take a place back; it may be gone already."""
        self._places.discard(connection)
        self.keep(connection)
        self._place_to_be_had.set()

    def keep(self, connection: "Connection") -> None:
        """Note that nobody else may have a connection's place."""
        self._idle.pop(connection, None)
        self._slow.pop(connection, None)

    def spare(self, connection: "Connection", *, is_idle: bool) -> None:
        """Note that somebody else may have a connection's place."""
        (self._idle if is_idle else self._slow)[connection] = None
        self._place_to_be_had.set()

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
        self._line: asyncio.Transport | None = None  # while it is open
        self._patience: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._last = b""  # of what came, the last bytes
        self._is_first = True  # its request
        self._is_head_begun = False
        self._is_being_answered = False

    # --- as asyncio tells it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = transport if isinstance(transport, asyncio.Transport) else None
        super().connection_made(transport)
        self._server.enter(self)
        self._be_patient()
        self._give(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._last = (self._last + data)[-4:]
        if data and not self._is_being_answered and not self._is_head_begun:
            self._is_head_begun = True
            self._be_patient()
            if not self._is_first:
                self._give(HEAD_SECONDS)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._leave()
        super().connection_lost(exc)

    # --- as the server tells it

    def begin(self) -> None:
        """Note that the head of a request is whole."""
        self._is_being_answered = True
        self._is_first = False
        self._stop_waiting()

    def end(self, *, is_last: bool) -> None:
        """Note that the answer was sent. A request without a body ends with an empty line; what follows is a head."""
        if self._line is None:
            return
        self._is_being_answered = False
        self._is_head_begun = not self._last.replace(b"\r", b"").endswith(b"\n\n")
        is_idle = not is_last and not self._is_head_begun
        self._be_patient(is_idle=is_idle)
        self._give(IDLE_SECONDS if is_idle else HEAD_SECONDS)

    def has_begun_unread(self) -> bool:
        """Tell whether a head has begun to arrive that the loop has not come to read yet."""
        return self._line is not None and not self._is_head_begun and _has_unread(self._line)

    def drop(self) -> None:
        """End it at once, whatever has not been sent: to wait for that is to wait for the one at the other end."""
        line = self._line
        self._leave()
        if line is not None:
            line.abort()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  aiohttp's signature
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  aiohttp's signature
    ) -> web.StreamResponse:
        """Answer what was no request."""
        self._server.unreadable.note(status=status, error=type(exc).__name__)
        response = web.Response(
            status=status, text="This request could not be read.\n", headers={**SECURITY_HEADERS, **NOT_KEPT}
        )
        response.force_close()
        return response

    def _be_patient(self, *, is_idle: bool = False) -> None:
        """Keep the place for a moment, then let others have it."""
        self._server.keep(self)
        if self._patience is not None:
            self._patience.cancel()
        spare = functools.partial(self._server.spare, self, is_idle=is_idle)
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, spare)

    def _give(self, seconds: float) -> None:
        """Wait no longer than so."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.drop)

    def _leave(self) -> None:
        self._line = None
        self._stop_waiting()
        self._server.leave(self)

    def _stop_waiting(self) -> None:
        self._server.keep(self)
        for timer in (self._patience, self._deadline):
            if timer is not None:
                timer.cancel()


def _has_unread(line: asyncio.Transport) -> bool:
    try:
        with line.get_extra_info("socket").dup() as same:
            return bool(same.recv(1, socket.MSG_PEEK))
    except OSError:  # nothing has come
        return False


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
