"""Deliveries of Patreon's webhooks: who gets in, what is answered, and that nothing but the secret is waited for."""

import asyncio
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import aiohttp
import pytest
import structlog

from bot.domain.model import CampaignId, Secret
from bot.runtime.health import HealthBoard
from bot.sync.deliveries.inbox import DeliveryInbox
from bot.web.deliveries import MAX_BODY_BYTES, webhook_routes
from bot.web.server import WebServer
from tests.bot.linking.world import LinkWorld

SECRET = Secret("the-secret-of-700")
MADE_BY_HAND = Secret("the-other-secret-of-700")
BODY = json.dumps({"data": {"type": "member", "id": "m-1"}}).encode()
PATH = "/webhooks/patreon/700"


@dataclass
class PaperInbox:
    """Writes down what is handed in; 700 has two secrets, 701 an empty one, all others none."""

    taken: list[tuple[CampaignId, bytes]] = field(default_factory=list)

    async def secrets_of(self, campaign_id: CampaignId) -> tuple[Secret, ...]:
        return {CampaignId("700"): (SECRET, MADE_BY_HAND), CampaignId("701"): (Secret(""),)}.get(campaign_id, ())

    async def take(self, campaign_id: CampaignId, body: bytes) -> None:
        self.taken.append((campaign_id, body))


@dataclass
class Door:
    """The server as Patreon sees it."""

    inbox: PaperInbox
    answers: list[str]
    session: aiohttp.ClientSession
    host: str

    async def deliver(self, body: bytes, *, path: str = PATH, signature: str | None = None) -> int:
        headers = {"X-Patreon-Signature": sign(body) if signature is None else signature}
        async with self.session.post(self.host + path, data=io.BytesIO(body), headers=headers) as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            return answer.status


def sign(body: bytes, secret: Secret = SECRET) -> str:
    return hmac.new(secret.reveal().encode(), body, hashlib.md5).hexdigest()


@pytest.fixture
async def door(world: LinkWorld) -> AsyncIterator[Door]:
    inbox, answers = PaperInbox(), list[str]()
    server = WebServer(
        linking=world.linking,
        connecting=world.connecting,
        health=HealthBoard(world.clock),
        public_url="http://127.0.0.1:9",
        routes=webhook_routes(cast("DeliveryInbox", inbox), note=answers.append),
    )
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        yield Door(inbox, answers, session, f"http://127.0.0.1:{server.port}")
    await server.stop()


async def test_a_genuine_delivery_is_handed_in_as_it_came(door: Door) -> None:
    assert await door.deliver(BODY) == 200
    assert door.inbox.taken == [(CampaignId("700"), BODY)]
    assert door.answers == ["accepted"]


async def test_a_webhook_made_by_hand_and_one_made_by_us_both_count(door: Door) -> None:
    assert await door.deliver(BODY, signature=sign(BODY, MADE_BY_HAND)) == 200


async def test_a_delivery_may_come_twice(door: Door) -> None:
    assert [await door.deliver(BODY), await door.deliver(BODY)] == [200, 200]


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none"),
        pytest.param("0" * 32, id="a wrong one"),
        pytest.param(sign(BODY, Secret("another")), id="with another secret"),
        pytest.param(sign(BODY + b" "), id="of another body"),
        pytest.param(sign(BODY)[:-1], id="cut off"),
        pytest.param(hmac.new(b"", BODY, hashlib.md5).hexdigest(), id="with an empty key"),
        pytest.param("\xff\xfe", id="stray bytes"),
    ],
)
async def test_a_bad_signature_is_refused(door: Door, signature: str) -> None:
    assert await door.deliver(BODY, signature=signature) == 403
    assert door.inbox.taken == []
    assert door.answers == ["bad signature"]


async def test_many_bad_signatures_are_one_line_of_the_log(door: Door) -> None:
    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            await door.deliver(BODY, signature="0" * 32)
    (line,) = [line for line in logs if "webhook" in line["event"]]
    assert (line["why"], line["campaign_id"]) == ("bad signature", "700")


async def test_without_a_secret_nothing_can_be_genuine(door: Door) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    assert await door.deliver(BODY, path="/webhooks/patreon/999") == 404
    assert await door.deliver(body, path="/webhooks/patreon/999") == 404
    assert await door.deliver(BODY, path="/webhooks/patreon/abc") == 404
    assert door.inbox.taken == []


async def test_an_empty_secret_lets_nobody_in(door: Door) -> None:
    signature = hmac.new(b"", BODY, hashlib.md5).hexdigest()
    assert await door.deliver(BODY, path="/webhooks/patreon/701", signature=signature) == 403


async def test_a_mebibyte_is_taken_and_a_byte_more_is_not(door: Door) -> None:
    assert await door.deliver(b"x" * MAX_BODY_BYTES) == 200
    assert await door.deliver(b"x" * (MAX_BODY_BYTES + 1)) == 413
    assert len(door.inbox.taken) == 1


async def test_a_body_that_does_not_say_how_long_it_is_is_bounded_too(door: Door) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 32_768

    headers = {"X-Patreon-Signature": "0" * 32}
    async with door.session.post(door.host + PATH, data=endless(), headers=headers) as answer:
        assert answer.status == 413


async def test_only_this_route_takes_large_bodies(door: Door) -> None:
    async with door.session.post(door.host + "/link/confirm", data={"token": "x" * 100_000}) as answer:
        assert answer.status in {400, 413}


async def test_other_methods_are_not_answered(door: Door) -> None:
    for method in ("GET", "HEAD", "PUT"):
        async with door.session.request(method, door.host + PATH) as answer:
            assert answer.status == 405


async def test_a_body_that_breaks_off_is_not_taken(door: Door) -> None:
    host, port = door.host.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of it")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await door.deliver(BODY) == 200
    assert door.inbox.taken == [(CampaignId("700"), BODY)]
