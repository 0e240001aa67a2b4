import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.model import PatreonUserId, Secret, TokenPair
from bot.ops.ownership import owned
from bot.ops.rotation import Rotation, rotate_keys
from bot.storage import Storage
from bot.storage.vault import Vault, VaultKeyMissing, new_key
from tests.fakes.filled import process_of
from tests.fakes.postgres import Postgres
from tests.fakes.stored import save_consent

OLD, NEW = new_key(), new_key()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADA = PatreonUserId("p-ada")
PAIR = TokenPair(access_token=Secret("access"), refresh_token=Secret("refresh"), expires_at=NOW + timedelta(days=31))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(request.getfixturevalue("emptied"))


async def fill(url: str, *keys: Secret) -> None:
    storage = await Storage.open(url, Vault(keys))
    await save_consent(storage, ADA, PAIR, at=NOW)
    await storage.close()


async def test_after_a_rotation_the_new_key_alone_is_enough(url: str) -> None:
    await fill(url, OLD)
    assert await rotate_keys(url, Vault((NEW, OLD))) == Rotation(resealed=1, left=0, locked=0)
    storage = await Storage.open(url, Vault((NEW,)))
    found = await storage.credentials.find_user(ADA)
    await storage.close()
    assert found is not None
    assert found.pair == PAIR


async def test_what_no_key_opens_stays_and_is_counted(url: str) -> None:
    await fill(url, OLD)
    done = await rotate_keys(url, Vault((NEW,)))
    assert done == Rotation(resealed=0, left=0, locked=1)
    assert not done.is_whole
    storage = await Storage.open(url, Vault((OLD,)))
    assert await storage.credentials.find_user(ADA) is not None
    await storage.close()


async def test_a_running_bot_without_the_new_key_is_not_cut_off(url: str) -> None:
    await fill(url, OLD)
    running = await Storage.open(url, Vault((OLD,)))
    async with owned(running.database):
        with pytest.raises(NeedsOwner, match=Setup.KEY_NOT_IN_USE):
            await rotate_keys(url, Vault((NEW, OLD)))
    assert await running.credentials.find_user(ADA) is not None
    await running.close()


async def test_of_several_processes_each_must_have_the_new_key(postgres: Postgres, emptied: str) -> None:
    url, vault = postgres.url(emptied), Vault((NEW, OLD))
    await fill(url, OLD)
    running = await Storage.open(url, Vault((OLD,)))
    await running.processes.enter(process_of("behind"), timedelta(minutes=5))
    await running.sealing.note_process("behind", running.vault.key_fingerprints)
    anew = await Storage.open(url, vault)
    await anew.processes.enter(process_of("anew"), timedelta(minutes=5))
    await anew.sealing.note_process("anew", vault.key_fingerprints)
    with pytest.raises(NeedsOwner, match=Setup.KEY_NOT_IN_USE):
        await rotate_keys(url, vault)
    assert await running.credentials.find_user(ADA) is not None
    await running.processes.leave("behind")
    assert (await rotate_keys(url, vault)).resealed == 1
    await anew.sealing.note_process("anew", vault.key_fingerprints)
    assert await anew.sealing.keys_of_processes() == {"anew": vault.key_fingerprints}, "the dead are forgotten"
    await running.close()
    await anew.close()


async def test_a_running_bot_with_both_keys_goes_on_reading_and_writing(url: str) -> None:
    await fill(url, OLD)
    running = await Storage.open(url, Vault((NEW, OLD)))
    refreshes = (save_consent(running, PatreonUserId(f"p-{n}"), PAIR, at=NOW) for n in range(20))
    rotation = asyncio.create_task(rotate_keys(url, Vault((NEW, OLD))))
    await asyncio.gather(rotation, *refreshes)
    assert rotation.result().is_whole
    await running.close()
    alone = await Storage.open(url, Vault((NEW,)))
    for patreon_user_id in (ADA, *(PatreonUserId(f"p-{n}") for n in range(20))):
        assert await alone.credentials.find_user(patreon_user_id) is not None
    await alone.close()


async def test_without_a_rotation_the_old_key_is_missed(url: str) -> None:
    await fill(url, OLD)
    storage = await Storage.open(url, Vault((NEW,)))
    with pytest.raises(VaultKeyMissing):
        await storage.credentials.find_user(ADA)
    await storage.close()
