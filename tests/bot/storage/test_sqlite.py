"""One file, one process: what SQLite alone is asked for."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.domain.errors import DatabaseLocked, NeedsOwner, Setup
from bot.storage import Storage, sqlite
from bot.storage.sqlite import database_path, is_locked
from bot.storage.vault import Vault

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


def is_file(path: Path) -> bool:
    return path.is_file()


async def test_the_folder_and_the_file_are_made_at_the_first_start(tmp_path: Path, vault: Vault) -> None:
    storage = await Storage.open(f"sqlite+aiosqlite:///{tmp_path}/a/b/pledgekeeper.db", vault)
    await storage.close()
    assert is_file(tmp_path / "a/b/pledgekeeper.db")


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 15000)],
    ids=["wal", "foreign keys", "patience"],
)
async def test_sqlite_is_set_up_for_us(storage: Storage, pragma: str, value: object) -> None:
    async with storage.database.read() as connection:
        assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == value


async def test_a_second_process_is_refused(storage: Storage, url: str, vault: Vault) -> None:
    with pytest.raises(DatabaseLocked, match=Setup.DATABASE_LOCKED):
        await Storage.open(url, vault)


async def test_a_second_process_is_refused_that_comes_by_a_symbolic_link(
    storage: Storage, url: str, vault: Vault, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere/link.db"
    link.symlink_to(database_path(url))
    with pytest.raises(DatabaseLocked, match=Setup.DATABASE_LOCKED):
        await Storage.open(f"sqlite+aiosqlite:///{link}", vault)
    assert [path.name for path in link.parent.iterdir()] == [link.name]


async def test_the_lock_is_given_back(storage: Storage, url: str, vault: Vault) -> None:
    assert is_locked(database_path(url))
    await storage.close()
    assert not is_locked(database_path(url))
    again = await Storage.open(url, vault)
    await again.close()


async def test_a_failed_start_gives_the_lock_back(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "pledgekeeper.db"
    path.write_bytes(b"this is no database, and long enough to be taken for a broken one" * 20)
    with pytest.raises(NeedsOwner, match=Setup.DATABASE_UNUSABLE):
        await Storage.open(f"sqlite+aiosqlite:///{path}", vault)
    assert not is_locked(path)


async def test_attaching_makes_no_file(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(NeedsOwner, match=Setup.DATABASE_MISSING):
        await Storage.attach(f"sqlite+aiosqlite:///{tmp_path}/none.db", vault)
    assert not is_file(tmp_path / "none.db")


async def test_a_writer_who_waited_too_long_is_told_and_holds_nobody_up(
    url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.05)
    storage = await Storage.open(url, vault)
    with closing(sqlite3.connect(database_path(url))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            await storage.notices.note("key", NOW)
    assert await storage.notices.note("key", NOW)
    await storage.close()


async def test_a_writer_who_is_cancelled_while_waiting_holds_nobody_up(storage: Storage, url: str) -> None:
    with closing(sqlite3.connect(database_path(url))) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(storage.notices.note("given up", NOW))
        await asyncio.sleep(0.05)
        waiting.cancel()
        other.rollback()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await storage.notices.note("key", NOW)
    assert await storage.notices.seen("given up") is None


async def test_a_writer_has_the_database_to_itself_before_its_first_write(storage: Storage, url: str) -> None:
    with closing(sqlite3.connect(database_path(url), timeout=0)) as other:
        async with storage.database.write():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


async def test_a_reader_holds_no_writer_up(storage: Storage, url: str) -> None:
    with closing(sqlite3.connect(database_path(url), timeout=0)) as other:
        async with storage.database.read() as connection:
            await connection.execute(text("SELECT * FROM notices"))
            other.execute("BEGIN IMMEDIATE")
