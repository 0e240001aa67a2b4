"""What the token endpoint's answers mean, and what is sent to it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.domain.errors import (
    ClientRefused,
    CredentialsDead,
    PatreonCode,
    PatreonRefused,
    PatreonThrottled,
    PatreonUnavailable,
)
from bot.domain.model import Secret
from bot.patreon.client import PatreonApi
from bot.patreon.http import Http
from bot.patreon.oauth import CONNECT_SCOPES, LINK_SCOPES, GrantRefused, OAuth, RefreshUncertain, RegisteredClient
from bot.patreon.protocol.exchange import PatreonUnreached, Response
from tests.bot.patreon.served import Loopback, Naps, StillClock, cut


def build_oauth(http: Http, url: str, clock: StillClock) -> OAuth:
    return OAuth(
        http,
        base_url=url,
        client=RegisteredClient(
            client_id="invented-client",
            client_secret=Secret("invented-secret"),
            redirect_uri="https://bot.example/oauth/callback",
        ),
        clock=clock,
    )


@pytest.fixture
def oauth(http: Http, loopback: Loopback, clock: StillClock) -> OAuth:
    return build_oauth(http, loopback.url, clock)


@pytest.fixture
async def hasty(loopback: Loopback, clock: StillClock, naps: Naps) -> AsyncIterator[OAuth]:
    async with Http(sleep=naps, timeout=aiohttp.ClientTimeout(total=0.1)) as http:
        yield build_oauth(http, loopback.url, clock)


def test_the_authorize_url_asks_for_exactly_these_scopes_and_prints_as_stars(oauth: OAuth) -> None:
    url = oauth.authorize_url(state=Secret("invented-state"), scopes=LINK_SCOPES[PatreonApi.V2])
    parts = urlsplit(url.reveal())
    assert parts.path == "/oauth2/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["invented-client"],
        "redirect_uri": ["https://bot.example/oauth/callback"],
        "scope": ["identity identity.memberships"],
        "state": ["invented-state"],
    }
    assert "invented-state" not in repr(url)


def test_linking_and_connecting_ask_for_no_more_than_they_need() -> None:
    assert LINK_SCOPES[PatreonApi.V1] == ("users", "pledges-to-me")
    assert CONNECT_SCOPES == ("identity", "campaigns", "campaigns.members", "w:campaigns.webhook")


async def test_a_code_becomes_a_pair(oauth: OAuth, loopback: Loopback, sample: Any, clock: StillClock) -> None:
    loopback.answers = [sample("token_pair")]
    pair = await oauth.exchange_code(Secret("invented-code"))
    assert (pair.access_token.reveal(), pair.refresh_token.reveal()) == ("invented-access-2", "invented-refresh-2")
    assert pair.expires_at == clock.now() + timedelta(days=31)
    assert pair.scopes == {"identity", "identity.memberships"}
    assert parse_qs(loopback.bodies[0]) == {
        "grant_type": ["authorization_code"],
        "code": ["invented-code"],
        "redirect_uri": ["https://bot.example/oauth/callback"],
        "client_id": ["invented-client"],
        "client_secret": ["invented-secret"],
    }
    assert loopback.requests[0].path == "/api/oauth2/token"
    assert loopback.requests[0].rel_url.raw_query_string == ""


async def test_a_refresh_sends_the_refresh_token(oauth: OAuth, loopback: Loopback, sample: Any) -> None:
    loopback.answers = [sample("token_pair")]
    await oauth.refresh(Secret("invented-refresh-1"))
    form = parse_qs(loopback.bodies[0])
    assert (form["grant_type"], form["refresh_token"]) == (["refresh_token"], ["invented-refresh-1"])
    assert "redirect_uri" not in form


@pytest.mark.parametrize(
    ("case", "lifetime"),
    [
        ("token_pair_without_lifetime", timedelta(days=7)),
        ("token_pair_lifetime_as_text", timedelta(hours=1)),
        ("token_pair_lifetime_in_words", timedelta(days=7)),
        ("token_pair_endless", timedelta(days=7)),
    ],
)
async def test_a_lifetime_that_makes_no_sense_does_not_cost_the_pair(
    *, oauth: OAuth, loopback: Loopback, sample: Any, clock: StillClock, case: str, lifetime: timedelta
) -> None:
    loopback.answers = [sample(case)]
    pair = await oauth.refresh(Secret("invented-refresh-1"))
    assert pair.expires_at == clock.now() + lifetime
    assert pair.access_token.reveal() == "invented-access-2"


@pytest.mark.parametrize("told", [b"0", b"-1", b"true", b"false", b'"0"', b"[]"])
async def test_a_lifetime_that_is_over_at_once_makes_no_sense(
    oauth: OAuth, loopback: Loopback, sample: Any, clock: StillClock, told: bytes
) -> None:
    body = sample("token_pair").body.replace(b"2678400", told)
    loopback.answers = [Response(status=200, headers={}, body=body)]
    assert (await oauth.refresh(Secret("invented"))).expires_at == clock.now() + timedelta(days=7)


REFUSALS = [
    ("token_used_code", CredentialsDead),
    ("token_new_word", CredentialsDead),
    ("token_api_style_401", CredentialsDead),
    ("token_unknown_client", ClientRefused),
    ("token_wrong_secret", ClientRefused),
    ("token_malformed", PatreonRefused),
    ("token_not_found", PatreonRefused),
    ("throttled_by_body", PatreonThrottled),
]
HALVED = "token_pair_halved"
NO_ANSWERS = [
    "token_server_error",
    "unavailable_html",
    "unauthorized_html",
    "forbidden_html",
    "html_with_200",
    "redirect",
    "broken_json",
]


@pytest.mark.parametrize(("case", "error"), REFUSALS)
async def test_a_refusal_is_what_it_says(
    oauth: OAuth, loopback: Loopback, sample: Any, case: str, error: type[Exception]
) -> None:
    loopback.answers = [sample(case)]
    for ask in (oauth.refresh, oauth.exchange_code):
        with pytest.raises(error) as raised:
            await ask(Secret("invented"))
        assert type(raised.value) is error


@pytest.mark.parametrize("case", ["token_used_code_400", "token_used_code_200"])
async def test_only_a_401_makes_a_pair_dead_where_a_code_is_just_not_taken(
    oauth: OAuth, loopback: Loopback, sample: Any, case: str
) -> None:
    loopback.answers = [sample(case)]
    with pytest.raises(GrantRefused, match=PatreonCode.GRANT_REFUSED):
        await oauth.refresh(Secret("invented"))
    with pytest.raises(CredentialsDead, match=PatreonCode.CODE_REFUSED):
        await oauth.exchange_code(Secret("invented"))


@pytest.mark.parametrize("case", NO_ANSWERS)
async def test_a_refresh_without_a_clear_answer_is_uncertain(
    oauth: OAuth, loopback: Loopback, sample: Any, case: str
) -> None:
    loopback.answers = [sample(case)]
    with pytest.raises(RefreshUncertain):
        await oauth.refresh(Secret("invented"))
    assert len(loopback.requests) == 1


async def test_a_refresh_that_brings_no_refresh_token_keeps_the_old_one(
    oauth: OAuth, loopback: Loopback, sample: Any
) -> None:
    loopback.answers = [sample(HALVED)]
    pair = await oauth.refresh(Secret("invented-refresh-1"))
    assert (pair.access_token.reveal(), pair.refresh_token.reveal()) == ("invented-access-2", "invented-refresh-1")


async def test_an_error_without_a_word_is_none(oauth: OAuth, loopback: Loopback, sample: Any) -> None:
    body = sample("token_pair").body.replace(b"{", b'{"error": "", ', 1)
    loopback.answers = [Response(status=200, headers={}, body=body)]
    assert (await oauth.refresh(Secret("invented"))).access_token.reveal() == "invented-access-2"


@pytest.mark.parametrize("status", [408, 425])
async def test_a_refresh_that_timed_out_on_patreons_side_is_uncertain(
    oauth: OAuth, loopback: Loopback, status: int
) -> None:
    loopback.answers = [Response(status=status, headers={}, body=b'{"errors":[{"code_name":"RequestTimeout"}]}')]
    with pytest.raises(RefreshUncertain):
        await oauth.refresh(Secret("invented"))


@pytest.mark.parametrize("case", [*NO_ANSWERS, HALVED])
async def test_a_code_without_a_clear_answer_means_patreon_is_unavailable(
    oauth: OAuth, loopback: Loopback, sample: Any, case: str
) -> None:
    loopback.answers = [sample(case)]
    with pytest.raises(PatreonUnavailable) as raised:
        await oauth.exchange_code(Secret("invented"))
    assert not isinstance(raised.value, RefreshUncertain)
    assert len(loopback.requests) == 1


async def test_a_refresh_whose_connection_broke_is_uncertain(oauth: OAuth, loopback: Loopback) -> None:
    loopback.answers = [cut]
    with pytest.raises(RefreshUncertain):
        await oauth.refresh(Secret("invented"))
    assert len(loopback.requests) == 1


async def test_a_refresh_that_timed_out_is_uncertain(hasty: OAuth, loopback: Loopback) -> None:
    async def hang(_: object) -> Any:
        await asyncio.Event().wait()

    loopback.answers = [hang]
    with pytest.raises(RefreshUncertain):
        await hasty.refresh(Secret("invented"))


async def test_a_refresh_that_was_never_sent_is_certain(http: Http, clock: StillClock) -> None:
    with pytest.raises(PatreonUnreached):
        await build_oauth(http, "http://127.0.0.1:1", clock).refresh(Secret("invented"))


@pytest.mark.parametrize("case", ["token_pair", "not_found_html", "unauthorized", "internal_error"])
async def test_revoking_never_fails(oauth: OAuth, loopback: Loopback, sample: Any, case: str) -> None:
    loopback.answers = [sample(case)]
    await oauth.revoke(Secret("invented-access"))
    assert loopback.requests[0].path == "/oauth2/revoke"
    assert parse_qs(loopback.bodies[0])["token"] == ["invented-access"]


async def test_revoking_does_not_mind_a_broken_connection(oauth: OAuth, loopback: Loopback) -> None:
    loopback.answers = [cut]
    await oauth.revoke(Secret("invented-access"))
