"""Nobody holds the web server's connections: each wait has a deadline, and at the most newcomers wait their turn."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import structlog
from aiohttp import web

from bot.runtime.health import HealthBoard
from bot.web import connections as module
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld
from tests.bot.web.conftest import Browser, Page, Site

PATIENCE = 5.0
FORM = b"POST /link/confirm HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 7\r\n\r\n"
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
IMPATIENT = pytest.mark.parametrize("head_seconds", [0.3], ids=["impatient"])


class Line:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    def send(self, text: bytes) -> None:
        self._writer.write(text)

    async def ask(self) -> bytes:
        """Send a whole request and return its answer's first line."""
        self.send(WHOLE)
        return await self.first()

    async def first(self) -> bytes:
        """Read a whole answer and return its first line."""
        async with asyncio.timeout(PATIENCE):
            first, length = await self.reader.readline(), 0
            while (line := await self.reader.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            await self.reader.readexactly(length)
        return first

    async def is_closed(self) -> bool:
        """Tell whether the server closes it before we lose patience."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(PATIENCE):
                await self.reader.read()
        return self.reader.at_eof() or self.reader.exception() is not None

    def pause(self) -> None:
        """Read nothing from now on."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class House:
    """A server with room for three, and a page that takes its time."""

    def __init__(self) -> None:
        self.pages: WebServer
        self.lines: list[Line] = []
        self.answering = 0
        self.most_answering = 0

    @property
    def _server(self) -> module.ConnectionServer:
        assert self.pages._server is not None
        return self.pages._server

    def entrance(self) -> asyncio.Lock:
        """Holds newcomers up."""
        return self._server._entrance

    async def think(self, request: web.Request) -> web.Response:
        self.answering += 1
        self.most_answering = max(self.most_answering, self.answering)
        await asyncio.sleep(0.05)
        self.answering -= 1
        return web.Response(text=await request.text())

    async def open(self) -> Line:
        return self.take(*await asyncio.open_connection("127.0.0.1", self.pages.port))

    async def adopt(self, opened: socket.socket) -> Line:
        """Make a line of a socket that is connected already."""
        return self.take(*await asyncio.open_connection(sock=opened))

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Line:
        self.lines.append(Line(reader, writer))
        return self.lines[-1]

    def count(self) -> int:
        return len(self._server._places)

    async def busy(self, count: int) -> None:
        """Wait until so many are being answered; until all are gone, where that is none."""
        async with asyncio.timeout(PATIENCE):
            while sum(each._is_being_answered for each in self._server._places) != count or (
                not count and self.count()
            ):
                await asyncio.sleep(0.005)


async def stays_open(line: Line, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await line.reader.read(1) != b""
    return True


@pytest.fixture
def head_seconds() -> float:
    return module.HEAD_SECONDS


@pytest.fixture
def idle_seconds() -> float:
    return module.IDLE_SECONDS


@pytest.fixture
def most() -> int:
    return 3


@pytest.fixture
async def house(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch, head_seconds: float, idle_seconds: float, most: int
) -> AsyncIterator[House]:
    monkeypatch.setattr(module, "HEAD_SECONDS", head_seconds)
    monkeypatch.setattr(module, "IDLE_SECONDS", idle_seconds)
    monkeypatch.setattr(module, "MAX_CONNECTIONS", most)
    board = HealthBoard(world.clock)
    house = House()
    house.pages = WebServer(
        linking=world.linking,
        connecting=world.connecting,
        health=board,
        public_url="http://127.0.0.1:9",
        routes=[web.post("/think", house.think)],
    )
    await house.pages.start("127.0.0.1", 0)
    yield house
    for line in house.lines:
        await line.close()
    await house.pages.stop()


@IMPATIENT
@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow:", id="half a head"),
        pytest.param(WHOLE + b"GET /hea", id="half a second head"),
        pytest.param(WHOLE[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\nGET", id="an upgrade to nothing"),
    ],
)
async def test_a_head_that_never_ends_does_not_hold_a_connection(house: House, begun: bytes) -> None:
    line = await house.open()
    line.send(begun)
    assert await line.is_closed()


@IMPATIENT
async def test_bytes_that_trickle_in_move_no_deadline(house: House) -> None:
    line = await house.open()
    line.send(b"GET /healthz HTTP/1.1\r\nX-Slow: ")

    async def trickle() -> None:
        while True:
            line.send(b"a")
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    try:
        assert await line.is_closed()
    finally:
        trickling.cancel()


@IMPATIENT
async def test_one_that_was_answered_may_idle_longer_than_a_head_may_take(house: House) -> None:
    """Proxies keep theirs for 60 to 75 seconds, and send the next patron's request on it."""
    assert module.IDLE_SECONDS >= 75 + 10
    line = await house.open()
    await line.ask()
    assert await stays_open(line, 3 * 0.3)
    assert (await line.ask()).startswith(b"HTTP/1.1 503")
    assert await stays_open(line, 3 * 0.3)
    line.send(b"GET")
    assert await line.is_closed()


@pytest.mark.parametrize("idle_seconds", [0.3], ids=["impatient"])
async def test_one_that_idles_too_long_is_closed(house: House) -> None:
    line = await house.open()
    await line.ask()
    assert await line.is_closed()


@IMPATIENT
async def test_who_takes_no_answer_does_not_hold_a_connection(house: House) -> None:
    line = await house.open()
    line.pause()
    for _ in range(3000):  # more answers than the system keeps for us
        line.send(WHOLE.replace(b"/healthz", b"/link/declined"))
    async with asyncio.timeout(30):
        while house.count():
            await asyncio.sleep(0.05)


async def test_at_the_most_the_longest_idle_one_makes_room(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in (*lines, lines[0]):
        assert (await line.ask())[:12] == b"HTTP/1.1 503"
    assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"
    assert await lines[1].is_closed()
    assert [(await line.ask())[:12] for line in (lines[0], lines[2])] == [b"HTTP/1.1 503"] * 2


async def test_an_idle_one_makes_room_before_a_slow_one(house: House) -> None:
    slow, idle, busy = [await house.open() for _ in range(3)]
    slow.send(WHOLE[:-2])
    for line in (idle, busy):
        await line.ask()
    busy.send(FORM)
    assert await stays_open(idle, 2 * module.PATIENCE_SECONDS)
    assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"
    assert await idle.is_closed()
    slow.send(b"\r\n")
    assert (await slow.first())[:12] == b"HTTP/1.1 503"


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nX-Slow:"], ids=["nothing", "half a head"])
async def test_silent_and_slow_ones_shut_nobody_out(house: House, begun: bytes) -> None:
    for _ in range(12):
        (await house.open()).send(begun)
    assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"


async def test_who_is_being_answered_keeps_the_place_and_the_newcomers_wait(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        line.send(FORM + b"token=")
    await house.busy(3)
    newcomers = [await house.open() for _ in range(6)]
    for newcomer in newcomers:
        newcomer.send(WHOLE)
        assert await stays_open(newcomer, 2 * module.PATIENCE_SECONDS)
    assert house.count() == 3
    for line in lines:
        line.send(b"x")
    assert [(await line.first())[:12] for line in lines] == [b"HTTP/1.1 400"] * 3
    assert [(await newcomer.first())[:12] for newcomer in newcomers] == [b"HTTP/1.1 503"] * 6


@pytest.mark.parametrize("path", [b"/nope", b"/link/confirm", b"/healthz"])
async def test_closed_ones_hold_no_place(house: House, path: bytes) -> None:
    """A body announced, never sent, the connection closed: aiohttp would wait ten seconds for the rest."""
    for _ in range(60):
        line = await house.open()
        line.send(FORM.replace(b"/link/confirm", path))
        await line.close()
        await house.busy(0)
        assert not house.count()
    assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"


@pytest.mark.parametrize("most", [256], ids=["as many as there are"])
async def test_a_flood_of_closed_ones_shuts_nobody_out(house: House) -> None:
    """Ten seconds of 150 a second, at once."""
    for _ in range(30):
        lines = [await house.open() for _ in range(50)]
        for line in lines:
            line.send(FORM)
            await line.close()
        assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"


@pytest.mark.parametrize("most", [32], ids=["a tenth of the crowd"])
async def test_a_crowd_waits_for_its_turn_and_nobody_is_reset(house: House) -> None:
    """All at once, every request behind its connection in the system's queue; those that idle make room first."""
    idle = [await house.open() for _ in range(32)]
    for line in idle:
        await line.ask()
    opened = [socket.create_connection(("127.0.0.1", house.pages.port)) for _ in range(320)]
    for each in opened:
        each.sendall(FORM.replace(b"/link/confirm", b"/think") + b"token=x")
    crowd = [await house.adopt(each) for each in opened]
    async with asyncio.timeout(6 * PATIENCE):
        answers = [await line.first() for line in crowd]
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}
    assert house.most_answering <= 32
    assert all([await line.is_closed() for line in idle])


async def test_everybody_who_presses_yes_in_the_same_second_is_linked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 5)
    people = range(1000, 1040)
    async with contextlib.AsyncExitStack() as open_sessions:
        asked: list[tuple[Browser, Page]] = []
        for discord_user_id in people:
            patron = site.world.state.add_patron(f"Patron {discord_user_id}")
            session = aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                connector=aiohttp.TCPConnector(force_close=True),  # whoever sends on an idle one may be too late
            )
            await open_sessions.enter_async_context(session)
            site.browser = Browser(session, site.browser.url)
            asked.append((site.browser, await site.question(patron, discord_user_id)))
        answers = await asyncio.gather(*(browser.press(page, "confirm") for browser, page in asked))
    assert {answer.status for answer in answers} == {303}
    assert [discord_user_id for discord_user_id, _ in sorted(site.world.roles.followed)] == list(people)


@pytest.mark.parametrize("answered", [False, True], ids=["the first", "another one"])
async def test_a_request_that_is_there_is_read_before_its_place_is_given_away(house: House, answered: bool) -> None:
    """The whole process may stop for longer than we are patient with anybody."""
    lines = [await house.open() for _ in range(3)]
    for line in lines if answered else ():
        await line.ask()
    async with asyncio.timeout(PATIENCE):
        while house.count() < 3:
            await asyncio.sleep(0.005)
    opened = [socket.create_connection(("127.0.0.1", house.pages.port)) for _ in range(3)]
    time.sleep(1.5 * module.PATIENCE_SECONDS)  # noqa: ASYNC251  it is the loop that stops
    for line in lines:
        line.send(WHOLE)
    for each in opened:
        each.sendall(WHOLE)
    crowd = [*lines, *[await house.adopt(each) for each in opened]]
    assert [(await line.first())[:12] for line in crowd] == [b"HTTP/1.1 503"] * 6


async def test_an_idle_one_that_asks_again_in_that_moment_keeps_its_place(house: House) -> None:
    """Its request has arrived, and the loop comes to the newcomer first."""
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        await line.ask()
    async with house.entrance():
        newcomer = await house.open()
        newcomer.send(WHOLE)
        assert await stays_open(newcomer, 2 * module.PATIENCE_SECONDS)
    for line in lines:
        line.send(WHOLE)
    assert [(await line.first())[:12] for line in (*lines, newcomer)] == [b"HTTP/1.1 503"] * 4


async def test_silent_ones_that_come_back_shut_nobody_out(house: House) -> None:
    async def be_silent() -> None:
        while True:
            line = await house.open()
            await line.is_closed()

    crowd = [asyncio.create_task(be_silent()) for _ in range(12)]
    try:
        for _ in range(3):
            await asyncio.sleep(0.1)
            assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"
    finally:
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)


async def test_too_many_open_files_are_told_and_the_connection_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACCEPT_AGAIN_SECONDS", 0.1)
    opened = socket.create_connection(("127.0.0.1", house.pages.port))
    opened.sendall(WHOLE)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with structlog.testing.capture_logs() as logs:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # so that no further one can be opened
        try:
            async with asyncio.timeout(PATIENCE):
                while not logs:
                    await asyncio.sleep(0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert [line["event"] for line in logs] == ["connections could not be accepted"]
    assert (await (await house.adopt(opened)).first())[:12] == b"HTTP/1.1 503"


async def test_who_waits_when_the_server_stops_is_closed(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        line.send(FORM + b"token=")
    await house.busy(3)
    newcomers = [await house.open() for _ in range(3)]
    stopping = asyncio.create_task(house.pages.stop())
    assert all([await newcomer.is_closed() for newcomer in newcomers])
    await stopping


async def test_who_leaves_makes_room(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        await line.ask()
    await lines[0].close()
    assert (await (await house.open()).ask()).startswith(b"HTTP/1.1 503")
