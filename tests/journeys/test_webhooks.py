"""Webhooks: a pledge is a role at once, whatever way its deliveries come; and nothing is believed that they say."""

import asyncio
import hashlib
import hmac
import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from sandbox.main import Options
from sandbox.patreon.model import Webhook
from tests.fakes.stage import ADMIN, Stage

HAZEL, IVY = "hazel.hollow", "ivy_afterdark"
BY_HAND = "a-secret-that-a-person-copied"
MEMBER = "GET /api/oauth2/v2/members/{member_id}"
BULK = "GET /api/oauth2/v2/campaigns/{campaign_id}/members"


@pytest.fixture
async def quiet() -> AsyncIterator[Stage]:
    """Two linked people, a rule, and a bot that reads the whole list at its start only."""
    async with Stage(Options(interval=3600)) as stage:
        await stage.add_rule()
        await stage.link(HAZEL, "Saga Mirren")
        await stage.link(IVY, "Gerda Nilsson")
        await stage.until(lambda: "Gold" in stage.roles(IVY), "the role")
        await stage.webhook()
        yield stage


def webhooks(stage: Stage) -> list[Webhook]:
    return list(stage.sandbox.patreon.state.webhooks.values())


def calls(stage: Stage) -> Counter[str]:
    return Counter(call.route for call in stage.sandbox.patreon.calls)


def delivery(stage: Stage, patron: str, **attributes: object) -> bytes:
    """Write a body that says what the truth may not be."""
    member = stage.sandbox.world.patreon.people[stage.patron_id(patron)].memberships[stage.sandbox.world.campaign.id]
    user = {"data": {"type": "user", "id": member.person.id}}
    return json.dumps(
        {"data": {"type": "member", "id": member.id, "attributes": attributes, "relationships": {"user": user}}}
    ).encode()


async def post(stage: Stage, body: bytes, secret: str, *, campaign_id: str | None = None) -> int:
    signature = hmac.new(secret.encode(), body, hashlib.md5).hexdigest()
    url = f"{stage.sandbox.bot_url}/webhooks/patreon/{campaign_id or stage.sandbox.world.campaign.id}"
    headers = {"X-Patreon-Signature": signature, "X-Patreon-Event": "members:update"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=io.BytesIO(body), headers=headers) as answer,
    ):
        return answer.status


async def metrics(stage: Stage, *, forwarded_for: str | None = None) -> str:
    headers = {} if forwarded_for is None else {"X-Forwarded-For": forwarded_for}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{stage.sandbox.bot_url}/metrics") as answer,
    ):
        assert answer.status == (200 if forwarded_for is None else 403)
        return await answer.text()


async def test_a_pledge_is_a_role_at_once_however_its_deliveries_come(quiet: Stage) -> None:
    patreon, saga = quiet.sandbox.patreon, quiet.patron_id("Saga Mirren")
    patreon.calls.clear()
    patreon.change_tier(saga, quiet.tier_id("Gold"))
    await quiet.until(lambda: "Gold" in quiet.roles(HAZEL), "the role")
    assert calls(quiet)[BULK] == 0

    quiet.weather("patreon", "/webhooks/patreon/", "webhook_twice", times=1)
    patreon.change_tier(saga, quiet.tier_id("Silver"))
    await quiet.until(lambda: "Gold" not in quiet.roles(HAZEL), "the role goes")
    quiet.weather("patreon", "/webhooks/patreon/", "webhook_reordered", times=1)
    patreon.change_tier(saga, quiet.tier_id("Gold"))
    await quiet.until(lambda: "Gold" in quiet.roles(HAZEL), "the role comes back")

    quiet.weather("patreon", "/webhooks/patreon/", "webhook_late")  # Silver is told of only when it is Gold again
    patreon.change_tier(saga, quiet.tier_id("Silver"))
    quiet.sandbox.weather.clear()
    patreon.change_tier(saga, quiet.tier_id("Gold"))
    await quiet.move(timedelta(hours=1, minutes=1))
    await patreon.deliveries.rest()
    assert patreon.deliveries.waiting == 0
    patreon.cancel(quiet.patron_id("Gerda Nilsson"))  # a cancelled pledge lasts to its end
    await quiet.until(lambda: calls(quiet)[MEMBER] > 3, "all of it was read again")
    assert "Gold" in quiet.roles(HAZEL)
    assert "Gold" in quiet.roles(IVY)


async def test_what_a_delivery_says_is_not_believed_and_who_cannot_sign_is_refused(quiet: Stage) -> None:
    (webhook,) = webhooks(quiet)
    lie = delivery(quiet, "Gerda Nilsson", patron_status="former_patron", currently_entitled_amount_cents=0)
    hope = delivery(quiet, "Saga Mirren", patron_status="active_patron", currently_entitled_amount_cents=9900)
    quiet.sandbox.patreon.calls.clear()
    for body in (lie, hope, lie, hope):
        assert await post(quiet, body, webhook.secret) == 200
    await quiet.until(lambda: calls(quiet)[MEMBER] + calls(quiet)[BULK] >= 2, "both were read again")
    assert await post(quiet, lie, "another secret") == 403
    assert await post(quiet, lie, "") == 403
    assert await post(quiet, lie, webhook.secret, campaign_id="99999") == 404
    assert await post(quiet, b"x" * (1024 * 1024 + 1), webhook.secret) == 413
    assert await post(quiet, b"{}", webhook.secret) == 200  # about nobody that we know
    assert "Gold" in quiet.roles(IVY)
    assert "Gold" not in quiet.roles(HAZEL)
    assert (await quiet.health())["http"] == 200

    seen = await metrics(quiet)
    assert 'pledgekeeper_webhooks_total{answer="accepted"}' in seen
    assert 'pledgekeeper_webhooks_total{answer="bad signature"} 2.0' in seen
    assert "pledgekeeper_" not in await metrics(quiet, forwarded_for="203.0.113.7")


async def test_many_at_once_are_one_read_and_a_paused_webhook_is_noticed_within_the_hour(quiet: Stage) -> None:
    patreon, (webhook,) = quiet.sandbox.patreon, webhooks(quiet)
    bodies = [delivery(quiet, member.person.full_name) for member in quiet.sandbox.world.campaign.members]
    patreon.calls.clear()
    quiet.weather("patreon", "/v2/members/", "held")  # while the first is read, all others come
    (first,) = quiet.sandbox.weather.faults
    assert await post(quiet, bodies[0], webhook.secret) == 200
    await quiet.until(lambda: first.struck, "the first is being read")
    assert {*await asyncio.gather(*(post(quiet, body, webhook.secret) for body in bodies * 2))} == {200}
    quiet.sandbox.weather.clear()
    await quiet.until(lambda: not quiet.query("SELECT 1 FROM nudges"), "all are read")
    assert calls(quiet) == {MEMBER: 1, BULK: 1}

    webhook.is_paused = True
    patreon.change_tier(quiet.patron_id("Saga Mirren"), quiet.tier_id("Gold"))
    await quiet.move(timedelta(hours=1))
    await quiet.until(lambda: "Gold" in quiet.roles(HAZEL), "what was kept back is delivered, or read")
    await quiet.until(lambda: not webhook.is_paused, "it is no longer paused")
    await quiet.until_said("stopped telling me about pledges", ADMIN, "patreon rule list")


@pytest.fixture
async def by_hand() -> AsyncIterator[Stage]:
    env = {"PATREON_API_VERSION": "v1", "PATREON_WEBHOOK_SECRET": BY_HAND}
    async with Stage(Options(interval=3600, env=env)) as stage:
        yield stage


async def test_on_v1_a_webhook_made_by_hand_brings_the_role(by_hand: Stage) -> None:
    stage, world = by_hand, by_hand.sandbox.world
    uri = f"{stage.sandbox.bot_url}/webhooks/patreon/{world.campaign.id}"
    stage.sandbox.patreon.state.add_webhook(
        world.client, world.campaign, uri, ["pledges:create", "pledges:update", "pledges:delete"]
    ).secret = BY_HAND
    await stage.add_rule()
    await stage.link(HAZEL, "Saga Mirren")
    stage.sandbox.patreon.change_tier(stage.patron_id("Saga Mirren"), stage.tier_id("Gold"))
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role")
    assert len(webhooks(stage)) == 1


@pytest.mark.parametrize("long", ["a" * 100_000, "1" * 100_000, "token" * 20_000], ids=["letters", "digits", "tokens"])
async def test_a_genuine_delivery_with_an_endless_id_holds_nobody_up(quiet: Stage, long: str) -> None:
    user = {"data": {"type": "user", "id": long}}
    body = {"data": {"type": "member", "id": long, "relationships": {"user": user, "campaign": user}}}
    (webhook,) = webhooks(quiet)
    assert await post(quiet, json.dumps(body).encode(), webhook.secret) == 200
    quiet.sandbox.patreon.change_tier(quiet.patron_id("Saga Mirren"), quiet.tier_id("Gold"))
    await quiet.until(lambda: "Gold" in quiet.roles(HAZEL), "the role of another")
    assert (await quiet.health())["http"] == 200
    assert max(len(line) for line in quiet.log().splitlines()) < 40_000
    assert "Traceback" not in quiet.log()
