"""Who may read the metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.domain.model import Secret
from bot.runtime.health import HealthBoard
from bot.web import metrics
from bot.web.metrics import metrics_routes
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld

TOKEN = "a-token-for-prometheus"
Ask = Callable[..., Awaitable[tuple[int, str]]]


async def _text() -> bytes:
    return b"pledgekeeper_plans_total 1.0\n"


@pytest.fixture
def token() -> Secret | None:
    return None


@asynccontextmanager
async def serve(world: LinkWorld, token: Secret | None) -> AsyncIterator[int]:
    server = WebServer(
        linking=world.linking,
        connecting=world.connecting,
        health=HealthBoard(world.clock),
        public_url="http://127.0.0.1:9",
        routes=metrics_routes(_text, token=token, content_type="text/plain; version=1.0.0; charset=utf-8"),
    )
    await server.start("127.0.0.1", 0)
    yield server.port
    await server.stop()


@pytest.fixture
async def ask(world: LinkWorld, token: Secret | None) -> AsyncIterator[Ask]:
    async with serve(world, token) as port, aiohttp.ClientSession() as session:

        async def ask(method: str = "GET", **headers: str) -> tuple[int, str]:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.request(method, f"http://127.0.0.1:{port}/metrics", headers=sent) as answer:
                return answer.status, await answer.text()

        yield ask


async def test_this_machine_may_ask(ask: Ask) -> None:
    assert await ask() == (200, "pledgekeeper_plans_total 1.0\n")
    assert (await ask(Host="localhost:8080"))[0] == 200


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Server", "CF-Connecting-IP"],
)
async def test_what_a_proxy_brings_is_refused(ask: Ask, header: str) -> None:
    status, text = await ask(**{header: "203.0.113.7"})
    assert status == 403
    assert "METRICS_TOKEN" in text
    assert "pledgekeeper_" not in text


async def test_a_proxy_that_is_known_by_its_old_http_alone_is_refused(world: LinkWorld) -> None:
    """nginx as it comes names our own address as the host, and adds no header."""
    async with serve(world, None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.0 403")
    assert b"pledgekeeper_" not in answer


@pytest.mark.parametrize("host", ["pledges.example.org", "rebound.example:8080", "[", ""])
async def test_a_page_in_a_browser_here_cannot_ask_by_a_name_of_its_own(ask: Ask, host: str) -> None:
    assert (await ask(Host=host))[0] in {400, 403}


@pytest.mark.parametrize(
    ("peer", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:203.0.113.7", False),
        ("203.0.113.7", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_who_is_this_machine(peer: str, is_here: bool) -> None:
    assert metrics._is_loopback_peer(peer) is is_here


async def test_a_head_is_not_answered(ask: Ask) -> None:
    assert (await ask("HEAD"))[0] == 405


@pytest.mark.parametrize("token", [Secret(TOKEN)], ids=["with a token"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="none shown"),
        pytest.param({"Authorization": "Bearer wrong"}, 401, id="a wrong one"),
        pytest.param({"Authorization": "Bearer \xff"}, 401, id="stray bytes"),
        pytest.param({"Authorization": f"Basic {TOKEN}"}, 401, id="another scheme"),
        pytest.param({"Authorization": TOKEN}, 401, id="no scheme"),
        pytest.param({"Authorization": f"Bearer {TOKEN}"}, 200, id="shown"),
        pytest.param({"Authorization": f"bearer {TOKEN}", "X-Forwarded-For": "203.0.113.7"}, 200, id="through a proxy"),
    ],
)
async def test_with_a_token_everybody_shows_it(ask: Ask, headers: dict[str, str], status: int) -> None:
    assert (await ask(**headers))[0] == status
