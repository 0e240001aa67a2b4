"""The calls by which scripts steer the sandbox: state, clock, weather, calls, bot, log."""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.botprocess import BotProcess
from sandbox.bots import CLUSTER
from sandbox.main import Options, Sandbox
from sandbox.page.forecast import FAULTS, SWITCHES

SOON = 40.0
Page = aiohttp.ClientSession


async def post(page: Page, path: str, body: Any) -> Any:
    async with page.post(path, json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def refused(page: Page, path: str, body: Any) -> str:
    async with page.post(path, json=body) as answer:
        assert answer.status == 400, await answer.text()
        return str((await answer.json())["error"])


async def get(page: Page, path: str) -> Any:
    async with page.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await (answer.json() if answer.content_type == "application/json" else answer.text())


async def test_the_state_holds_all_that_a_script_needs(page: Page, sandbox: Sandbox) -> None:
    state = await get(page, "/state.json")
    assert set(state) == {"now", "web", "discord", "patreon"}
    assert state["web"] == sandbox.bot_url
    discord, patreon = state["discord"], state["patreon"]
    assert {"url", "gateway", "token", "guild_id", "roles", "members"} <= set(discord)
    names = {"id", "username", "display_name", "role_ids", "joined_at", "pending", "dms_open", "locale", "is_bot"}
    assert names | {"is_owner", "is_admin"} == set(discord["members"][0])
    client = {"url", "client_id", "client_secret", "redirect_uri", "campaign_id"}
    tokens = {"creator_access_token", "creator_refresh_token"}
    assert client | tokens | {"tiers", "patrons"} <= set(patreon)
    assert {"id", "name", "status", "tier_ids", "amount_cents", "discord_user_id"} <= set(patreon["patrons"][0])


async def test_the_tokens_of_the_state_work(page: Page) -> None:
    state = await get(page, "/state.json")
    discord, patreon = state["discord"], state["patreon"]
    headers = {"Authorization": f"Bot {discord['token']}"}
    async with page.get(f"{discord['url']}/users/@me", headers=headers) as answer:
        assert answer.status == 200
    headers = {"Authorization": f"Bearer {patreon['creator_access_token']}"}
    async with page.get(f"{patreon['url']}/api/oauth2/v2/campaigns", headers=headers) as answer:
        assert answer.status == 200


async def test_roles_say_which_of_them_the_bot_cannot_give(page: Page) -> None:
    roles = (await get(page, "/state.json"))["discord"]["roles"]
    assert [role["name"] for role in roles if role["above_bot"]] == ["Admin", "Legend", "Pledgekeeper"]


@pytest.mark.parametrize(
    ("body", "step"),
    [
        pytest.param({"days": 3}, timedelta(days=3), id="days"),
        pytest.param({"hours": 2}, timedelta(hours=2), id="hours"),
        pytest.param({"minutes": 30}, timedelta(minutes=30), id="minutes"),
        pytest.param({"days": 1, "hours": 1}, timedelta(hours=25), id="together"),
    ],
)
async def test_the_clock_moves_by_a_step(page: Page, body: Any, step: timedelta) -> None:
    moved = datetime.fromisoformat((await post(page, "/clock", body))["now"])
    assert abs(moved - datetime.now(UTC) - step) < timedelta(seconds=10)
    read = datetime.fromisoformat(await get(page, "/clock"))
    assert read >= moved
    assert read.tzinfo is not None


async def test_the_clock_counts_which_process_asks(page: Page, sandbox: Sandbox) -> None:
    before = sandbox.clock.asked[os.getpid()]
    await get(page, "/clock")
    assert sandbox.clock.asked[os.getpid()] == before + 1


async def test_the_clock_moves_to_a_moment(page: Page) -> None:
    moved = await post(page, "/clock", {"to": "2040-01-31T12:00:00"})
    assert moved["now"].startswith("2040-01-31T12:00:00")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing said"),
        pytest.param({"days": -1}, id="backwards"),
        pytest.param({"to": "2001-01-01"}, id="to the past"),
        pytest.param({"to": "soon"}, id="to no moment"),
        pytest.param({"days": "many"}, id="no number"),
        pytest.param({"days": 1e12}, id="beyond time"),
        pytest.param([1], id="no object"),
    ],
)
async def test_the_clock_refuses_what_it_cannot_do(page: Page, body: Any) -> None:
    assert await refused(page, "/clock", body)


async def test_weather_is_set_listed_and_cleared(page: Page, sandbox: Sandbox) -> None:
    fault = {"service": "patreon", "route": "/members", "fault": "cut", "times": 2, "after": 1}
    assert await post(page, "/weather", fault) == {"faults": [fault | {"struck": 0}]}
    assert await get(page, "/weather") == {"faults": [fault | {"struck": 0}]}
    assert await post(page, "/weather", {}) == {"faults": []}
    assert sandbox.weather.faults == []


async def test_weather_may_strike_large_pages_alone(page: Page, sandbox: Sandbox) -> None:
    fault = {"service": "patreon", "route": "/members", "fault": "504", "above": 200}
    assert (await post(page, "/weather", fault))["faults"][0]["above"] == 200
    assert sandbox.weather.faults[0].above == 200


async def test_weather_strikes_the_service(page: Page, sandbox: Sandbox) -> None:
    await post(page, "/weather", {"service": "discord", "route": "/users/@me", "fault": "503", "times": 1})
    headers = {"Authorization": f"Bot {sandbox.discord.state.bot_token}"}
    statuses = []
    for _ in range(2):
        async with page.get(f"{sandbox.discord.url}/users/@me", headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [503, 200]


async def test_the_weather_tells_how_often_it_struck(page: Page, sandbox: Sandbox) -> None:
    for route in ("/users/@me", "/x"):
        await post(page, "/weather", {"service": "discord", "route": route, "fault": "503"})
    await post(page, "/weather", {"service": "discord", "fault": "role_above_bot"})
    headers = {"Authorization": f"Bot {sandbox.discord.state.bot_token}"}
    for _ in range(2):
        async with page.get(f"{sandbox.discord.url}/users/@me", headers=headers):
            pass
    assert [fault["struck"] for fault in (await get(page, "/weather"))["faults"]] == [2, 0, 1]
    html = await get(page, "/")
    assert "struck 2 times" in html
    assert "has not struck yet" in html


async def test_weather_at_an_unknown_service_is_refused(page: Page) -> None:
    assert "discord, patreon" in await refused(page, "/weather", {"service": "x", "fault": "500"})
    assert "fault" in await refused(page, "/weather", {"service": "patreon"})


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        pytest.param({"service": "patreon", "fault": "nonsense"}, "webhook_late", id="no such fault"),
        pytest.param({"service": "discord", "fault": "cut"}, "closed_dms", id="a fault of the other service"),
        pytest.param({"service": "discord", "fault": "500", "times": 0}, "from 1", id="no times"),
        pytest.param({"service": "discord", "fault": "500", "times": -3}, "from 1", id="less than no times"),
        pytest.param({"service": "discord", "fault": "500", "times": 1.5}, "whole", id="one and a half times"),
        pytest.param({"service": "discord", "fault": "500", "after": -1}, "from 0", id="before it begins"),
        pytest.param({"service": "discord", "fault": "500", "above": 5}, "Patreon's lists", id="no pages there"),
        pytest.param({"service": "discord", "fault": "role_above_bot", "route": "Baron"}, "Baron", id="no such role"),
        pytest.param({"service": "patreon", "fault": "cut", "route": "/oauth2/token"}, "/members", id="no list there"),
        pytest.param({"service": "discord", "fault": "closed_dms", "route": "/roles/"}, "may be /", id="no DM there"),
    ],
)
async def test_weather_that_could_never_strike_is_refused(page: Page, asked: Any, says: str) -> None:
    assert says in await refused(page, "/weather", asked)
    assert await get(page, "/weather") == {"faults": []}


@pytest.mark.parametrize(
    ("service", "fault", "route"),
    [(service, *switch[:2]) for service, switches in SWITCHES.items() for switch in switches]
    + [(service, fault, "/") for service, faults in FAULTS.items() for fault, _ in faults],
)
async def test_the_page_offers_no_weather_that_is_refused(page: Page, service: str, fault: str, route: str) -> None:
    assert await post(page, "/weather", {"service": service, "fault": fault, "route": route, "times": ""})


async def test_calls_are_counted_by_route_and_reset(page: Page, sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bot {sandbox.discord.state.bot_token}"}
    for _ in range(2):
        async with page.get(f"{sandbox.discord.url}/users/@me", headers=headers):
            pass
    calls = await get(page, "/calls")
    assert calls["discord"] == {"GET /users/@me": 2}
    assert calls["patreon"] == {}
    assert [(c["service"], c["method"], c["path"], c["status"]) for c in calls["log"]] == [
        ("discord", "GET", "/users/@me", 200)
    ] * 2
    assert await post(page, "/calls", {}) == {"patreon": {}, "discord": {}, "log": []}


@pytest.fixture
def sleeper(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> BotProcess:
    """Put a small script in the bot's place."""
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        'print("awake", flush=True)\n'
        "signal.pause()"
    )
    monkeypatch.setattr(sandbox.bot, "command", (sys.executable, "-c", script))
    return sandbox.bot


async def awake(bot: BotProcess, lines: int = 1) -> None:
    heard = asyncio.Event()
    bot.on_change(lambda: heard.set() if len(bot.lines) >= lines else None)
    if len(bot.lines) < lines:
        await asyncio.wait_for(heard.wait(), SOON)


async def test_the_bot_is_started_stopped_killed_and_started_again(page: Page, sleeper: BotProcess) -> None:
    assert await get(page, "/bot") == {"running": False, "pid": None, "exit_code": None}
    started = await post(page, "/bot", {"action": "start"})
    assert started == {"running": True, "pid": sleeper.pid, "exit_code": None}
    await awake(sleeper)
    assert await post(page, "/bot", {"action": "stop"}) == {"running": False, "pid": None, "exit_code": 0}
    await post(page, "/bot", {"action": "start"})
    await awake(sleeper, lines=2)
    assert (await post(page, "/bot", {"action": "kill"}))["exit_code"] == -9
    assert await get(page, "/log") == "awake\nawake\n"


async def test_of_several_processes_the_named_one_is_meant_and_each_is_told_of() -> None:
    script = "import signal; signal.pause()"
    async with Sandbox(Options(with_bot=False, layout=CLUSTER, env={"DATABASE_URL": "-"})) as sandbox:
        for one in sandbox.bots.members:
            one.process.command = (sys.executable, "-c", script)
        async with aiohttp.ClientSession(sandbox.page_url) as page:
            await post(page, "/bot", {"action": "start", "process": "web-1"})
            await post(page, "/bot", {"action": "start", "process": "worker-2"})
            told = (await post(page, "/bot", {"action": "pause", "process": "worker-2"}))["processes"]
            assert {one["name"]: one["paused"] for one in told if one["running"]} == {"web-1": False, "worker-2": True}
            assert [one["roles"] for one in told] == [[*roles] for roles in CLUSTER]
            html = await get(page, "/")
            for name, shown in (("web-1", "pause"), ("worker-2", "resume"), ("gateway-1", "start")):
                assert f'id="{name}-{shown}"' in html
            await post(page, "/bot", {"action": "resume", "process": "worker-2"})
            await post(page, "/bot", {"action": "kill"})
            assert not any(one["running"] for one in (await get(page, "/bot"))["processes"])
            assert "gateway-1" in await refused(page, "/bot", {"action": "stop", "process": "nobody"})


async def test_an_unknown_act_on_the_bot_is_refused(page: Page) -> None:
    assert "start, stop, kill" in await refused(page, "/bot", {"action": "dance"})


async def test_a_bot_that_ends_by_itself_is_shown_with_its_last_words(page: Page, sandbox: Sandbox) -> None:
    sandbox.bot.command = (sys.executable, "-c", 'print("no <token>"); raise SystemExit(4)')
    await sandbox.bot.start()
    await sandbox.bot.ended()
    html = await get(page, "/")
    assert "ended by itself, with exit code 4" in html
    assert "no &lt;token&gt;" in html
    assert 'value="start"' in html


async def test_an_open_page_hears_of_each_change(page: Page, sandbox: Sandbox) -> None:
    async with page.get("/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
        await post(page, "/clock", {"days": 1})
        heard = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), SOON)
    assert heard == b"event: change\ndata: \n\n"


async def test_an_open_page_does_not_delay_the_end() -> None:
    async with aiohttp.ClientSession() as session:
        async with Sandbox(Options(with_bot=False)) as sandbox:
            stream = await session.get(f"{sandbox.page_url}/events")
            await stream.content.readuntil(b"\n\n")
            began = time.monotonic()
        assert time.monotonic() - began < 20
        stream.close()


async def test_the_clock_goes_to_the_next_charge(page: Page, sandbox: Sandbox) -> None:
    due = sandbox.world.patreon.next_due()
    assert due is not None
    async with page.post("/clock", json={"to_next_charge": True}) as answer:
        assert datetime.fromisoformat((await answer.json())["now"]) >= due
    following = sandbox.world.patreon.next_due()
    assert following is not None
    assert following > due


async def test_one_fault_is_switched_off_and_the_others_stay(page: Page, sandbox: Sandbox) -> None:
    for fault in ("cut", "slow"):
        async with page.post("/weather", json={"service": "patreon", "route": "/members", "fault": fault}) as answer:
            assert answer.status == 200
    async with page.post("/weather", json={"service": "patreon", "fault": "cut", "off": True}) as answer:
        assert [one["fault"] for one in (await answer.json())["faults"]] == ["slow"]


async def test_the_present_world_is_a_file_to_be_opened_again(page: Page, sandbox: Sandbox, tmp_path: Path) -> None:
    async with page.get("/world.json") as answer:
        assert "attachment" in answer.headers["Content-Disposition"]
        (tmp_path / "world.json").write_bytes(await answer.read())
    again = Sandbox(Options(with_bot=False, load=tmp_path / "world.json"))
    assert list(again.world.guild.members) == list(sandbox.world.guild.members)
    assert list(again.world.patreon.people) == list(sandbox.world.patreon.people)
