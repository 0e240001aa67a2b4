"""What is broken is seen: a real Prometheus reads the bot, and the alert on each fault fires while it lasts.

The rules are the operator's own, but for their patience: `for` is left out.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ruamel.yaml import YAML

from sandbox.botprocess import ends_with_us
from sandbox.main import Options
from sandbox.patreon import standing
from sandbox.ports import quiet_port
from tests.deploy.test_monitoring import shown
from tests.fakes.monitoring import MONITORING, PROMETHEUS, needs_promtool, promtool, served_metrics, told_metrics
from tests.fakes.receiver import Receiver, serve
from tests.fakes.stage import Stage

CROWD = tuple(f"crowd.{number:02}" for number in range(8))
LAPSING = CROWD[:6]
SOON = 60.0
EMPTY = {  # panels of which a query shows nothing while all is well
    "Lists that were not accepted, and why",
    "Notes",
    "Starts",
    "Warnings and errors in the log",
    "What waits, and for how long",  # no chores, with one process
    "How many wait",
    "Webhooks from Patreon",  # none has come
}

pytestmark = needs_promtool


class Prometheus:
    """A Prometheus that reads one bot each second."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def firing(self) -> set[str]:
        """Return the alerts that fire now; none before it is up."""
        found = await self._ask("/api/v1/alerts")
        return {one["labels"]["alertname"] for one in found.get("alerts", ())}

    async def is_reading(self) -> bool:
        """Tell whether it has read the bot."""
        found = await self._ask("/api/v1/query", query="up")
        return any(one["value"][1] == "1" for one in found.get("result", ()))

    async def query(self, expression: str) -> list[Any]:
        """Return what an expression comes to now; a complaint of Prometheus' fails."""
        found = await self._ask("/api/v1/query", query=expression)
        assert "result" in found, expression
        return list(found["result"])

    async def judges(self) -> None:
        """Wait until it has read the bot three times, and has gone through all rules since then."""
        async with asyncio.timeout(SOON):
            while not await self.query("count_over_time(up[1m]) >= 3"):
                await asyncio.sleep(0.2)
            now = datetime.now(UTC)
            while any(
                datetime.fromisoformat(group["lastEvaluation"]) < now
                for group in (await self._ask("/api/v1/rules"))["groups"]
            ):
                await asyncio.sleep(0.2)

    async def _ask(self, path: str, **asked: str) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(self.url + path, params=asked) as answer:
                    return dict((await answer.json()).get("data", {}))
            except aiohttp.ClientError:
                return {}

    async def until(self, alert: str, *, fires: bool) -> None:
        """Wait until an alert fires, or does not fire any more."""
        seen: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while (alert in (seen := await self.firing())) is not fires:
                    await asyncio.sleep(0.2)
        assert (alert in seen) is fires, seen


@contextlib.asynccontextmanager
async def reading(stage: Stage, folder: Path) -> AsyncIterator[Prometheus]:
    """Start a Prometheus with the operator's rules, which waits for nothing."""
    rules = YAML(typ="safe").load(MONITORING / "alerts.yml")
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    job = {
        "job_name": "pledgekeeper",
        "static_configs": [{"targets": [stage.sandbox.bot_url.removeprefix("http://")]}],
    }
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [job],
    }
    (folder / "alerts.yml").write_text(json.dumps(rules), encoding="utf-8")  # JSON is YAML, too
    (folder / "prometheus.yml").write_text(json.dumps(configuration), encoding="utf-8")
    address = f"127.0.0.1:{quiet_port()}"
    process = await asyncio.create_subprocess_exec(
        *ends_with_us(),
        PROMETHEUS or "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    )
    prometheus = Prometheus(f"http://{address}")
    try:
        async with asyncio.timeout(SOON):
            while not await prometheus.is_reading():
                assert process.returncode is None, "Prometheus ended"
                await asyncio.sleep(0.1)
        yield prometheus
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.fixture
async def crowded() -> AsyncIterator[Stage]:
    """Patrons whom Patreon names, who have the role."""
    stage = Stage(Options(interval=1))
    for username in CROWD:
        stage.add_named_patron(username)
    async with stage:
        await stage.add_rule()
        await stage.until(lambda: all("Gold" in stage.roles(one) for one in CROWD), "everybody has the role", 40)
        yield stage


async def ask_metrics(stage: Stage) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.sandbox.bot_url}/metrics") as answer:
        return await answer.text()


async def test_a_running_bot_serves_what_the_page_says_and_promtool_takes_it(stage: Stage) -> None:
    await stage.add_rule()
    assert (await stage.link("hazel.hollow", "Gerda Nilsson")).result == "linked"
    text = await ask_metrics(stage)
    page, served = told_metrics(), served_metrics(text)
    assert {name: family.type for name, family in served.items()} == {name: one.type for name, one in page.items()}
    for name, family in served.items():
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} <= page[name].labels, sample
    assert promtool("check", "metrics", text=text) == ""
    ids = {one.id for one in stage.sandbox.world.discord.users.values()} | {stage.sandbox.world.guild.id}
    assert [one for one in ids if one in text] == [], "of no person and no server"


async def test_the_alert_on_each_fault_fires_while_it_lasts(crowded: Stage, tmp_path: Path) -> None:
    stage = crowded
    async with reading(stage, tmp_path) as prometheus:
        await prometheus.judges()
        assert await prometheus.firing() == set(), "all is well"
        empty = {title for title, expression in shown() if not await prometheus.query(expression)}
        assert empty == EMPTY

        stage.weather("patreon", "/", "503")
        await prometheus.until("PledgekeeperSyncFailing", fires=True)
        stage.sandbox.weather.clear()
        await prometheus.until("PledgekeeperSyncFailing", fires=False)

        for member in stage.sandbox.world.campaign.members:
            if member.person.full_name in LAPSING:
                standing.refund(member)
                stage.sandbox.patreon.state.settle(member)
        await prometheus.until("PledgekeeperHoldOpen", fires=True)

        stage.weather("discord", f"/roles/{stage.role_id('Silver')}", "missing_permission")
        await stage.add_rule("Silver", tier=None, kind="paying")
        await prometheus.until("PledgekeeperRoleRefused", fires=True)

        async with serve(Receiver(status=500)) as receiver:
            await stage.say("wren.ashdown", "patreon hooks add", url=receiver.url)
            assert (await stage.link("hazel.hollow", "Gerda Nilsson")).result == "linked"
            await prometheus.until("PledgekeeperHooksFailing", fires=True)
            receiver.status = 204
            await stage.say("wren.ashdown", "patreon hooks test", hook="1")  # what waits is tried at once
            await prometheus.until("PledgekeeperHooksFailing", fires=False)

        stage.sandbox.world.patreon.oauth.revoke(stage.sandbox.bot.environment["PATREON_CREATOR_ACCESS_TOKEN"])
        await prometheus.until("PledgekeeperCreatorTokenDead", fires=True)

        await stage.sandbox.bot.kill()
        await prometheus.until("PledgekeeperDown", fires=True)
