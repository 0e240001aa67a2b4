"""Several processes share the work: each does its own part, and to a patron and an admin they are one bot."""

from collections.abc import AsyncIterator

import pytest

from sandbox.main import Options
from tests.fakes.stage import Stage

HAZEL, CEDAR = "hazel.hollow", "cedar.grove"
LAYOUT = (("gateway",), ("gateway",), ("worker",), ("worker",), ("web",), ("web",))

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
async def cluster(database: None) -> AsyncIterator[Stage]:
    async with Stage(Options(interval=1, layout=LAYOUT, shards=2)) as stage:
        yield stage


def pids(stage: Stage, role: str) -> set[int | None]:
    """Return the processes that have a role."""
    return {one.process.pid for one in stage.sandbox.bots.members if role in one.roles}


async def test_a_patron_links_at_a_web_process_and_holds_the_role(cluster: Stage) -> None:
    await cluster.add_rule()
    page = await cluster.link(HAZEL, "Gerda Nilsson")
    assert page.result == "linked"
    await cluster.until(lambda: "Gold" in cluster.roles(HAZEL), "the role")
    await cluster.until(lambda: "Gerda Nilsson" in said_to(cluster, HAZEL), "the message says how it ended")


async def test_a_pledge_that_a_web_process_hears_of_is_a_role(cluster: Stage) -> None:
    await cluster.add_rule()
    await cluster.link(HAZEL, "Saga Mirren")
    assert "Gold" not in cluster.roles(HAZEL)
    cluster.sandbox.patreon.change_tier(cluster.patron_id("Saga Mirren"), cluster.tier_id("Gold"))
    await cluster.until(lambda: "Gold" in cluster.roles(HAZEL), "the role")


async def test_each_speaks_to_those_whom_its_role_is_about(cluster: Stage) -> None:
    await cluster.add_rule()
    await cluster.link(HAZEL, "Gerda Nilsson")
    await cluster.until(lambda: "Gold" in cluster.roles(HAZEL), "the role")
    at_discord = {call.pid for call in cluster.sandbox.discord.calls if call.method != "GET"}
    assert at_discord == pids(cluster, "gateway")
    readers = {call.pid for call in cluster.sandbox.patreon.calls if call.route.endswith("/members")}
    assert readers <= pids(cluster, "worker")


async def test_what_a_killed_worker_was_to_do_another_one_does(cluster: Stage) -> None:
    await cluster.add_rule()
    await cluster.link(HAZEL, "Gerda Nilsson")
    await cluster.until(lambda: "Gold" in cluster.roles(HAZEL), "the role")
    await cluster.sandbox.bots.members[2].process.kill()
    cluster.sandbox.patreon.refund(cluster.patron_id("Gerda Nilsson"))
    await cluster.until(lambda: "Gold" not in cluster.roles(HAZEL), "the end of the role")


def said_to(stage: Stage, username: str) -> str:
    return "\n".join(str(message.embeds) + message.content for message in stage.direct_messages(username))
