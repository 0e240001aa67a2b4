"""What runs for ever begins anew, however it ends."""

import asyncio

import pytest

from bot.domain.errors import NeedsOwner
from bot.runtime.clock import SystemClock
from bot.runtime.health import HealthBoard
from bot.runtime.loops import Loop, Pauses, supervise


@pytest.mark.parametrize(
    "error", [RuntimeError("a defect"), NeedsOwner("do this"), None], ids=["crash", "foreseen", "end"]
)
async def test_a_part_that_ends_in_any_way_begins_anew(error: Exception | None) -> None:
    health = HealthBoard(SystemClock())
    begun = asyncio.Semaphore(0)

    async def part() -> None:
        begun.release()
        if error is not None:
            raise error

    task = asyncio.create_task(
        supervise(Loop("sweeper", part, part="sync"), health=health, pauses=Pauses(0.001, 0.002))
    )
    async with asyncio.timeout(40):
        for _ in range(3):
            await begun.acquire()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not health.report().parts["sync"].ok
