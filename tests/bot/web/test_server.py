"""The web server itself: headers on every answer, pages for what goes wrong, bounds, health."""

import asyncio
import base64
import hashlib
import re

import pytest

from bot.domain.errors import NeedsOwner, Setup
from bot.runtime.health import HealthBoard
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld
from tests.bot.web.conftest import Site

PATHS = ["/link/confirm", "/link/declined", "/oauth/callback", "/nowhere", "/", "/healthz"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_security_headers(site: Site, path: str) -> None:
    headers = (await site.browser.open(path)).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert not any(part.startswith("script-src") or "unsafe" in part for part in policy)
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "Pledgekeeper"


@pytest.mark.parametrize("path", PATHS[:-1])
async def test_the_policy_names_the_style_on_the_page(site: Site, path: str) -> None:
    page = await site.browser.open(path)
    style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.html
    assert " style=" not in page.html


async def test_an_unknown_path_gets_a_page_that_echoes_nothing(site: Site) -> None:
    page = await site.browser.open("/wp-admin/MARKER?MARKER=MARKER")
    assert page.status == 404
    assert "Page not found" in page.text
    assert "MARKER" not in page.html


async def test_a_large_body_is_refused(site: Site) -> None:
    page = await site.browser.open("/link/confirm", method="POST", data={"token": "x" * 20_000})
    assert page.status in (400, 413)
    await site.question(site.world.ada)
    page = await site.browser.open("/link/confirm", method="POST", data={"token": "x" * 20_000})
    assert page.status == 413
    assert (await site.browser.open("/link/confirm")).word == "confirm"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            b"GET /oauth/callback?code=MARKER" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", id="long line"
        ),
        pytest.param(b"GET /?MARKER HTTP/1.1\r\nHost: a\r\nX: MARKER" + b"x" * 9000 + b"\r\n\r\n", id="long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"X-MARKER: 1\r\n" * 200 + b"\r\n", id="many headers"),
        pytest.param(b"MARKER\x00\xff\r\n\r\n", id="no http"),
    ],
)
async def test_an_unreadable_request_is_neither_echoed_nor_logged(
    site: Site, request_bytes: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    host, port = site.browser.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_bytes)
    answer = await reader.read()
    writer.close()
    logged = capfd.readouterr()
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b"Referrer-Policy: no-referrer" in answer
    assert b"Server: Pledgekeeper\r\n" in answer
    assert b"MARKER" not in answer
    assert "MARKER" not in logged.out + logged.err + caplog.text


async def test_health_is_503_until_every_part_is_well(site: Site) -> None:
    page = await site.browser.open("/healthz")
    assert page.status == 503
    for part in ("gateway", "sync", "database"):
        site.board.ok(part)
    page = await site.browser.open("/healthz")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("application/json")


async def test_health_answers_head_as_it_answers_get(site: Site) -> None:
    assert (await site.browser.open("/healthz", method="HEAD")).status == 503
    for part in ("gateway", "sync", "database"):
        site.board.ok(part)
    page = await site.browser.open("/healthz", method="HEAD")
    assert (page.status, page.text) == (200, "")
    assert page.headers["Content-Type"].startswith("application/json")


async def test_a_taken_port_is_an_error_and_leaves_nothing_open(world: LinkWorld, site: Site) -> None:
    port = int(site.browser.url.rsplit(":", 1)[1])
    second = WebServer(
        linking=world.linking,
        connecting=world.connecting,
        health=HealthBoard(world.clock),
        public_url="http://127.0.0.1:9",
    )
    with pytest.raises(NeedsOwner, match=Setup.PORT_REFUSED):
        await second.start("127.0.0.1", port)


async def test_it_says_when_it_stops(world: LinkWorld) -> None:
    board = HealthBoard(world.clock)
    server = WebServer(
        linking=world.linking, connecting=world.connecting, health=board, public_url="http://127.0.0.1:9"
    )
    await server.start("127.0.0.1", 0)
    assert board.report().parts["web"].ok
    await server.stop()
    await server.stop()
    assert not board.report().parts["web"].ok
