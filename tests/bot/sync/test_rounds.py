"""Rounds: one each interval, whatever became of the one before, and none without Discord."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.app import App

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
    rounds = asyncio.Semaphore(0)

    async def fail(**_: object) -> None:
        rounds.release()
        raise RuntimeError("Something nobody foresaw")

    monkeypatch.setattr(app.rounds, "run", fail)
    monkeypatch.setattr(app.holder, "wait_ever", lambda: asyncio.sleep(0))
    async with running(app), asyncio.timeout(10):
        for _ in range(3):
            await rounds.acquire()
    assert not app.health.report().parts["sync"].ok


async def test_no_round_begins_while_discord_is_away(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []

    async def begin(**asked: object) -> None:
        begun.append(asked)

    monkeypatch.setattr(app.rounds, "run", begin)
    async with running(app):
        await asyncio.sleep(10 * INTERVAL_SECONDS)
        assert begun == []
