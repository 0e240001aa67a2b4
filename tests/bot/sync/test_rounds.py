"""Rounds: one each interval, whatever became of the one before, and none without Discord."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId
from tests.fakes.scene import Scene

INTERVAL_SECONDS = 0.01


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    loop = app.rounds.keep_running(INTERVAL_SECONDS, until_ready=app.holder.wait_ever)
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_round_that_fails_does_not_end_the_loop(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Semaphore(0)

    async def fail(**_: object) -> None:
        begun.release()
        raise RuntimeError("Something nobody foresaw")

    monkeypatch.setattr(app.rounds, "run", fail)
    monkeypatch.setattr(app.holder, "wait_ever", lambda: asyncio.sleep(0))
    async with running(app), asyncio.timeout(10):
        for _ in range(3):
            await begun.acquire()
    assert not app.health.report().parts["sync"].ok


async def test_no_round_begins_while_discord_is_away(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []

    async def begin(**asked: object) -> None:
        begun.append(asked)

    monkeypatch.setattr(app.rounds, "run", begin)
    async with running(app):
        await asyncio.sleep(10 * INTERVAL_SECONDS)
        assert begun == []


async def test_a_start_is_well_as_soon_as_the_first_page_is_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows from the list takes longer, where there are thousands of people."""
    health, may_go = scene.app.health, asyncio.Event()

    async def follow(*_: object, **__: object) -> frozenset[DiscordUserId]:
        await may_go.wait()
        return frozenset()

    monkeypatch.setattr(scene.app.reported_links, "follow", follow)
    assert not health.was_ever_ok("sync")
    under_way = asyncio.create_task(scene.app.rounds.run(trigger=Trigger.INTERVAL))
    await scene.until(lambda: health.was_ever_ok("sync"), "a page is read")
    assert not under_way.done()
    health.failed("sync", "a round says so")
    health.begun("sync")
    assert not health.report().parts["sync"].ok, "a round has the last word"
    may_go.set()
    await under_way
    assert health.report().parts["sync"].ok


async def test_the_log_hears_of_a_round_that_brings_news_and_not_of_a_quiet_one(scene: Scene) -> None:
    async def heard(trigger: Trigger = Trigger.INTERVAL) -> str:
        with capture_logs() as lines:
            await scene.app.rounds.run(trigger=trigger)
        (level,) = [line["log_level"] for line in lines if line["event"] == "round"]
        return str(level)

    assert await heard() == "info", "the first list"
    assert await heard() == "debug", "the same list again"
    assert await heard(Trigger.SYNC) == "info", "somebody asked for it"
    scene.stage.weather("patreon", "/members", "404")
    assert await heard() == "info", "the first failure"
    assert await heard() == "debug", "the same failure"
    scene.stage.sandbox.weather.clear()
    assert await heard() == "info", "it is over"
