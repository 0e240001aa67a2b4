"""Several processes share the work: each does its own part, and to a patron and an admin they are one bot."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.main import Options
from tests.fakes.monitoring import served_metrics, told_metrics, values
from tests.fakes.stage import PATIENCE, Stage

HAZEL, IVY = "hazel.hollow", "ivy_afterdark"
LAYOUT = (("gateway",), ("gateway",), ("worker",), ("worker",), ("web",), ("web",))

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
async def cluster(database: None) -> AsyncIterator[Stage]:
    async with Stage(Options(interval=1, layout=LAYOUT, shards=2)) as stage:
        yield stage


def pids(stage: Stage, role: str) -> set[int | None]:
    """Return the processes that have a role."""
    return {one.process.pid for one in stage.sandbox.bots.members if role in one.roles}


async def test_to_a_patron_and_an_admin_they_are_one_bot_and_each_does_its_own_part(cluster: Stage) -> None:
    await cluster.add_rule()
    page = await cluster.link(HAZEL, "Gerda Nilsson")
    assert page.result == "linked", "the page is a web process's"
    await cluster.until(lambda: "Gold" in cluster.roles(HAZEL), "the role")
    await cluster.until(lambda: "Gerda Nilsson" in said_to(cluster, HAZEL), "the message says how it ended")

    await cluster.link(IVY, "Saga Mirren")
    assert "Gold" not in cluster.roles(IVY)
    cluster.sandbox.patreon.change_tier(cluster.patron_id("Saga Mirren"), cluster.tier_id("Gold"))
    await cluster.until(lambda: "Gold" in cluster.roles(IVY), "the role of a pledge that a web process hears of")

    at_discord = {call.pid for call in cluster.sandbox.discord.calls if call.method != "GET"}
    assert at_discord <= pids(cluster, "gateway")
    readers = {call.pid for call in cluster.sandbox.patreon.calls if call.route.endswith("/members")}
    assert readers <= pids(cluster, "worker")

    await _each_serves_the_metrics_of_its_role(cluster)

    await next(one for one in cluster.sandbox.bots.members if one.name == "worker-1").process.kill()
    cluster.sandbox.patreon.refund(cluster.patron_id("Gerda Nilsson"))
    await cluster.until(lambda: "Gold" not in cluster.roles(HAZEL), "what a killed worker was to do another one does")


async def _each_serves_the_metrics_of_its_role(stage: Stage) -> None:
    """What is stored is the same in all of them; what is a role's own is spoken of by those that have it."""
    page = told_metrics()
    stored = {f"processes role={role}": 2 for role in ("gateway", "worker", "web")}
    stored |= {"shards state=held": 2, "shards state=free": 0, "campaigns state=accepted": 1, "rules": 1}
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        for one in stage.sandbox.bots.members:
            shown: dict[str, float] = {}
            while shown != stored:  # each process makes itself known every few seconds
                async with session.get(f"http://127.0.0.1:{one.port}/metrics") as answer:
                    text = await answer.text()
                served = {name for name, told in page.items() if told.is_served_by(one.roles)}
                assert served_metrics(text).keys() == served
                shown = {name: value for name, value in values(text).items() if name in stored}
                await asyncio.sleep(0.1)


def said_to(stage: Stage, username: str) -> str:
    return "\n".join(str(message.embeds) + message.content for message in stage.direct_messages(username))
