"""What follows a Yes is looked for while Discord is there, now and then, and at once when somebody rings."""

import asyncio
from typing import Any, cast

import pytest

from bot.discord.holder import ClientHolder
from bot.linking import aftermaths
from bot.linking.aftermaths import Aftermaths

PATIENCE = 20.0
CLIENT: Any = object()


class Flow:
    """Counts how often it was to go on."""

    def __init__(self) -> None:
        self.looks = 0

    async def resume(self) -> None:
        self.looks += 1


async def until(flows: list[Flow], looks: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(flow.looks < looks for flow in flows):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_shared", [True, False])
async def test_each_flow_goes_on_once_discord_is_there_and_when_rung(
    monkeypatch: pytest.MonkeyPatch, *, is_shared: bool
) -> None:
    monkeypatch.setattr(aftermaths, "RESUME_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(aftermaths, "LOOK_SECONDS", 2 * PATIENCE)
    holder, flows = ClientHolder(), [Flow(), Flow()]
    looking = Aftermaths(cast("Any", flows), holder=holder, is_shared=is_shared)
    task = asyncio.create_task(looking.run())
    await asyncio.sleep(0.02)
    assert [flow.looks for flow in flows] == [0, 0]
    holder.put(CLIENT)
    await until(flows, 1)
    looking.ring()
    await until(flows, 2)
    holder.lose(CLIENT)
    looking.ring()
    await asyncio.sleep(0.02)
    assert [flow.looks for flow in flows] == [2, 2]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_where_others_may_take_an_answer_it_is_looked_for_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermaths, "RESUME_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(aftermaths, "LOOK_SECONDS", 0.01)
    holder, flow = ClientHolder(), Flow()
    holder.put(CLIENT)
    task = asyncio.create_task(Aftermaths(cast("Any", [flow]), holder=holder, is_shared=True).run())
    await until([flow], 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
