"""Nobody holds the web server's connections: a request's head has a deadline, and there is a most of connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.health import HealthBoard
from bot.web import server as module
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld

PATIENCE = 5.0
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

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class House:
    """A server with room for three."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.lines: list[Line] = []

    async def open(self) -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", self._port))
        self.lines.append(line)
        return line


@pytest.fixture
def head_seconds() -> float:
    return module.HEAD_SECONDS


@pytest.fixture
async def house(world: LinkWorld, monkeypatch: pytest.MonkeyPatch, head_seconds: float) -> AsyncIterator[House]:
    monkeypatch.setattr(module, "HEAD_SECONDS", head_seconds)
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 3)
    board = HealthBoard(world.clock)
    server = WebServer(flow=world.flow, connecting=world.connecting, health=board, public_url="http://127.0.0.1:9")
    await server.start("127.0.0.1", 0)
    house = House(server.port)
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


async def test_above_the_most_a_new_connection_is_closed_at_once_and_the_others_serve_on(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    assert [(await line.ask())[:12] for line in lines] == [b"HTTP/1.1 503"] * 3
    assert await (await house.open()).is_closed()
    assert (await lines[0].ask()).startswith(b"HTTP/1.1 503")


async def test_who_leaves_makes_room(house: House) -> None:
    lines = [await house.open() for _ in range(3)]
    for line in lines:
        await line.ask()
    await lines[0].close()
    assert (await (await house.open()).ask()).startswith(b"HTTP/1.1 503")
