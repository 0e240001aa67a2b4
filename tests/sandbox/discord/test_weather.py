"""Faults that someone switches on."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest

from sandbox.discord import DiscordStandIn
from sandbox.weather import Fault, Weather
from tests.sandbox.discord.conftest import SOON, Api, World

Strike = Callable[[str, str], None]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("401", 401, {"message": "401: Unauthorized", "code": 0}),
        ("403", 403, {"message": "Missing Access", "code": 50001}),
        ("404", 404, {"message": "404: Not Found", "code": 0}),
        ("500", 500, {"message": "500: Internal Server Error", "code": 0}),
        ("502", 502, {"message": "502: Bad Gateway", "code": 0}),
        ("50035", 400, {"message": "Invalid Form Body", "code": 50035}),
        ("60003", 403, {"message": "Two factor is required for this operation", "code": 60003}),
        ("missing_permission", 403, {"message": "Missing Permissions", "code": 50013}),
    ],
)
async def test_an_error_strikes_once(strike: Strike, api: Api, fault: str, status: int, body: object) -> None:
    strike("GET /users/@me", fault)
    struck, fair = await api("GET", "/users/@me"), await api("GET", "/users/@me")
    assert (struck.status, struck.body, fair.status) == (status, body, 200)


async def test_a_fault_that_would_never_strike_is_refused(strike: Strike, standin: DiscordStandIn) -> None:
    with pytest.raises(ValueError, match="discord carries out no fault 'http_500'"):
        strike("/", "http_500")
    assert standin.weather.faults == []


async def test_an_overload_is_503_with_its_code(strike: Strike, api: Api) -> None:
    strike("/users/@me", "503")
    assert (await api("GET", "/users/@me")).code == 130000


async def test_a_limit_carries_via_and_a_ban_does_not(strike: Strike, api: Api) -> None:
    strike("/users/@me", "429")
    strike("/users/@me", "ban")
    limited, banned = await api("GET", "/users/@me"), await api("GET", "/users/@me")
    assert (limited.status, limited.body["retry_after"], "Via" in limited.headers) == (429, 1.0, True)
    assert (banned.status, banned.headers["Content-Type"], "Via" in banned.headers) == (429, "text/html", False)


async def test_a_limit_may_ask_for_hours(strike: Strike, api: Api) -> None:
    strike("/users/@me", "limited_for_hours")
    limited = await api("GET", "/users/@me")
    assert (limited.status, limited.body["retry_after"], "Via" in limited.headers) == (429, 5 * 3600, True)


async def test_a_page_may_come_in_place_of_an_answer(strike: Strike, api: Api) -> None:
    strike("/users/@me", "html")
    page = await api("GET", "/users/@me")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html")


async def test_a_route_may_be_named_by_its_template(strike: Strike, world: World, api: Api) -> None:
    strike("PUT /guilds/{g}/members/{u}/roles/{r}", "500")
    path = f"{world.member}/roles/{world.gold.id}"
    assert (await api("DELETE", path)).status == 204
    assert [(await api("PUT", path)).status for _ in range(2)] == [500, 204]


async def test_a_route_may_be_named_with_stars(strike: Strike, world: World, api: Api) -> None:
    strike("PUT /guilds/*/members/*/roles/*", "500")
    assert (await api("PUT", f"{world.member}/roles/{world.gold.id}")).status == 500


async def test_a_fault_may_begin_later(weather: Weather, api: Api) -> None:
    weather.set(Fault("discord", "/users/@me", "500", times=1, after=2))
    assert [(await api("GET", "/users/@me")).status for _ in range(4)] == [200, 200, 500, 200]


@pytest.mark.parametrize(("fault", "carried_out"), [("drop", False), ("lost", True)])
async def test_a_cut_connection_gives_no_answer(  # noqa: PLR0917  fixtures and a table
    strike: Strike, standin: DiscordStandIn, world: World, api: Api, fault: str, carried_out: bool
) -> None:
    strike("PATCH", fault)  # aiohttp itself asks once more after a cut PUT
    with pytest.raises(aiohttp.ClientError):
        await api("PATCH", world.member, json={"roles": [world.gold.id]})
    assert (world.gold.id in world.guild.members[world.ada.id].role_ids) is carried_out
    assert standin.calls[-1].status == 0


async def test_a_lost_write_looks_like_a_success(strike: Strike, world: World, api: Api) -> None:
    strike("PUT", "write_lost")
    assert (await api("PUT", f"{world.member}/roles/{world.gold.id}")).status == 204
    assert world.guild.members[world.ada.id].role_ids == frozenset()


async def test_a_slow_answer_takes_its_time(strike: Strike, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.discord.rest.front.SLOW_SECONDS", 0.2)
    strike("/users/@me", "slow")
    began = time.monotonic()
    assert (await api("GET", "/users/@me")).status == 200
    assert time.monotonic() - began >= 0.2


async def test_a_hanging_answer_ends_when_the_client_gives_up(
    strike: Strike, standin: DiscordStandIn, api: Api
) -> None:
    strike("/users/@me", "hang")
    with pytest.raises(TimeoutError):
        await api("GET", "/users/@me", timeout=aiohttp.ClientTimeout(total=0.1))
    async with asyncio.timeout(SOON):
        while not standin.calls:
            await asyncio.sleep(0.01)
    assert standin.calls[-1].status == 0


async def test_stopping_does_not_wait_for_a_hanging_answer(strike: Strike, standin: DiscordStandIn, api: Api) -> None:
    strike("/users/@me", "hang")
    asked = asyncio.create_task(api("GET", "/users/@me"))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(SOON):
        await standin.stop()
    with pytest.raises(aiohttp.ClientError):
        await asked


async def test_direct_messages_may_be_closed_for_all(strike: Strike, world: World, api: Api) -> None:
    dm = (await api("POST", "/users/@me/channels", json={"recipient_id": world.ada.id})).body["id"]
    strike("/channels/", "closed_dms")
    replies = [await api("POST", f"/channels/{dm}/messages", json={"content": "hi"}) for _ in range(2)]
    assert (replies[0].code, replies[1].status) == (50007, 200)
