"""Whose request it is, as the log and the pages see it."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import aiohttp
import pytest
import structlog
from aiohttp import web

from bot.domain.forwarding import Network
from bot.runtime.health import HealthBoard
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld

CLIENT, LIE = "203.0.113.7", "198.51.100.9"
HERE = ip_network("127.0.0.1")


async def _who(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.remote} {(await request.read()).decode()}")


@pytest.fixture
def proxies() -> tuple[Network, ...]:
    return (HERE,)


@pytest.fixture
async def url(world: LinkWorld, proxies: tuple[Network, ...]) -> AsyncIterator[str]:
    server = WebServer(
        linking=world.linking,
        connecting=world.connecting,
        health=HealthBoard(world.clock),
        public_url="http://127.0.0.1:9",
        routes=[web.route("*", "/who", _who)],
        trusted_proxies=proxies,
    )
    await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def who(url: str, *headers: tuple[str, str], body: str = "") -> str:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/who", headers=headers, data=body) as answer:
        return (await answer.text()).strip()


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([], "127.0.0.1"),
        ([("X-Forwarded-For", CLIENT)], CLIENT),
        ([("X-Forwarded-For", f"{LIE}, {CLIENT}")], CLIENT),
        ([("X-Forwarded-For", LIE), ("X-Forwarded-For", CLIENT)], CLIENT),
        ([("Forwarded", f'for="{LIE}";proto=https, For={CLIENT}:80;by=10.0.0.1')], CLIENT),
        ([("Forwarded", 'for="[2001:db8::7]:4711"')], "2001:db8::7"),
        ([("Forwarded", f'for="{LIE}'), ("Forwarded", f"for={CLIENT}")], CLIENT),
        ([("Forwarded", f"for={LIE}"), ("X-Forwarded-For", CLIENT)], "127.0.0.1"),
        ([("Forwarded", "proto=https")], "127.0.0.1"),
        ([("X-Forwarded-For", "")], "127.0.0.1"),
    ],
    ids=[
        "none",
        "one",
        "a client began the list",
        "a header for each proxy",
        "Forwarded",
        "Forwarded by IPv6",
        "Forwarded, begun with a broken one",
        "two that differ",
        "no address",
        "empty",
    ],
)
async def test_a_proxy_of_ours_says_who_the_client_is(url: str, headers: list[tuple[str, str]], client: str) -> None:
    assert await who(url, *headers) == client


async def test_the_body_comes_along(url: str) -> None:
    assert await who(url, ("X-Forwarded-For", CLIENT), body="token=abc") == f"{CLIENT} token=abc"


@pytest.mark.parametrize("proxies", [(), (ip_network("10.0.0.0/8"),)], ids=["none", "others"])
async def test_nobody_else_is_believed(url: str) -> None:
    assert await who(url, ("X-Forwarded-For", CLIENT), ("Forwarded", f"for={CLIENT}")) == "127.0.0.1"


async def test_the_log_names_the_client_whose_request_was_refused(
    url: str,
) -> None:
    with structlog.testing.capture_logs() as logs:
        await who(url, ("X-Forwarded-For", CLIENT), ("Content-Encoding", "gzip"), body="x")
    assert [(line["status"], line["client"]) for line in logs] == [(415, CLIENT)]
