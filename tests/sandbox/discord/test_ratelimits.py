"""Buckets, headers and blocks, as Discord's "Rate Limits" page has them."""

import asyncio

import pytest

from sandbox.discord import DiscordStandIn, Limit
from sandbox.discord.ratelimits import RateLimits
from tests.sandbox.discord.conftest import Api, World


@pytest.fixture
def limits() -> RateLimits:
    limits = RateLimits()
    limits.limits["role_writes"] = Limit(2, 60)
    return limits


def take(limits: RateLimits, bucket: str = "role_writes", route: str = "/r", top: str = "1") -> float | None:
    return limits.take(bucket, route, top, counts_globally=True).retry_after


def test_a_bucket_lets_so_many_through_and_then_says_how_long(limits: RateLimits) -> None:
    assert [take(limits) for _ in range(2)] == [None, None]
    wait = take(limits)
    assert wait
    assert 59 < wait <= 60


def test_each_server_has_a_bucket_of_its_own(limits: RateLimits) -> None:
    assert [take(limits, top=guild) for guild in ("1", "1", "2", "2")] == [None] * 4
    assert take(limits, top="1")


def test_routes_of_one_bucket_share_it_and_others_do_not(limits: RateLimits) -> None:
    limits.limits["other"] = Limit(1, 60)
    assert [take(limits, route=route) for route in ("/put", "/delete")] == [None, None]
    assert take(limits, route="/put")
    assert [take(limits, "other", route) for route in ("/a", "/b")] == [None, None]
    assert take(limits, "other", "/a")


def test_a_window_ends(limits: RateLimits) -> None:
    limits.limits["role_writes"] = Limit(1, 0.0)
    assert [take(limits) for _ in range(3)] == [None] * 3


def test_all_routes_together_are_limited_a_second(limits: RateLimits) -> None:
    limits.global_a_second = 3
    verdicts = [limits.take("other", f"/{n}", "", counts_globally=True) for n in range(4)]
    assert [verdict.is_global for verdict in verdicts] == [False, False, False, True]
    assert verdicts[3].headers["X-RateLimit-Scope"] == "global"
    assert limits.take("callbacks", "/", "", counts_globally=False).retry_after is None


def test_too_many_refused_calls_block_the_address(limits: RateLimits) -> None:
    limits.refused_in_ten_minutes = 3
    for status in (403, 200, 404, 429):
        limits.note(status)
    assert not limits.is_blocked()
    limits.note(401)
    assert limits.is_blocked()


async def test_a_429_has_all_that_a_client_reads(standin: DiscordStandIn, world: World, api: Api) -> None:
    standin.limits.limits["role_writes"] = Limit(1, 1.0)
    path = f"{world.member}/roles/{world.gold.id}"
    first, second = await api("PUT", path), await api("DELETE", path)
    assert (first.status, first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == (
        204,
        "1",
        "0",
    )
    assert second.status == 429
    assert second.headers["Via"]
    assert second.headers["X-RateLimit-Scope"] == "user"
    assert second.headers["X-RateLimit-Bucket"] == first.headers["X-RateLimit-Bucket"]
    assert second.headers["Retry-After"] == "1"
    assert 0 < second.body["retry_after"] <= 1.0
    assert second.body["global"] is False
    assert world.guild.members[world.ada.id].role_ids == {world.gold.id}
    await asyncio.sleep(float(second.headers["X-RateLimit-Reset-After"]))
    assert (await api("DELETE", path)).status == 204


async def test_a_blocked_address_gets_a_page_and_no_via(standin: DiscordStandIn, api: Api) -> None:
    standin.limits.refused_in_ten_minutes = 2
    statuses = [(await api("GET", "/users/@me", token="Bot wrong")).status for _ in range(2)]
    blocked = await api("GET", "/users/@me")
    assert (statuses, blocked.status) == ([401, 401], 429)
    assert "Via" not in blocked.headers
    assert blocked.headers["Content-Type"].startswith("text/html")


async def test_opening_direct_messages_can_be_limited(standin: DiscordStandIn, world: World, api: Api) -> None:
    standin.limits.new_dms = Limit(1, 60)

    async def open_dm(user_id: str) -> int:
        return (await api("POST", "/users/@me/channels", json={"recipient_id": user_id})).status

    assert [await open_dm(u) for u in (world.ada.id, world.ada.id, world.owner.id)] == [200, 200, 403]
