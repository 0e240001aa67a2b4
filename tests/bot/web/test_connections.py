"""Nobody holds the web server's connections: each wait has a deadline, and at the most the longest waited for goes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.runtime.health import HealthBoard
from bot.web import connections as module
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld

PATIENCE = 5.0
FORM = b"POST /link/confirm HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 7\r\n\r\n"
OWN = {"_line", "_deadline", "_last", "_server", "_is_head_begun", "_is_being_answered"} | {
    "_answer",
    "_options",
    "_places",
    "_waited_for",
    "_full",
    "_crowded",
}
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
    """A server with room for three."""

    def __init__(self, port: int, server: module.ConnectionServer) -> None:
        self._port = port
        self._server = server
        self.lines: list[Line] = []

    async def open(self) -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", self._port))
        self.lines.append(line)
        return line

    def count(self) -> int:
        return len(self._server._places)

    async def busy(self, count: int) -> None:
        """Wait until so many are being answered, or are gone."""
        async with asyncio.timeout(PATIENCE):
            while self.count() - len(self._server._waited_for) != count or (not count and self.count()):
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
    server = WebServer(flow=world.flow, connecting=world.connecting, health=board, public_url="http://127.0.0.1:9")
    await server.start("127.0.0.1", 0)
    assert server._runner is not None
    assert isinstance(server._runner.server, module.ConnectionServer)
    house = House(server.port, server._runner.server)
    yield house
    for line in house.lines:
        await line.close()
    await server.stop()


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


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nX-Slow:"], ids=["nothing", "half a head"])
async def test_silent_and_slow_ones_shut_nobody_out(house: House, begun: bytes) -> None:
    for _ in range(12):
        (await house.open()).send(begun)
    assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"


async def test_who_is_being_answered_keeps_the_place_and_the_newcomer_is_refused(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        line.send(FORM + b"token=")
    await house.busy(3)
    assert await (await house.open()).is_closed()
    for line in lines:
        line.send(b"x")
    assert [(await line.first())[:12] for line in lines] == [b"HTTP/1.1 400"] * 3
    assert (await (await house.open()).ask())[:12] == b"HTTP/1.1 503"


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


async def test_what_we_use_of_aiohttp_is_public() -> None:
    """Its private parts change with any release, and with them would our bounds."""
    ours = set(vars(module.Connection)) | set(vars(module.ConnectionServer)) | OWN
    theirs = {name for kind in (web.RequestHandler, web.Server) for base in kind.__mro__ for name in vars(base)}
    server = web.Server(lambda _: None)  # type: ignore[arg-type,return-value]
    theirs |= set(vars(server))
    assert {name for name in ours & theirs if name.startswith("_") and not name.startswith("__")} == set()


async def test_who_leaves_makes_room(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        await line.ask()
    await lines[0].close()
    assert (await (await house.open()).ask()).startswith(b"HTTP/1.1 503")
