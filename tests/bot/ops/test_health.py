"""What is found where the bot should answer, by real connections."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from bot.domain.probe import Probe, Pulse
from bot.domain.processes import ProcessRole
from bot.ops import health
from bot.runtime.health import HealthBoard, Note
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld, api, world

__all__ = ["api", "world"]

ROLES = frozenset({ProcessRole.WEB})


@pytest.fixture
async def board(world: LinkWorld) -> HealthBoard:
    return HealthBoard(world.clock, ROLES)


@pytest.fixture
async def port(world: LinkWorld, board: HealthBoard) -> AsyncIterator[int]:
    server = WebServer(
        linking=world.linking, connecting=world.connecting, health=board, public_url="http://127.0.0.1:9"
    )
    await server.start("127.0.0.1", 0)
    yield server.port
    await server.stop()


async def ask(port: int, host: str = "127.0.0.1") -> Probe:
    return await asyncio.to_thread(health.ask, host, port)


@contextmanager
def saying(answer: bytes | None) -> Iterator[int]:
    """Answer one connection with these bytes, or with silence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                if answer is not None:
                    connection.sendall(answer)
                else:
                    connection.recv(1024)  # until the other end gives up

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


async def test_a_bot_that_works_is_well(board: HealthBoard, port: int) -> None:
    board.ok("database")
    board.note(Note.BELL_UNHEARD)
    assert await ask(port) == Probe(
        pulse=Pulse.WELL, address=f"http://127.0.0.1:{port}", parts=("web", "database"), notes=("bell_unheard",)
    )


async def test_the_parts_that_fail_are_named_and_no_other(board: HealthBoard, port: int) -> None:
    board.failed("database", "away")
    found = await ask(port)
    assert (found.pulse, found.parts) == (Pulse.FAILING, ("database",))


async def test_who_listens_everywhere_is_asked_here(board: HealthBoard, port: int) -> None:
    board.ok("database")
    found = await ask(port, "0.0.0.0")
    assert (found.pulse, found.address) == (Pulse.WELL, f"http://127.0.0.1:{port}")


def test_an_address_of_ipv6_is_written_as_one() -> None:
    assert health.ask("::", 9).address == "http://[::1]:9"


def test_nobody_answers_at_a_free_port() -> None:
    with socket.socket() as taken:  # and nobody listens on it
        taken.bind(("127.0.0.1", 0))
        found = health.ask("127.0.0.1", taken.getsockname()[1])
    assert (found.pulse, found.reason) == (Pulse.SILENT, "Connection refused")


def test_a_host_that_is_none_is_said_to_be_none() -> None:
    assert health.ask("no-host.invalid", 9).reason == "no such host"


def test_one_who_says_nothing_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.2)
    with saying(None) as port:
        found = health.ask("127.0.0.1", port)
    assert (found.pulse, found.reason) == (Pulse.SILENT, "no answer within 0 seconds")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"status":"ok"}',
        b"220 mail.example ESMTP\r\n",
        b"",
    ],
    ids=["another service", "JSON of another service", "no HTTP", "nothing"],
)
def test_one_who_is_no_bot_of_ours_is_told_apart(answer: bytes) -> None:
    with saying(answer) as port:
        assert health.ask("127.0.0.1", port).pulse in {Pulse.FOREIGN, Pulse.SILENT}
