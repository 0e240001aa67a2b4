"""The table of `tokens.py`, row by row."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import CredentialsDead, PatreonCode, PatreonRefused, PatreonThrottled, PatreonUnavailable
from bot.domain.model import CampaignId, Secret
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.http import Http
from bot.patreon.oauth import RefreshUncertain
from bot.patreon.tokens import TokenKeeper
from tests.bot.patreon.issuer import PAIR, Issuer, MemoryStore
from tests.bot.patreon.served import Loopback, StillClock, cut

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Used = Callable[[], Awaitable[str]]


async def test_a_young_pair_is_used_as_it_is(used: Used, store: MemoryStore) -> None:
    assert await used() == "access-1"
    assert store.log == []


async def test_a_refresh_is_noted_before_it_is_sent_and_saved_before_it_is_used(
    used: Used, store: MemoryStore, clock: StillClock
) -> None:
    clock.advance(days=21)
    assert await used() == "access-2"
    assert store.log == ["refresh noted", "refresh sent", "saved access-2"]


@pytest.mark.parametrize(("days", "token"), [(20, "access-1"), (21, "access-2"), (24, "access-2"), (40, "access-2")])
async def test_a_pair_is_refreshed_with_a_third_of_its_lifetime_left(
    used: Used, clock: StillClock, days: int, token: str
) -> None:
    clock.advance(days=days)
    assert await used() == token


async def test_a_refresh_token_that_is_not_replaced_is_used_again(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    async def keep(_: web.Request) -> web.StreamResponse:
        fresh = issuer.rotate("")
        del fresh["refresh_token"]
        return web.json_response(fresh)

    issuer.faults = [keep, keep]
    for token in ("access-2", "access-3"):
        clock.advance(days=21)
        assert await used() == token
    assert issuer.asked == ["refresh-1", "refresh-1"]


async def test_one_refresh_serves_all_who_wait(used: Used, issuer: Issuer, clock: StillClock) -> None:
    clock.advance(days=21)
    assert await asyncio.gather(*(used() for _ in range(20))) == ["access-2"] * 20
    assert issuer.asked == ["refresh-1"]


async def test_a_401_is_answered_by_one_refresh_for_all(used: Used, issuer: Issuer) -> None:
    issuer.access.clear()
    assert await asyncio.gather(*(used() for _ in range(20))) == ["access-2"] * 20
    assert issuer.asked == ["refresh-1"]


async def test_two_401s_in_a_row_make_the_pair_dead(keeper: TokenKeeper, store: MemoryStore, issuer: Issuer) -> None:
    async def verb(_: Secret) -> str:
        raise CredentialsDead(PatreonCode.TOKEN_REFUSED)

    with pytest.raises(CredentialsDead):
        await keeper.call(PAIR, verb)
    assert store.log[-1] == "dead"
    assert issuer.asked == ["refresh-1"]


async def test_a_dead_pair_asks_nothing_any_more(
    used: Used, keeper: TokenKeeper, store: MemoryStore, issuer: Issuer
) -> None:
    store.change(dead_at=store.clock.now())
    with pytest.raises(CredentialsDead):
        await used()
    with pytest.raises(CredentialsDead):
        await keeper.access_token(PAIR)
    assert issuer.asked == []


async def test_a_dropped_pair_asks_for_consent(used: Used, store: MemoryStore) -> None:
    store.stored = None
    with pytest.raises(CredentialsDead):
        await used()


async def test_a_401_with_a_refused_refresh_makes_the_pair_dead(used: Used, store: MemoryStore, issuer: Issuer) -> None:
    issuer.access.clear()
    issuer.refresh.clear()
    with pytest.raises(CredentialsDead):
        await used()
    assert store.log == ["refresh noted", "refresh sent", "dead"]
    assert store.access_token == "access-1"


async def test_an_early_refresh_that_is_refused_leaves_a_token_that_works(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    issuer.refresh.clear()
    clock.advance(days=21)
    assert await used() == "access-1"
    assert "dead" not in store.log


async def fail(status: int) -> web.StreamResponse:
    return web.Response(status=status, text="<html>", content_type="text/html")


FAULTS = {
    "drop": cut,
    "503": lambda _: fail(503),
    "html": lambda _: fail(200),
    "html 401": lambda _: fail(401),
    "429": lambda _: fail(429),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_early_refresh_overwrites_nothing_and_the_old_token_goes_on(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock, fault: str
) -> None:
    issuer.faults = [FAULTS[fault]]
    clock.advance(days=21)
    for _ in range(5):
        assert await used() == "access-1"
    assert (store.access_token, len(issuer.asked)) == ("access-1", 1)
    assert not [line for line in store.log if line.startswith("saved")]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_refresh_that_never_arrived_is_made_up_for_when_the_old_token_dies(
    used: Used, issuer: Issuer, clock: StillClock, fault: str
) -> None:
    issuer.faults = [FAULTS[fault]]
    clock.advance(days=21)
    await used()
    issuer.access.clear()
    assert await used() == "access-2"


async def test_a_lost_answer_is_told_to_the_owner_once_the_old_token_dies(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    issuer.faults = [issuer.lost]
    clock.advance(days=21)
    assert await used() == "access-1"
    issuer.access.discard("access-1")
    with pytest.raises(CredentialsDead):
        await used()
    assert store.log[-1] == "dead"


async def test_a_lost_answer_is_remembered_over_a_restart(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    store.change(refresh_started_at=clock.now())
    clock.advance(days=21)
    assert await used() == "access-1"
    assert issuer.asked == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [(cut, RefreshUncertain), (lambda _: fail(503), RefreshUncertain), (lambda _: fail(429), PatreonThrottled)],
)
async def test_past_its_end_a_failed_refresh_is_raised_and_the_next_one_recovers(
    *, used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock, fault: Handler, error: type[Exception]
) -> None:
    issuer.access.clear()
    issuer.faults = [fault, fault]
    clock.advance(days=32)
    for _ in range(2):
        with pytest.raises(error):
            await used()
    assert store.access_token == "access-1"
    assert await used() == "access-2"


async def test_past_its_end_a_refused_refresh_makes_the_pair_dead(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    issuer.refresh.clear()
    clock.advance(days=32)
    with pytest.raises(CredentialsDead):
        await used()
    assert store.log[-1] == "dead"


async def test_a_mistyped_client_secret_makes_no_pair_dead(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "access_denied"}, status=401)

    issuer.access.clear()
    issuer.faults = [refuse]
    with pytest.raises(PatreonRefused):
        await used()
    assert not {"dead", "refused"} & set(store.log)


async def invalid_grant(_: web.Request) -> web.StreamResponse:
    return web.json_response({"error": "invalid_grant"}, status=400)


async def test_a_refresh_refused_with_another_status_than_401_keeps_the_pair(
    used: Used, store: MemoryStore, issuer: Issuer
) -> None:
    issuer.access.clear()
    issuer.faults = [invalid_grant]
    with pytest.raises(PatreonRefused):
        await used()
    assert store.log[-1] == "refused", "for whoever gave it to be told"
    issuer.access.add("access-1")
    assert await used() == "access-1"
    assert "dead" not in store.log
    issuer.access.clear()
    assert await used() == "access-2"


async def test_a_refused_refresh_is_asked_again_seldom(used: Used, issuer: Issuer, clock: StillClock) -> None:
    issuer.access.clear()
    issuer.faults = [invalid_grant] * 2
    for asked in (1, 2):
        for _ in range(50):
            with pytest.raises(PatreonRefused, match="invalid_grant"):
                await used()
        assert len(issuer.asked) == asked
        clock.advance(minutes=10)
    assert await used() == "access-2"


async def test_other_errors_of_the_verb_refresh_nothing(keeper: TokenKeeper, store: MemoryStore) -> None:
    for error in (
        PatreonUnavailable(PatreonCode.UNUSABLE),
        PatreonThrottled(PatreonCode.THROTTLED, retry_after_seconds=9),
        PatreonRefused(PatreonCode.REFUSED, status=403),
    ):

        async def verb(_: Secret, error: Exception = error) -> str:
            raise error

        with pytest.raises(type(error)):
            await keeper.call(PAIR, verb)
    assert store.log == []


async def test_an_unreadable_401_after_a_fresh_token_is_not_the_pairs_fault(
    *,
    keeper: TokenKeeper,
    store: MemoryStore,
    http: Http,
    loopback: Loopback,
    issuer: Issuer,
    clock: StillClock,
    sample: Any,
) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/oauth2/token":
            return await issuer(request)
        return web.Response(status=401, text="<html>", content_type="text/html")

    loopback.answers = [serve]
    client = PatreonClient(http, api=PatreonApi.V1, base_url=loopback.url, clock=clock)
    with pytest.raises(PatreonUnavailable):
        await keeper.call(PAIR, client.fetch_identity)
    assert store.log == ["refresh noted", "refresh sent", "saved access-2"]


async def test_an_access_token_alone_follows_the_same_rules(
    keeper: TokenKeeper, issuer: Issuer, clock: StillClock
) -> None:
    assert (await keeper.access_token(PAIR)).reveal() == "access-1"
    clock.advance(days=21)
    assert (await keeper.access_token(PAIR)).reveal() == "access-2"


async def test_a_token_that_dies_between_two_pages_is_replaced_and_the_read_goes_on(
    *, keeper: TokenKeeper, http: Http, loopback: Loopback, issuer: Issuer, clock: StillClock, sample: Any
) -> None:
    served: list[str] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/oauth2/token":
            return await issuer(request)
        token = request.headers["Authorization"].removeprefix("Bearer ")
        case = "v2_members_last_page" if "page[cursor]" in request.query else "v2_members_first_page"
        if token not in issuer.access:
            case = "unauthorized"
        served.append(f"{token} {case}")
        issuer.access.discard("access-1")
        answer = sample(case)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    loopback.answers = [serve]
    client = PatreonClient(http, api=PatreonApi.V2, base_url=loopback.url, clock=clock)
    pages = [page async for page in keeper.iter_pages(PAIR, CampaignId("700"), client)]
    assert [page.is_last for page in pages] == [False, True]
    assert served == ["access-1 v2_members_first_page", "access-1 unauthorized", "access-2 v2_members_last_page"]


async def test_a_token_that_is_rotated_while_the_old_one_rests_rests_on(
    *, keeper: TokenKeeper, store: MemoryStore, http: Http, loopback: Loopback, issuer: Issuer, clock: StillClock
) -> None:
    asked: list[str] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/oauth2/token":
            return await issuer(request)
        asked.append(request.headers["Authorization"].removeprefix("Bearer "))
        return web.json_response({"errors": [{"retry_after_seconds": 600}]}, status=429)

    loopback.answers = [serve]
    client = PatreonClient(http, api=PatreonApi.V2, base_url=loopback.url, clock=clock)
    with pytest.raises(PatreonThrottled):
        await keeper.call(PAIR, client.fetch_identity)
    clock.advance(days=21)
    with pytest.raises(PatreonThrottled):
        await keeper.call(PAIR, client.fetch_identity)
    assert store.access_token == "access-2"
    assert asked == ["access-1"]
