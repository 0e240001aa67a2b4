"""The weather: every fault of an answer and of a page, struck once and gone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import pytest

from sandbox.patreon import faults
from sandbox.weather import Fault
from tests.sandbox.patreon.conftest import Answer, Asker, Shop

CAMPAIGNS = "/api/oauth2/v2/campaigns"


Read = Callable[..., Awaitable[Answer]]


@pytest.fixture
def people(shop: Shop) -> None:
    """Six patrons, with Discord connected."""
    for number in range(6):
        patron = shop.state.add_patron(f"P {number}", discord_user_id=f"90{number}")
        shop.state.add_member(patron, shop.gold, since=shop.clock.now() - timedelta(days=9 - number))


async def members(ask: Asker, **query: str) -> Answer:
    return await ask.get(
        f"{CAMPAIGNS}/{ask.shop.campaign.id}/members",
        include="user,currently_entitled_tiers",
        fields_user="social_connections",
        **query,
    )


async def pledges(ask: Asker, **query: str) -> Answer:
    return await ask.get(f"/api/oauth2/api/campaigns/{ask.shop.campaign.id}/pledges", **query)


def ids(answer: Answer) -> list[str]:
    return [row["id"] for row in answer.body["data"]]


@pytest.mark.parametrize(
    ("fault", "status", "content"),
    [
        *((status, int(status), "application/vnd.api+json") for status in sorted(faults.STATUSES)),
        ("429", 429, "application/vnd.api+json"),
        ("html", 200, "text/html; charset=utf-8"),
        ("html_403", 403, "text/html; charset=utf-8"),
        ("token_expired", 401, "application/vnd.api+json"),
    ],
)
async def test_an_answer_can_be_struck(ask: Asker, shop: Shop, fault: str, status: int, content: str) -> None:
    shop.strike(fault, "GET /api/oauth2/v2/campaigns")
    answer = await ask.get(CAMPAIGNS)
    assert (answer.status, answer.headers["Content-Type"]) == (status, content)


@pytest.mark.parametrize("read", [members, pledges])
@pytest.mark.parametrize("parameter", ["page_count", "page_size"])
async def test_a_fault_above_a_size_strikes_large_pages_alone(
    ask: Asker, shop: Shop, read: Read, parameter: str
) -> None:
    shop.weather.set(Fault("patreon", "/campaigns/", "504", above=200))
    assert [(await read(ask, **{parameter: rows})).status for rows in ("201", "200")] == [504, 200]
    assert (await read(ask)).status == 200
    assert [call.rows for call in shop.standin.calls] == [201, 200, None]


async def test_fair_weather_follows_a_single_strike(ask: Asker, shop: Shop) -> None:
    shop.strike("500")
    assert [(await ask.get(CAMPAIGNS)).status for _ in range(2)] == [500, 200]


async def test_a_token_that_expired_early_is_dead_and_its_refresh_token_works(ask: Asker, shop: Shop) -> None:
    shop.strike("token_expired", CAMPAIGNS)
    assert [(await ask.get(CAMPAIGNS)).status for _ in range(2)] == [401, 401]
    form = ask.refresh_form(shop.client.creator_refresh_token)
    pair = (await ask.send("POST", "/api/oauth2/token", data=form)).body
    assert (await ask.get(CAMPAIGNS, pair["access_token"])).status == 200


async def test_a_slow_answer_comes_in_the_end(ask: Asker, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "SLOW_SECONDS", 0.05)
    shop.strike("slow")
    assert (await ask.get(CAMPAIGNS)).status == 200


@pytest.mark.parametrize(("fault", "carried_out"), [("drop", False), ("lost", True)])
async def test_a_cut_connection_may_have_done_its_work(ask: Asker, shop: Shop, fault: str, carried_out: bool) -> None:
    shop.strike(fault, "/oauth2/token")
    form = ask.refresh_form(shop.client.creator_refresh_token)
    with pytest.raises(aiohttp.ClientError):
        await ask.send("POST", "/api/oauth2/token", data=form)
    again = await ask.send("POST", "/api/oauth2/token", data=form)
    assert again.status == (401 if carried_out else 200)


async def test_a_held_request_is_answered_once_the_fault_is_off(ask: Asker, shop: Shop) -> None:
    held = Fault("patreon", CAMPAIGNS, "held")
    shop.weather.set(held)
    waiting = asyncio.create_task(ask.get(CAMPAIGNS))
    while not held.struck:
        await asyncio.sleep(0)
    await asyncio.sleep(3 * faults.HELD_LOOK_SECONDS)
    assert not waiting.done()
    shop.weather.switch_off("patreon", "held")
    assert (await waiting).status == 200


async def test_a_hanging_answer_ends_when_the_server_stops(ask: Asker, shop: Shop) -> None:
    shop.strike("hang")
    waiting = asyncio.create_task(ask.get(CAMPAIGNS))
    while shop.weather.faults:
        await asyncio.sleep(0)
    await shop.standin.stop()
    with pytest.raises(aiohttp.ClientError):
        await waiting


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("read", [members, pledges])
async def test_a_cut_page_lacks_rows_and_owns_up_to_nothing(ask: Asker, shop: Shop, read: Read) -> None:
    whole = await read(ask, page_count="4")
    shop.strike("cut")
    cut = await read(ask, page_count="4")
    assert ids(cut) == ids(whole)[:2]
    assert cut.body["meta"].get("count") == whole.body["meta"].get("count")
    assert cut.body["links"].get("next", "").split("=")[0] == whole.body["links"].get("next", "").split("=")[0]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("read", [members, pledges])
async def test_an_empty_page_has_no_rows(ask: Asker, shop: Shop, read: Read) -> None:
    shop.strike("empty")
    assert ids(await read(ask)) == []


@pytest.mark.usefixtures("people")
async def test_a_total_can_be_wrong(ask: Asker, shop: Shop) -> None:
    shop.strike("wrong_total", times=2)
    assert (await members(ask)).body["meta"]["pagination"]["total"] == 13
    assert (await pledges(ask)).body["meta"]["count"] == 13


@pytest.mark.usefixtures("people")
async def test_an_endless_cursor_brings_the_last_page_again_and_again(ask: Asker, shop: Shop) -> None:
    shop.strike("endless_cursor", times=None)
    first = await members(ask, page_count="4")
    cursor, seen, rows = first.body["meta"]["pagination"]["cursors"]["next"], set(), []
    for _ in range(3):
        page = await members(ask, page_count="4", page_cursor=cursor)
        cursor = page.body["meta"]["pagination"]["cursors"]["next"]
        seen.add(cursor)
        rows.append(ids(page))
    assert len(seen) == 3
    assert rows == [rows[0]] * 3
    assert len(rows[0]) == 2


@pytest.mark.usefixtures("people")
async def test_v1_can_be_endless_too(ask: Asker, shop: Shop) -> None:
    shop.strike("endless_cursor")
    assert "next" in (await pledges(ask)).body["links"]


@pytest.mark.usefixtures("people")
async def test_a_page_can_repeat_the_one_before(ask: Asker, shop: Shop) -> None:
    first = await members(ask, page_count="3")
    shop.strike("repeat_page")
    cursor = first.body["meta"]["pagination"]["cursors"]["next"]
    assert ids(await members(ask, page_count="3", page_cursor=cursor)) == ids(first)


@pytest.mark.usefixtures("people")
async def test_every_user_can_be_null(ask: Asker, shop: Shop) -> None:
    shop.strike("null_users", times=2)
    rows = (await members(ask)).body["data"] + (await pledges(ask)).body["data"]
    users = [row["relationships"].get("user") or row["relationships"]["patron"] for row in rows]
    assert users == [{"data": None}] * 12


@pytest.mark.usefixtures("people")
async def test_every_tier_can_be_gone(ask: Asker, shop: Shop) -> None:
    shop.strike("no_tiers", times=2)
    for row in (await members(ask)).body["data"]:
        assert row["relationships"]["currently_entitled_tiers"] == {"data": []}
    for row in (await pledges(ask)).body["data"]:
        assert row["relationships"]["reward"] == {"data": None}


@pytest.mark.usefixtures("people")
async def test_every_discord_account_can_be_gone(ask: Asker, shop: Shop) -> None:
    async def seen() -> list[object]:
        users = [r for r in (await members(ask)).body["included"] if r["type"] == "user"]
        return [user["attributes"]["social_connections"]["discord"] for user in users]

    assert all(await seen())
    shop.strike("no_discord")
    assert await seen() == [None] * 6


async def test_a_fault_that_would_never_strike_is_refused(shop: Shop) -> None:
    for fault in ("http_500", "ban", ""):  # the second is Discord's
        with pytest.raises(ValueError, match="patreon carries out no fault"):
            shop.strike(fault)
    assert shop.weather.faults == []
