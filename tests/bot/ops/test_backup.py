"""`backup` beside a running bot: one file, or the newest of several in a folder."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NeedsOwner, Setup
from bot.ops.backup import back_up, back_up_into, list_backups
from bot.runtime.progress import tell_nobody
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import populate

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VAULT = Vault((new_key(),))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db"


async def test_a_bot_that_writes_all_the_while_is_not_disturbed(url: str, tmp_path: Path) -> None:
    storage = await Storage.open(url, VAULT)
    await populate(storage)
    is_over, written, links = asyncio.Event(), 0, list[int]()

    async def write() -> None:
        nonlocal written
        while not is_over.is_set():
            await storage.notices.note(f"number {written}", NOON)
            written += 1

    writing = asyncio.create_task(write())
    async with asyncio.timeout(60):
        while len(links) < 3 or written <= 3:
            made = await back_up(url, tmp_path / f"copy {len(links)}.db", at=NOON, tell=tell_nobody)
            links.append(made.contents.links)
    is_over.set()
    await writing
    assert set(links) == {2}
    await storage.close()


async def test_of_several_the_newest_are_kept_and_what_is_not_ours_stays(url: str, tmp_path: Path) -> None:
    await (await Storage.open(url, VAULT)).close()
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("holiday.db", "pledgekeeper-before the upgrade.db", "pledgekeeper-20200101T000000Z.db.old"):
        (folder / name).write_text("mine")
    dropped = []
    for day in range(5):
        made = await back_up_into(url, folder, keep=3, at=NOON + timedelta(days=day), tell=tell_nobody)
        dropped.append(made.dropped)
    assert dropped == [0, 0, 0, 1, 1]
    days = ("20260303", "20260304", "20260305")
    assert [path.name for path in list_backups(folder)] == [f"pledgekeeper-{day}T120000Z.db" for day in days]
    assert len(list(folder.glob("*.sha256"))) == 3
    assert len(list(folder.glob("*"))) == 3 + 3 + 3
    made = await back_up_into(url, folder, keep=1, at=NOON + timedelta(days=9), tell=tell_nobody)
    assert (made.dropped, list_backups(folder)) == (3, [made.path])


async def test_what_a_killed_one_left_goes_once_nobody_can_be_writing_it(url: str, tmp_path: Path) -> None:
    await (await Storage.open(url, VAULT)).close()
    folder = tmp_path / "backups"
    folder.mkdir()
    old, fresh, foreign = (
        folder / f"{name}.unfinished"
        for name in ("pledgekeeper-20260101T030000Z.db", "pledgekeeper-20260102T030000Z.db", "x.db")
    )
    for path in (old, fresh, foreign):
        path.write_text("half a database")
    for path in (old, foreign):
        os.utime(path, (0, 0))
    await back_up_into(url, folder, keep=3, at=NOON, tell=tell_nobody)
    assert sorted(folder.glob("*.unfinished")) == [fresh, foreign]


async def test_where_the_new_one_fails_no_older_one_goes(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    with pytest.raises(NeedsOwner, match=Setup.BACKUP_NO_FOLDER):
        await back_up_into(url, folder, keep=1, at=NOON, tell=tell_nobody)
    folder.mkdir()
    with pytest.raises(NeedsOwner, match=Setup.DATABASE_MISSING):
        await back_up_into(url, folder, keep=1, at=NOON, tell=tell_nobody)
    await (await Storage.open(url, VAULT)).close()
    first = await back_up_into(url, folder, keep=1, at=NOON, tell=tell_nobody)
    (tmp_path / "pledgekeeper.db").write_bytes(b"spoiled " * 2000)
    with pytest.raises(NeedsOwner, match=Setup.BACKUP_UNSOUND):
        await back_up_into(url, folder, keep=1, at=NOON + timedelta(days=1), tell=tell_nobody)
    assert list_backups(folder) == [first.path]


async def test_for_postgresql_its_own_tool_is_named_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(NeedsOwner, match=Setup.BACKUP_BY_SERVER) as error:
        await back_up("postgresql://ada:MARKER@db.example/pledges", tmp_path / "x", at=NOON, tell=tell_nobody)
    command = str(error.value.facts["command"])
    assert command == "pg_dump --format=custom --file=pledgekeeper.dump 'postgresql://ada@db.example/pledges'"
