"""What strangers send in a request's body: nothing is inflated, nothing breaks a page, nothing fills the log."""

import asyncio
import contextlib
import gzip
import io
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cache, partial
from typing import cast

import aiohttp
import pytest
import structlog

from bot.domain.model import CampaignId, Secret
from bot.runtime.health import HealthBoard
from bot.sync.deliveries.inbox import DeliveryInbox
from bot.web.deliveries import webhook_routes
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld

PATIENCE = 8.0
FORMS = ("/link/confirm", "/link/decline", "/connect/confirm", "/connect/decline")
PATHS = (*FORMS, "/nope", "/webhooks/patreon/700", "/healthz")


@cache
def zipped(mebibytes: int) -> bytes:
    """Pack what is all alike: a thousandth is left of it."""
    return gzip.compress(b"\0" * (mebibytes << 20), 6)


def deflated() -> bytes:
    return zlib.compress(b"\0" * (64 << 20), 6)


PACKED: dict[str, Callable[[], bytes]] = {
    "gzip": partial(zipped, 64),
    "x-gzip": partial(zipped, 64),
    "deflate": deflated,
    "br": lambda: b"\xcb\xff\xff\x03\xf8\x00" * 100,
    "zstd": lambda: b"\x28\xb5\x2f\xfd\xa4" + b"\x00" * 500,
    "identity, gzip": partial(zipped, 64),
    "GZip": lambda: b"no gzip at all" * 100,
    "gzip, gzip": lambda: b"neither",
    "": lambda: b"token=x",
    "dcb": lambda: b"a word of tomorrow",
}


class OneInbox:
    """700 has a secret; nothing is expected to be handed in."""

    async def secrets_of(self, campaign_id: CampaignId) -> tuple[Secret, ...]:
        return (Secret("the-secret-of-700"),) if campaign_id == "700" else ()

    def take(self, campaign_id: CampaignId, body: bytes) -> None:
        raise AssertionError(body)


class Door:
    def __init__(self, port: int) -> None:
        self.port = port

    async def send(self, *parts: bytes, hang_up: bool = False) -> bytes:
        """Send bytes on a connection of their own and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
        if hang_up:
            writer.close()
            return b""
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while piece := await reader.read(65536):
                    answer += piece
                    if b"\r\n\r\n" in answer and b"100 Continue" not in answer:
                        break
        writer.close()
        return answer

    async def is_well(self) -> bool:
        return (await self.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(b"HTTP/1.1 503")


@pytest.fixture
async def door(world: LinkWorld) -> AsyncIterator[Door]:
    server = WebServer(
        linking=world.linking,
        connecting=world.connecting,
        health=HealthBoard(world.clock),
        public_url="http://127.0.0.1:9",
        routes=webhook_routes(cast("DeliveryInbox", OneInbox()), note=lambda _: None),
    )
    await server.start("127.0.0.1", 0)
    yield Door(server.port)
    await server.stop()


def post(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: a", *headers, "", "")).encode()


def statuses(answers: Iterable[bytes]) -> set[int]:
    return {int(answer.split(b" ", 2)[1]) if answer else 0 for answer in answers}


def is_armed(answer: bytes) -> bool:
    head = answer.partition(b"\r\n\r\n")[0].lower()
    return b"\r\nserver: pledgekeeper" in head and b"content-security-policy: default-src 'none'" in head


def assert_calm(logs: list[structlog.typing.EventDict]) -> None:
    """One line for each kind of thing, and none that a page of ours failed."""
    events = [line["event"] for line in logs]
    assert len(events) == len(set(events)), events
    assert "a page failed" not in events


@pytest.mark.parametrize("coding", PACKED)
async def test_a_body_in_any_coding_is_refused_unread_on_every_path(door: Door, coding: str) -> None:
    body = PACKED[coding]()
    with structlog.testing.capture_logs() as logs:
        answers = [
            await door.send(
                post(path, f"Content-Encoding: {coding}", f"Content-Length: {len(body)}", method=method), body
            )
            for path in PATHS
            for method in ("POST", "GET", "PUT")
        ]
    assert statuses(answers) == {415}
    assert all(is_armed(answer) for answer in answers)
    assert_calm(logs)
    assert await door.is_well()


async def test_a_packed_body_costs_what_a_plain_one_costs(door: Door) -> None:
    """Compared within one run: to inflate these would cost this process a thousand times as much."""

    body = zipped(256)

    async def cost(*headers: str) -> float:
        began = time.process_time()
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(post("/nope", *headers, f"Content-Length: {len(body)}") + body)
            await reader.read()  # until the server, too, is done with it
            writer.close()
        return time.process_time() - began

    await cost()
    assert await cost("Content-Encoding: gzip") < 10 * await cost()


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        pytest.param(("Content-Encoding: gzip", "Content-Encoding: br"), {400, 415}, id="two codings"),
        pytest.param(("Transfer-Encoding: gzip, chunked",), {400}, id="packed on the way"),
        pytest.param(("Transfer-Encoding: chunked", "Transfer-Encoding: gzip"), {400}, id="packed last"),
        pytest.param(("Transfer-Encoding: gzip",), {400}, id="packed and unbounded"),
        pytest.param(("Transfer-Encoding: identity",), {400}, id="an old word"),
        pytest.param(("Transfer-Encoding: chunked", "Content-Encoding: gzip"), {415}, id="chunked and packed"),
        pytest.param(("Transfer-Encoding: chunked", "Content-Length: 3"), {400}, id="two lengths"),
        pytest.param(("Content-Length: 3", "Content-Length: 4"), {400}, id="two other lengths"),
        pytest.param(("Content-Length: -1",), {400}, id="less than nothing"),
        pytest.param(("Content-Length: 99999999999999999999999",), {400, 413}, id="more than all"),
        pytest.param(("Expect: the-unexpected", "Content-Length: 3"), {417}, id="an unknown expectation"),
        pytest.param(("Expect: 100-continue, x", "Content-Length: 3"), {417}, id="two expectations"),
        pytest.param(
            ("Expect: 100-continue", "Content-Encoding: gzip", "Content-Length: 3"), {415}, id="packed, if we like"
        ),
    ],
)
async def test_odd_heads_are_refused_with_the_same_headers(
    door: Door, headers: tuple[str, ...], allowed: set[int]
) -> None:
    with structlog.testing.capture_logs() as logs:
        answers = [await door.send(post(path, *headers), b"abc") for path in PATHS[:-1]]
    assert statuses(answers) <= allowed
    assert all(is_armed(answer) for answer in answers)
    assert_calm(logs)
    assert await door.is_well()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"xyz\r\nabc\r\n", id="no length"),
        pytest.param(b"-1\r\nabc\r\n", id="a negative length"),
        pytest.param(b"3\r\nabcdef\r\n", id="longer than said"),
        pytest.param(b"3\r\nabc\r\nffffffffffffffffffff\r\n", id="a length beyond all"),
        pytest.param(b"3;" + b"x" * 20_000 + b"\r\nabc\r\n0\r\n\r\n", id="a long extension"),
        pytest.param(b"3\r\nabc\r\n0\r\n" + b"X: y\r\n" * 2_000 + b"\r\n", id="endless trailers"),
        pytest.param(b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n", id="a byte each"),
    ],
)
async def test_a_body_in_broken_pieces_is_refused_and_breaks_no_page(door: Door, body: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        answers = [
            await door.send(post(path, "Transfer-Encoding: chunked"), *in_two)
            for path in PATHS[:-1]
            for in_two in ((body,), (body[:1], body[1:]))
        ]
    assert statuses(answers) <= {400, 403, 404, 413}
    assert all(is_armed(answer) for answer in answers)
    assert_calm(logs)
    assert await door.is_well()


async def test_a_body_that_breaks_off_is_one_line_at_most(door: Door) -> None:
    with structlog.testing.capture_logs() as logs:
        for path in PATHS:
            for head in ("Content-Length: 100", "Transfer-Encoding: chunked"):
                await door.send(post(path, head), b"5\r\nhal", hang_up=True)
        assert await door.is_well()
    assert_calm(logs)


async def test_a_form_still_works_that_waits_to_be_asked_for(door: Door) -> None:
    answer = await door.send(post("/link/confirm", "Expect: 100-continue", "Content-Length: 7"), b"token=x")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b"HTTP/1.1 400" in answer  # a form of nobody's


async def test_the_answer_to_too_much_arrives(door: Door) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(10):
            url = f"http://127.0.0.1:{door.port}/webhooks/patreon/700"
            async with session.post(url, data=io.BytesIO(b"x" * 1_100_000)) as answer:
                assert answer.status == 413


async def test_no_request_hides_behind_a_body(door: Door) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(post("/link/confirm", "Content-Length: 7") + b"token=x" + hidden)
    answer = await reader.read()
    writer.close()
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer
