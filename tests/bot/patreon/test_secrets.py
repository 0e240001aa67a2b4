"""A marker in every token, code and secret is found in no error, no traceback and no log line, whatever goes wrong."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web

from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId, MembershipId, Secret
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.patreon.oauth import OAuth, RegisteredClient
from tests.bot.patreon.served import Loopback, Naps, StillClock, cut, load

MARKER = "MARKER/secret+text"
HIDDEN = Secret(MARKER)

CASES = [
    "throttled_by_body",
    "unauthorized",
    "unauthorized_html",
    "forbidden",
    "bad_request",
    "unavailable_html",
    "html_with_200",
    "redirect",
    "broken_json",
    "token_used_code",
    "token_used_code_200",
    "token_wrong_secret",
    "token_malformed",
    "token_new_word",
    "token_pair_halved",
]


async def echo(request: web.Request) -> web.StreamResponse:
    """Answer with all that was sent, as some error pages do."""
    sent = f"{request.headers.get('Authorization')} {await request.text()} {MARKER}"
    error = {"code_name": sent, "detail": sent}
    return web.json_response({"error": sent, "error_description": sent, "errors": [error]}, status=400)


async def echo_unauthorized(request: web.Request) -> web.StreamResponse:
    sent = f"{await request.text()} {MARKER}"
    return web.json_response({"error": sent, "errors": [{"code_name": "Unauthorized", "detail": sent}]}, status=401)


async def echo_as_header(request: web.Request) -> web.StreamResponse:
    headers = {"Location": f"/?token={MARKER}", "Content-Type": "text/html"}
    return web.Response(status=302, headers=headers, text=MARKER)


async def echo_as_document(request: web.Request) -> web.StreamResponse:
    return web.json_response({"data": MARKER, "included": MARKER, "access_token": MARKER, "error": None})


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


ANSWERS = [*(load(case) for case in CASES), cut, hang, echo, echo_unauthorized, echo_as_header, echo_as_document]
NAMES = [*CASES, "cut", "hang", "echo", "echo 401", "echo as header", "echo as document"]

CALLS: dict[str, Callable[[OAuth, PatreonClient], Awaitable[object]]] = {
    "exchange": lambda oauth, _: oauth.exchange_code(HIDDEN),
    "refresh": lambda oauth, _: oauth.refresh(HIDDEN),
    "revoke": lambda oauth, _: oauth.revoke(HIDDEN),
    "identity": lambda _, client: client.fetch_identity(HIDDEN),
    "campaigns": lambda _, client: client.fetch_campaigns(HIDDEN),
    "member": lambda _, client: client.fetch_membership(HIDDEN, MembershipId("m")),
    "page": lambda _, client: anext(client.iter_membership_pages(HIDDEN, CampaignId("700"))),
    "webhooks": lambda _, client: client.fetch_webhooks(HIDDEN),
    "webhook": lambda _, client: client.create_webhook(HIDDEN, CampaignId("700"), "https://bot.example/w"),
}


def everything_said(error: BaseException) -> str:
    """Return all that a careless log line or crash report could print of an error."""
    chain = [error]
    while chain[-1].__context__ is not None:
        chain.append(chain[-1].__context__)
    printed = "".join(traceback.format_exception(error))
    return printed + "".join(f"{part!r} {part} {part.args}" for part in chain)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ANSWERS, ids=NAMES)
async def test_no_secret_is_ever_said(
    loopback: Loopback, naps: Naps, clock: StillClock, *, answer: Any, call: str
) -> None:
    loopback.answers = [answer]
    said = ""
    with structlog.testing.capture_logs() as lines:
        limiter = Limiter(monotonic=naps.now, sleep=naps)
        async with Http(
            limiter=limiter, sleep=naps, timeout=aiohttp.ClientTimeout(total=0.05 if answer is hang else 5)
        ) as http:
            client = PatreonClient(http, api=PatreonApi.V2, base_url=loopback.url, clock=clock)
            oauth = OAuth(
                http,
                base_url=loopback.url,
                client=RegisteredClient(
                    client_id="invented-client", client_secret=HIDDEN, redirect_uri="https://bot.example/oauth/callback"
                ),
                clock=clock,
            )
            try:
                said = repr(await CALLS[call](oauth, client))
            except PledgekeeperError as error:
                said = everything_said(error)
    for text in (said, repr(lines)):
        assert MARKER not in text
        assert "MARKER%2Fsecret%2Btext" not in text
