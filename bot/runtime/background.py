"""Work that a page does not wait for: it runs beside, and is given some time to end when the process stops."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 3.0  # so that the whole process ends within ten


class Background:
    """Tasks from `start` until they end; `close` waits for them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object], *, name: str) -> None:
        """Let `work` run. What it raises is logged: what it follows from is done and stands."""
        task = asyncio.create_task(_guarded(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is under way, and cut what takes too long."""
        await let_end(self._tasks)


async def let_end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Let tasks end; cut those that take too long."""
    under_way = set(tasks)
    if not under_way:
        return
    _, late = await asyncio.wait(under_way, timeout=CLOSE_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def _guarded(work: Coroutine[Any, Any, object], name: str) -> None:
    try:
        await work
    except Exception:  # the boundary of a background task
        log.exception("work in the background failed", work=name)
