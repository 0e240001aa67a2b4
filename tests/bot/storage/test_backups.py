"""A copy of a database file is whole or is not there, and takes another one's place in one step."""

import os
import sqlite3
import stat
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.errors import DatabaseLocked, NeedsOwner, Setup
from bot.runtime.progress import tell_nobody
from bot.storage import Storage, backups
from bot.storage.backups import check_bytes, copy_bytes, fold, look_through, make_backup, put_in_place
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import NOW, populate

VAULT = Vault((new_key(),))
LATER = datetime(2026, 3, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    path = tmp_path / "pledgekeeper.db"
    storage = await Storage.open(f"sqlite+aiosqlite:///{path}", VAULT)
    await populate(storage)
    await storage.close()
    return path


def rows(path: Path, query: str = "SELECT count(*) FROM links") -> int:
    with closing(sqlite3.connect(path)) as file:
        return int(file.execute(query).fetchone()[0])


def test_a_backup_is_one_private_file_that_says_when_it_was_made(database: Path, tmp_path: Path) -> None:
    target, told = tmp_path / "copy.db", list[tuple[int, int]]()
    made = make_backup(database, target, at=LATER, tell=lambda done, total: told.append((done, total)))
    assert (made.links, made.roles, made.taken_at) == (2, 1, LATER)
    assert look_through(target, named=target) == made
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert told[-1][0] == told[-1][1] > 0
    beside = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy.db"))
    assert beside == ["copy.db", "copy.db.sha256"]
    assert (
        subprocess.run(["sha256sum", "--check", "--quiet", "copy.db.sha256"], cwd=tmp_path, check=False).returncode == 0
    )


@pytest.mark.parametrize("verb", ["digest_of", "_put_where_nothing_is", "_write_checksum"])
def test_whoever_is_killed_leaves_no_backup_that_seems_damaged(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    target, reached = tmp_path / "copy.db", list[str]()

    def die(*_: object) -> None:
        reached.append(verb)
        raise KeyboardInterrupt

    if verb == "_write_checksum":  # in the midst of it
        through = backups.write_through
        monkeypatch.setattr(backups, "write_through", lambda path: die() if ".sha256" in path.name else through(path))
    else:
        monkeypatch.setattr(backups, verb, die)
    with pytest.raises(KeyboardInterrupt):
        make_backup(database, target, at=LATER, tell=tell_nobody)
    assert reached == [verb]
    assert not (tmp_path / "copy.db.sha256").exists()
    assert target.exists() == (verb == "_write_checksum")
    if target.exists():
        assert look_through(target, named=target).links == 2


def test_a_backup_can_be_read_where_nothing_may_be_written(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    target = folder / "copy.db"
    make_backup(database, target, at=LATER, tell=tell_nobody)
    with closing(sqlite3.connect(f"file:{target}?mode=ro&immutable=1", uri=True)) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert file.execute("SELECT count(*) FROM links").fetchone() == (2,)


def test_what_is_written_meanwhile_is_not_in_it_and_does_not_make_it_begin_anew(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "PAGES_AT_ONCE", 1)
    with closing(sqlite3.connect(database, isolation_level=None)) as bot:
        seen: list[int] = []

        def write(done: int, _total: int) -> None:
            seen.append(done)
            bot.execute("INSERT INTO notices VALUES (?, 0, '')", (f"at page {done}",))

        make_backup(database, tmp_path / "copy.db", at=LATER, tell=write)
    assert len(seen) > 10
    assert seen == sorted(set(seen)), "each page once"
    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM notices WHERE key LIKE 'at page%'") == 0
    assert rows(database, "SELECT count(*) FROM notices WHERE key LIKE 'at page%'") == len(seen)


def test_what_is_there_is_never_overwritten(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(NeedsOwner, match=Setup.BACKUP_EXISTS):
        make_backup(database, target, at=LATER, tell=tell_nobody)
    target.unlink()

    def come(_done: int, _total: int) -> None:
        target.write_text("mine")

    with pytest.raises(NeedsOwner, match=Setup.BACKUP_EXISTS):  # it came while the copy was made
        make_backup(database, target, at=LATER, tell=come)
    assert target.read_text() == "mine"
    assert not list(tmp_path.glob("*unfinished*"))


def test_a_place_where_nothing_can_be_written_is_named(database: Path, tmp_path: Path) -> None:
    with pytest.raises(NeedsOwner, match=Setup.BACKUP_NOT_WRITTEN) as error:
        make_backup(database, tmp_path / "no such folder" / "copy.db", at=LATER, tell=tell_nobody)
    assert error.value.facts["reason"] == "No such file or directory"


def test_of_a_damaged_database_no_backup_is_kept(database: Path, tmp_path: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    database.write_bytes(content)
    with pytest.raises(NeedsOwner, match=Setup.BACKUP_UNSOUND):
        make_backup(database, tmp_path / "copy.db", at=LATER, tell=tell_nobody)
    assert not list(tmp_path.glob("copy*"))


def test_a_file_that_is_cut_foreign_or_nothing_at_all_is_told_from_ours(database: Path, tmp_path: Path) -> None:
    cut, foreign, text = tmp_path / "cut.db", tmp_path / "foreign.db", tmp_path / "text.db"
    cut.write_bytes(database.read_bytes()[:-9000])
    with closing(sqlite3.connect(foreign)) as file:
        file.execute("CREATE TABLE links (a)")
        file.commit()
    text.write_text("Dear diary, " * 900)
    for path, code in ((cut, Setup.RESTORE_SPOILED), (foreign, Setup.RESTORE_FOREIGN), (text, Setup.RESTORE_SPOILED)):
        with pytest.raises(NeedsOwner, match=code) as error:
            look_through(path, named=Path("yours.db"))
        assert error.value.facts["path"] == "yours.db"


def test_a_byte_that_changed_is_noticed_by_the_checksum(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    make_backup(database, target, at=LATER, tell=tell_nobody)
    assert check_bytes(target)
    content = target.read_bytes()
    place = content.index(b"Emberwood")
    target.write_bytes(content[:place] + b"Umberwood" + content[place + 9 :])
    look_through(target, named=target)  # SQLite itself finds nothing wrong
    with pytest.raises(NeedsOwner, match=Setup.RESTORE_SPOILED):
        check_bytes(target)
    target.with_name("copy.db.sha256").write_text("")
    with pytest.raises(NeedsOwner, match=Setup.RESTORE_SPOILED):
        check_bytes(target)
    assert not check_bytes(database), "a plain copy has none"


def test_a_copy_that_does_not_say_when_it_was_made_is_as_old_as_what_it_last_learnt(database: Path) -> None:
    assert look_through(database, named=database).taken_at == NOW
    with closing(sqlite3.connect(database)) as file:
        for table in ("pendings", "hold_items", "links", "reads", "audit"):
            file.execute(f"DELETE FROM {table}")
        file.commit()
    assert look_through(database, named=database).taken_at is None


def test_what_stands_beside_a_copied_database_comes_along(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as bot:
        bot.execute("INSERT INTO notices VALUES ('just now', 0, '')")
        copy_bytes(database, tmp_path / "copy.db", tell_nobody)
    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM notices WHERE key = 'just now'") == 1
    fold(tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"]


def test_the_old_database_is_kept_whole_and_the_new_one_stands_alone(database: Path, tmp_path: Path) -> None:
    new, kept = tmp_path / "new.db", tmp_path / "kept.db"
    make_backup(database, new, at=LATER, tell=tell_nobody)
    with closing(sqlite3.connect(database, isolation_level=None)) as bot:
        bot.execute("INSERT INTO notices VALUES ('just now', 0, '')")
        left = {path.name: path.read_bytes() for path in tmp_path.glob("pledgekeeper.db*")}
    for name, content in left.items():  # as a kill leaves them
        (tmp_path / name).write_bytes(content)
    assert put_in_place(new, database, kept)
    assert rows(kept, "SELECT count(*) FROM notices WHERE key = 'just now'") == 1
    assert rows(database, "SELECT count(*) FROM notices WHERE key = 'just now'") == 0
    assert not put_in_place(kept, tmp_path / "elsewhere.db", tmp_path / "nothing.db")


def test_a_database_that_cannot_be_read_is_kept_with_all_that_belongs_to_it(database: Path, tmp_path: Path) -> None:
    new, kept, wal = tmp_path / "new.db", tmp_path / "kept.db", tmp_path / "pledgekeeper.db-wal"
    make_backup(database, new, at=LATER, tell=tell_nobody)
    database.write_bytes(b"spoiled " * 2000)
    wal.write_bytes(b"what was not written into it yet")
    assert put_in_place(new, database, kept)
    assert kept.read_bytes() == b"spoiled " * 2000
    assert (tmp_path / "kept.db-wal").read_bytes() == b"what was not written into it yet"
    assert not wal.exists(), "else SQLite would write it into the new one"
    assert rows(database) == 2


def test_a_database_that_somebody_else_has_open_stays(database: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    make_backup(database, new, at=LATER, tell=tell_nobody)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseLocked, match=Setup.BOT_RUNS):
            put_in_place(new, database, tmp_path / "kept.db")
    assert new.exists()
    assert not (tmp_path / "kept.db").exists()
