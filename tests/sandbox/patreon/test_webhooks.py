"""Webhooks as they arrive: signed, several for one pledge, again after a failure, under the weather."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.patreon import Webhook
from sandbox.patreon.webhook_api import MEMBER_TRIGGERS, V1_TRIGGERS
from sandbox.patreon.webhooks import RETRIES, sign
from tests.sandbox.patreon.conftest import Asker, Shop


@dataclass
class Letter:
    event: str
    headers: Any
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Mailbox:
    """Whoever receives the webhooks; answers with `status`."""

    status: int = 200
    letters: list[Letter] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.Request) -> web.Response:
        letter = Letter(request.headers["X-Patreon-Event"], request.headers, await request.read())
        async with self.news:
            self.letters.append(letter)
            self.news.notify_all()
        return web.Response(status=self.status)

    async def events(self, count: int) -> list[str]:
        """Wait until so many have come, and return their triggers."""
        async with asyncio.timeout(40), self.news:
            await self.news.wait_for(lambda: len(self.letters) >= count)
        return [letter.event for letter in self.letters]


@pytest.fixture
async def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def webhook(ask: Asker, shop: Shop, mailbox: Mailbox) -> AsyncIterator[Webhook]:
    application = web.Application()
    application.router.add_post("/hook", mailbox.receive)
    server = TestServer(application)
    await server.start_server()
    yield shop.state.add_webhook(shop.client, shop.campaign, str(server.make_url("/hook")), MEMBER_TRIGGERS)
    await server.close()


def test_the_signature_is_hmac_md5_in_hex() -> None:
    assert sign(b"{}", "key") == hmac.new(b"key", b"{}", hashlib.md5).hexdigest()
    assert len(sign(b"{}", "key")) == 32


async def test_one_pledge_arrives_as_several_signed_letters(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    assert await mailbox.events(3) == ["members:create", "members:pledge:create", "members:update"]
    for letter in mailbox.letters:
        assert letter.headers["X-Patreon-Signature"] == sign(letter.raw, webhook.secret)
        assert letter.headers["User-Agent"] == "Patreon HTTP Robot"


async def test_the_body_is_full_and_escaped(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    zoe = shop.state.add_patron("Zoë Ünal")
    member = shop.standin.pledge(zoe.id, shop.gold.id)
    await mailbox.events(3)
    letter = mailbox.letters[-1]
    data = letter.body["data"]
    assert (data["type"], data["id"], data["attributes"]["full_name"]) == ("member", member.id, "Zoë Ünal")
    assert b"Zo\\u00eb" in letter.raw
    assert data["relationships"]["address"] == {"data": None}
    assert data["relationships"]["user"]["data"] == {"type": "user", "id": zoe.id}
    assert {resource["type"] for resource in letter.body["included"]} == {"campaign", "tier", "user"}
    assert "self" in letter.body["links"]
    user = next(resource for resource in letter.body["included"] if resource["type"] == "user")
    assert user["attributes"]["social_connections"]["discord"] is None


async def test_a_free_member_has_null_amounts(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.standin.follow_free(shop.ada.id)
    await mailbox.events(1)
    attributes = mailbox.letters[0].body["data"]["attributes"]
    assert (attributes["currently_entitled_amount_cents"], attributes["patron_status"]) == (None, None)


async def test_api_v1_sends_pledges(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    webhook.triggers = V1_TRIGGERS
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.cancel(shop.ada.id)
    assert await mailbox.events(2) == ["pledges:create", "pledges:delete"]
    assert mailbox.letters[0].body["data"]["type"] == "pledge"


async def test_renewals_arrive_too(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.state.add_member(shop.ada, shop.gold)
    shop.clock.move(timedelta(days=32))
    assert await mailbox.events(1) == ["members:update"]


async def test_a_failed_delivery_is_retried_in_the_sandboxs_time(
    shop: Shop, webhook: Webhook, mailbox: Mailbox
) -> None:
    mailbox.status = 500
    webhook.triggers = ("members:update",)
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    for count, pause in enumerate(RETRIES[:3], start=1):
        assert len(await mailbox.events(count)) == count
        await shop.standin.deliveries.rest()
        shop.clock.move(pause)
    await mailbox.events(4)
    assert len({letter.raw for letter in mailbox.letters}) == 1


async def test_the_next_success_sends_all_that_waits(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    webhook.triggers = ("members:update",)
    mailbox.status = 500
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.change_tier(shop.ada.id, shop.bronze.id)
    await mailbox.events(2)
    await shop.standin.deliveries.rest()
    mailbox.status = 200
    shop.standin.decline(shop.ada.id)
    await mailbox.events(5)
    statuses = [letter.body["data"]["attributes"]["patron_status"] for letter in mailbox.letters[2:]]
    assert statuses == ["declined_patron", "active_patron", "active_patron"]
    assert webhook.failures == 0


async def test_a_webhook_that_fails_for_weeks_is_paused(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    mailbox.status = 500
    webhook.triggers = ("members:create",)
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    for pause in RETRIES:
        await shop.standin.deliveries.rest()
        assert not webhook.is_paused
        shop.clock.move(pause)
    await shop.standin.deliveries.rest()
    assert webhook.is_paused
    assert webhook.failures == len(RETRIES) + 1
    assert shop.standin.deliveries.waiting == 1


async def test_a_webhook_sent_twice_is_the_same_letter(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.strike("webhook_twice", "/hook members:create")
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    assert (await mailbox.events(4))[:2] == ["members:create"] * 2
    assert mailbox.letters[0].raw == mailbox.letters[1].raw


async def test_a_late_webhook_comes_an_hour_later_with_its_old_body(
    shop: Shop, webhook: Webhook, mailbox: Mailbox
) -> None:
    webhook.triggers = ("members:update",)
    shop.strike("webhook_late")
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.decline(shop.ada.id)
    await mailbox.events(1)
    shop.clock.move(timedelta(hours=1))
    await mailbox.events(2)
    statuses = [letter.body["data"]["attributes"]["patron_status"] for letter in mailbox.letters]
    assert statuses == ["declined_patron", "active_patron"]


async def test_reordered_webhooks_are_overtaken(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.strike("webhook_reordered", "members:create")
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    await shop.standin.deliveries.rest()
    shop.clock.move(timedelta(seconds=2))
    assert await mailbox.events(3) == ["members:pledge:create", "members:update", "members:create"]


async def test_while_all_are_reordered_the_latest_comes_first(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.strike("webhook_reordered", "/", times=None)
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    await shop.standin.deliveries.rest()
    shop.clock.move(timedelta(seconds=2))
    assert await mailbox.events(3) == ["members:update", "members:pledge:create", "members:create"]


async def test_a_paused_webhook_keeps_what_happens(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    shop.strike("webhook_paused")
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    await shop.standin.deliveries.rest()
    assert webhook.is_paused
    assert shop.standin.deliveries.waiting == 3
    assert mailbox.letters == []


async def test_unpausing_by_the_api_sends_all_that_waits(
    ask: Asker, shop: Shop, webhook: Webhook, mailbox: Mailbox
) -> None:
    shop.strike("webhook_paused")
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    await shop.standin.deliveries.rest()
    assert webhook.is_paused
    document = {"data": {"type": "webhook", "id": webhook.id, "attributes": {"paused": False}}}
    headers = {"Authorization": f"Bearer {shop.client.creator_access_token}"}
    await ask.send("PATCH", f"/api/oauth2/v2/webhooks/{webhook.id}", json=document, headers=headers)
    assert len(await mailbox.events(3)) == 3


async def test_other_campaigns_say_nothing(shop: Shop, webhook: Webhook, mailbox: Mailbox) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    shop.standin.pledge(shop.ada.id, shop.state.add_tier(other, "Silver", 500).id)
    assert shop.standin.deliveries.waiting == 0
