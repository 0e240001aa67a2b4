"""Whoever waits at the door is waked by the bell, and looks all the same where nobody rings."""

import asyncio

from bot.runtime.doorbell import Doorbell

LONG, SHORT = 60.0, 0.01


async def test_what_was_rung_before_is_not_missed() -> None:
    bell = Doorbell()
    bell.ring()
    bell.ring()
    async with asyncio.timeout(LONG / 2):
        await bell.wait(LONG)


async def test_whoever_waits_is_waked() -> None:
    bell = Doorbell()
    waiting = asyncio.create_task(bell.wait(LONG))
    await asyncio.sleep(0)
    bell.ring()
    async with asyncio.timeout(LONG / 2):
        await waiting


async def test_it_is_heard_once_and_the_wait_ends_without_it_too() -> None:
    bell = Doorbell()
    bell.ring()
    await bell.wait(LONG)
    waiting = asyncio.create_task(bell.wait(LONG))
    await asyncio.sleep(SHORT)
    assert not waiting.done()
    waiting.cancel()
    async with asyncio.timeout(LONG / 2):
        await bell.wait(SHORT)
