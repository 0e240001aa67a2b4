"""Calls over a real socket: what is sent, what is tried again, and what a broken connection becomes."""

import asyncio
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.domain.errors import CredentialsDead, PatreonCall, PatreonRefused, PatreonThrottled, PatreonUnavailable
from bot.domain.model import Secret
from bot.patreon.http import Http
from bot.patreon.protocol.exchange import PatreonTimedOut, PatreonUnreached, Request
from tests.bot.patreon.served import Loopback, Naps, cut

GET = Request(
    call=PatreonCall.IDENTITY,
    path="/api/oauth2/v2/identity",
    query=(("fields[user]", "full_name"),),
    token=Secret("invented-access"),
)
POST = Request(
    call=PatreonCall.WEBHOOK, method="POST", path="/api/oauth2/v2/webhooks", json=b"{}", token=Secret("invented")
)


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_call_carries_user_agent_token_and_escaped_brackets(
    http: Http, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample("v2_identity")]
    assert await http.fetch(loopback.url + "/", GET) == sample("v2_identity").body
    (request,) = loopback.requests
    assert request.headers["User-Agent"].startswith("Pledgekeeper/")
    assert request.headers["Authorization"] == "Bearer invented-access"
    assert request.rel_url.raw_query_string == "fields%5Buser%5D=full_name"
    assert request.path == "/api/oauth2/v2/identity"


@pytest.mark.parametrize(
    ("cases", "waits"),
    [
        pytest.param(["throttled_by_body", "v2_identity"], [9], id="throttled, then well"),
        pytest.param(["throttled_by_header", "v2_identity"], [7], id="throttled by header"),
        pytest.param(
            ["internal_error", "unavailable_html", "html_with_200", "v2_identity"], [0.5, 1, 2], id="an outage"
        ),
        pytest.param(["forbidden_html", "v2_identity"], [0.5], id="a challenge page"),
    ],
)
async def test_what_passes_is_waited_for(
    *, http: Http, loopback: Loopback, sample: Any, naps: Naps, cases: list[str], waits: list[float]
) -> None:
    loopback.answers = [sample(case) for case in cases]
    assert await http.fetch(loopback.url, GET) == sample("v2_identity").body
    assert naps.seconds == [pytest.approx(wait, rel=0.3, abs=1) for wait in waits]
    assert all(wait < 10 for wait in naps.seconds)


@pytest.mark.parametrize(
    ("case", "error", "calls"),
    [
        ("throttled_by_both", PatreonThrottled, 1),
        ("unauthorized", CredentialsDead, 1),
        ("unauthorized_html", CredentialsDead, 1),
        ("forbidden", PatreonRefused, 1),
        ("unavailable_html", PatreonUnavailable, 4),
        ("html_with_200", PatreonUnavailable, 4),
        ("redirect", PatreonUnavailable, 4),
    ],
)
async def test_what_does_not_pass_is_raised(
    *, http: Http, loopback: Loopback, sample: Any, case: str, error: type[Exception], calls: int
) -> None:
    loopback.answers = [sample(case)]
    with pytest.raises(error):
        await http.fetch(loopback.url, GET)
    assert len(loopback.requests) == calls


async def test_a_long_wait_that_patreon_asks_for_is_kept(
    http: Http, loopback: Loopback, sample: Any, naps: Naps
) -> None:
    loopback.answers = [sample("throttled_by_both"), sample("v2_identity")]
    for _ in range(10):
        with pytest.raises(PatreonThrottled):
            await http.fetch(loopback.url, GET)
    assert len(loopback.requests) == 1
    await naps(12)
    assert await http.fetch(loopback.url, GET) == sample("v2_identity").body


async def test_a_wait_asked_of_one_call_is_kept_by_the_next(
    http: Http, loopback: Loopback, sample: Any, naps: Naps
) -> None:
    loopback.answers = [sample("throttled_by_body"), sample("v2_identity")]
    assert (await http.send(loopback.url, GET)).status == 429
    assert await http.fetch(loopback.url, GET) == sample("v2_identity").body
    assert naps.seconds == [9]


async def test_a_broken_connection_is_tried_again(http: Http, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [cut, cut, cut, sample("v2_identity")]
    assert await http.fetch(loopback.url, GET) == sample("v2_identity").body


async def test_a_body_that_ends_too_early_is_no_answer(http: Http, loopback: Loopback) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"data":')
        assert request.transport is not None
        request.transport.close()
        return response

    loopback.answers = [half]
    with pytest.raises(PatreonUnavailable):
        await http.send(loopback.url, GET)


@pytest.mark.parametrize("is_packed", [False, True], ids=["as it is", "packed"])
async def test_a_body_without_end_is_no_answer(
    http: Http, loopback: Loopback, monkeypatch: pytest.MonkeyPatch, *, is_packed: bool
) -> None:
    monkeypatch.setattr("bot.patreon.http.MAX_BODY_BYTES", 1024 * 1024)
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        if is_packed:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" " * 100_000)
            sent += 100_000
        return response

    loopback.answers = [endless]
    with pytest.raises(PatreonUnavailable):
        await http.send(loopback.url, GET)
    assert sent < 100_000_000


async def test_a_post_is_sent_once_whatever_becomes_of_it(http: Http, loopback: Loopback, sample: Any) -> None:
    for answer in (cut, sample("unavailable_html"), sample("throttled_by_body")):
        loopback.answers = [answer]
        loopback.requests.clear()
        with pytest.raises((PatreonUnavailable, PatreonThrottled)):
            await http.fetch(loopback.url, POST)
        assert len(loopback.requests) == 1


async def test_a_post_never_rides_on_a_kept_connection(http: Http, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("v2_webhook")]
    for _ in range(2):
        await http.fetch(loopback.url, POST)
    first, second = loopback.requests
    assert first.headers["Connection"] == second.headers["Connection"] == "close"


async def test_no_connection_is_told_from_no_answer(http: Http, naps: Naps) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PatreonUnreached):
            await http.fetch(url, POST)
    assert len(naps.seconds) == 3


async def test_an_unanswered_call_times_out_and_is_tried_once_more(loopback: Loopback, naps: Naps) -> None:
    loopback.answers = [hang]
    async with Http(sleep=naps, timeout=aiohttp.ClientTimeout(total=0.1)) as http:
        with pytest.raises(PatreonTimedOut):
            await http.fetch(loopback.url, GET)
    assert len(loopback.requests) == 2


async def test_a_redirect_is_not_followed_with_our_token(http: Http, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("redirect")]
    response = await http.send(loopback.url, GET)
    assert (response.status, len(loopback.requests)) == (302, 1)


async def test_the_observer_is_told_of_every_call(loopback: Loopback, sample: Any, naps: Naps) -> None:
    seen: list[tuple[PatreonCall, int | None]] = []
    loopback.answers = [cut, cut, sample("unavailable_html"), sample("v2_identity")]
    async with Http(sleep=naps, observer=lambda call, status, _seconds: seen.append((call, status))) as http:
        await http.fetch(loopback.url, GET)
    assert seen[0][1] is None
    assert seen[-1] == (PatreonCall.IDENTITY, 200)
