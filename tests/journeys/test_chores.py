"""What one process asks for another one does, and a third one where that one is stopped in the midst of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.runtime.chores import ChoreKind
from bot.storage.chores import QueuedChores, count_chores
from bot.storage.database import Database
from bot.storage.leases import Leases
from sandbox.main import Options
from tests.fakes.stage import Stage

LAYOUT = (("gateway", "web"), ("worker",), ("worker",))

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
async def cluster(database: None) -> AsyncIterator[Stage]:
    """Nobody reads a campaign twice unless they are asked to."""
    async with Stage(Options(interval=3600, layout=LAYOUT)) as stage:
        yield stage


def readers(stage: Stage, since: int) -> list[int | None]:
    """List the processes that asked for a member list after so many calls."""
    return [call.pid for call in stage.sandbox.patreon.calls[since:] if call.route.endswith("/members")]


async def ask(stage: Stage) -> None:
    url = stage.database_url or ""
    database = await Database.attach(url)
    chores = QueuedChores(database, Leases(database), url, {}, owner="me")
    await chores.ask(ChoreKind.FIRST_READ, stage.sandbox.world.campaign.id)
    await chores.close()
    await database.close()


async def under_way(stage: Stage) -> bool:
    database = await Database.attach(stage.database_url or "")
    counted = await count_chores(database)
    await database.close()
    return any(one.running for one in counted)


async def test_a_campaign_is_read_by_a_worker_that_another_process_asked(cluster: Stage) -> None:
    workers = {one.process.pid for one in cluster.sandbox.bots.members[1:]}
    await cluster.until(lambda: set(readers(cluster, 0)) & workers, "the first read")
    before = len(cluster.sandbox.patreon.calls)
    await ask(cluster)
    await cluster.until(lambda: readers(cluster, before), "it is read again")
    assert set(readers(cluster, before)) <= workers


async def test_a_read_in_the_midst_of_which_a_worker_is_stopped_is_done_by_the_other(cluster: Stage) -> None:
    stopped, other = (one.process for one in cluster.sandbox.bots.members[1:])
    await cluster.until(lambda: {stopped.pid, other.pid} & set(readers(cluster, 0)), "the first read")
    cluster.weather("patreon", "/members", "hang")
    other.pause()
    await ask(cluster)
    async with asyncio.timeout(30):
        while not await under_way(cluster):
            await asyncio.sleep(0.1)
    assert await stopped.stop() == 0
    assert "Traceback" not in "\n".join(stopped.lines)
    before = len(cluster.sandbox.patreon.calls)
    cluster.sandbox.weather.clear()
    other.resume()
    await cluster.until(lambda: other.pid in readers(cluster, before), "the other one reads")
