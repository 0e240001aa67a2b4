"""A process is known while it runs, and a database that is away for a while ends nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.errors import DatabaseAway, Later
from bot.domain.processes import Process
from bot.ops import presence
from bot.ops.presence import Presence
from bot.storage import Storage
from bot.storage.processes import Processes
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import process_of
from tests.fakes.postgres import Postgres

ONE = process_of("one")


class Shaky(Processes):
    """A database that is away at first."""

    tries = 0

    async def enter(self, process: Process, period: timedelta) -> None:
        self.tries += 1
        if self.tries == 1:
            raise DatabaseAway(Later.DATABASE_AWAY, reason="gone")
        await super().enter(process, period)


@pytest.fixture
async def storage(postgres: Postgres, emptied: str) -> AsyncIterator[Storage]:
    opened = await Storage.open(postgres.url(emptied), Vault((new_key(),)))
    yield opened
    await opened.close()


async def test_it_is_known_from_its_start_to_its_end(storage: Storage) -> None:
    present = Presence(storage.processes, ONE, sealing=storage.sealing, keys=("f1",))
    running = asyncio.create_task(present.run())
    await _until_live(storage)
    assert await storage.processes.list_live() == (ONE,)
    async with asyncio.timeout(10):
        while await storage.sealing.keys_of_processes() != {ONE.process_id: ("f1",)}:
            await asyncio.sleep(0.02)
    running.cancel()
    await present.leave()
    assert await storage.processes.list_live() == ()


async def test_it_goes_on_when_the_database_is_back(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "SAID_EVERY_SECONDS", 0.05)
    running = asyncio.create_task(Presence(Shaky(storage.database), ONE, sealing=storage.sealing, keys=("f1",)).run())
    await _until_live(storage)
    running.cancel()


async def _until_live(storage: Storage) -> None:
    async with asyncio.timeout(10):
        while not await storage.processes.list_live():
            await asyncio.sleep(0.02)
