"""How many shards there are is changed while nobody is at Discord, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.processes import ProcessRole
from bot.domain.shards import Shards
from bot.ops.reshard import change_shards
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import process_of
from tests.fakes.postgres import Postgres

LONG = timedelta(minutes=1)
VAULT = Vault((new_key(),))


@pytest.fixture
async def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
    await (await Storage.open(url, VAULT)).close()
    return url


async def test_it_is_changed_in_a_file_whose_bot_has_ended(sqlite_url: str) -> None:
    assert await change_shards(sqlite_url, 2) is None
    assert await change_shards(sqlite_url, 4) == 2
    storage = await Storage.open(sqlite_url, VAULT)
    assert await storage.shards.count() == 4
    with pytest.raises(NeedsOwner, match=Setup.GATEWAYS_RUN):
        await change_shards(sqlite_url, 2)
    assert await storage.shards.count() == 4
    await storage.close()


async def test_it_is_changed_beside_processes_that_are_not_at_discord(postgres: Postgres, emptied: str) -> None:
    url = postgres.url(emptied)
    storage = await Storage.open(url, VAULT)
    await storage.processes.enter(process_of("one", ProcessRole.WORKER), LONG)
    assert await change_shards(url, 2) is None
    held = await storage.shards.claim(Shards((1,), 2), "two", LONG)
    assert held
    with pytest.raises(NeedsOwner, match=Setup.GATEWAYS_RUN):
        await change_shards(url, 4)
    await storage.shards.release(held.values())
    assert await change_shards(url, 4) == 2
    await storage.close()
