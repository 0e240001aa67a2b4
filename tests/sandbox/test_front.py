"""One address before several processes: each connection goes to the next that answers, whole and both ways."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from sandbox.front import Front
from sandbox.ports import quiet_port

Serve = Callable[[str], Coroutine[Any, Any, int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers = []

    async def begin(name: str) -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"{name}:".encode() + await reader.read())
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        port: int = servers[-1].sockets[0].getsockname()[1]
        return port

    yield begin
    for server in servers:
        server.close()


async def ask(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 40)
    writer.close()
    return answer


async def test_connections_are_dealt_out_in_turn(serve: Serve) -> None:
    ports = [await serve("one"), await serve("two")]
    front, port = Front(lambda: ports), quiet_port()
    await front.start(port)
    assert [(await ask(port, b"hello"))[:4] for _ in range(4)] == [b"one:", b"two:"] * 2
    assert await ask(port, b"x" * 300_000) == b"one:" + b"x" * 300_000
    await front.stop()


async def test_who_does_not_answer_is_passed_over(serve: Serve) -> None:
    ports = [quiet_port(), await serve("two")]
    front, port = Front(lambda: ports), quiet_port()
    await front.start(port)
    assert [await ask(port, b"") for _ in range(3)] == [b"two:"] * 3
    ports[:] = []
    assert await ask(port, b"") == b""
    await front.stop()
