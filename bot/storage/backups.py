"""Copies of a SQLite file: made while others write it, looked through, and put in another one's place.

Knows no aggregate and no clock. What is put somewhere is complete on the disk before it bears its name, so whoever is
killed half-way leaves what was there, and at most a file that says by its name that it is unfinished.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from bot.domain.errors import DatabaseLocked, NeedsOwner, Setup
from bot.runtime.progress import Tell
from bot.storage.tables.column_types import EPOCH, MICROSECOND

TAKEN_AT = "when this backup was made"  # a row of `installation`, in a backup alone
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite puts beside a database (SQLite docs, Temporary Files)
PAGES_AT_ONCE = 1_000
BYTES_AT_ONCE = 1 << 20
UNFINISHED = ".unfinished"
CHECKSUM = ".sha256"
KNOWING = (
    ("reads", "finished_at"),
    ("audit", "at"),
    ("links", "linked_at"),
)  # columns that say when something was learnt
OURS = {"alembic_version", "installation", "links", "grants"}  # tables that each version has had


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy holds, in numbers; `taken_at` is when it was made, or where it does not say so, last used."""

    step: str
    taken_at: datetime | None
    links: int
    roles: int


def make_backup(source: Path, target: Path, *, at: datetime, tell: Tell) -> Contents:
    """Copy the database at `source` as it is at this moment, and look through the copy before it bears its name.

    NeedsOwner where there is something at `target`, where it cannot be written, or where the copy is not sound.
    """
    if os.path.lexists(target):
        raise NeedsOwner(Setup.BACKUP_EXISTS, path=str(target))
    unfinished = target.with_name(target.name + UNFINISHED)
    with explained(target), _removed(unfinished):
        _make_private(unfinished)
        try:
            _copy_pages(source, unfinished, tell)
            _mark(unfinished, at)
        except sqlite3.DatabaseError as error:
            raise NeedsOwner(_kind_of(error), path=str(target), reason=str(error)) from None
        found = look_through(unfinished, named=source, unsound=Setup.BACKUP_UNSOUND)
        write_through(unfinished)
        digest = digest_of(unfinished)  # that takes a while, in which whoever is killed must leave no half of the two
        _put_where_nothing_is(unfinished, target)
        _write_checksum(target, digest)
    return found


def look_through(path: Path, *, named: Path, unsound: Setup = Setup.RESTORE_SPOILED) -> Contents:
    """Read the whole of a file that SQLite may understand. NeedsOwner where it is damaged, or no database of ours.

    `named` is the file that people know, where this is a copy of it.
    """
    try:
        with closing(sqlite3.connect(path)) as file:
            wrong = file.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if wrong != "ok":
                raise NeedsOwner(unsound, path=str(named), reason=wrong.splitlines()[0])
            tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            steps = file.execute("SELECT version_num FROM alembic_version").fetchall() if tables >= OURS else []
            if not steps:
                raise NeedsOwner(Setup.RESTORE_FOREIGN, path=str(named))
            return Contents(
                step=steps[0][0],
                taken_at=_find_time(file, tables),
                links=file.execute("SELECT count(*) FROM links").fetchone()[0],
                roles=file.execute("SELECT count(*) FROM grants").fetchone()[0],
            )
    except sqlite3.DatabaseError as error:
        raise NeedsOwner(unsound, path=str(named), reason=str(error)) from None


def require(path: Path) -> None:
    """Raise NeedsOwner where there is no file, or we can't read it and what belongs to it."""
    beside = (path.with_name(path.name + end) for end in (CHECKSUM, *BESIDE))
    try:
        if not path.is_file():
            raise NeedsOwner(Setup.RESTORE_MISSING, path=str(path))
        for part in (path, *filter(Path.exists, beside)):
            part.open("rb").close()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NeedsOwner(Setup.RESTORE_UNREADABLE, path=error.filename or str(path), reason=reason) from None


def check_bytes(path: Path) -> bool:
    """Compare a backup with the checksum beside it; False where none is. NeedsOwner where the two differ."""
    beside = path.with_name(path.name + CHECKSUM)
    try:
        said = beside.read_text().split()[0]
    except FileNotFoundError:
        return False
    except (IndexError, UnicodeDecodeError):
        said = ""
    if said != digest_of(path):
        raise NeedsOwner(Setup.RESTORE_SPOILED, path=str(path), reason=f"it differs from {beside.name}")
    return True


def copy_bytes(source: Path, target: Path, tell: Tell) -> None:
    """Copy a file, with what SQLite has written beside it and not into it yet."""
    total, done = source.stat().st_size, 0
    _make_private(target)
    with source.open("rb") as old, target.open("wb") as new:
        while part := old.read(BYTES_AT_ONCE):
            new.write(part)
            done += len(part)
            tell(done, total)
    for end in BESIDE:
        beside = source.with_name(source.name + end)
        if end != "-shm" and beside.exists():
            _make_private(target.with_name(target.name + end))
            shutil.copyfile(beside, target.with_name(target.name + end))


def fold(path: Path) -> None:
    """Write into a database all that stands beside it; then the one file is the whole of it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode = DELETE").fetchall()
    write_through(path)


def put_in_place(new: Path, place: Path, kept: Path) -> bool:
    """Let a file take the place of a database, whose old one is kept; False where there was none.

    At every moment one of them stands at `place`, whole. What an unreadable old one has beside it cannot be written
    into it, so it is kept beside the kept one; then the old one's own place is worth no more than it was.
    """
    is_there = place.exists()
    if is_there:
        beside = [path for path in (place.with_name(place.name + end) for end in BESIDE) if path.exists()]
        if not beside or _is_folded(place, kept, beside):
            _link(place, kept)
        write_through(kept.parent)
        for path in beside:
            path.unlink(missing_ok=True)
    new.replace(place)
    write_through(place.parent)
    return is_there


def discard(path: Path) -> None:
    """Delete a file with what belongs to it."""
    for end in ("", *BESIDE, ".lock", CHECKSUM):
        path.with_name(path.name + end).unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_through(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Say to whoever runs us why a file cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NeedsOwner(Setup.BACKUP_NOT_WRITTEN, path=str(target), reason=reason) from None


def _copy_pages(source: Path, target: Path, tell: Tell) -> None:
    """Copy page by page what a reader sees who began now: else each write of somebody's would begin the copy anew."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as old:
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target)) as new:
            old.backup(new, pages=PAGES_AT_ONCE, progress=lambda _, left, total: tell(total - left, total))
            new.execute("PRAGMA journal_mode = DELETE").fetchall()  # so that it is one file, which may only be read


def _mark(path: Path, at: datetime) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT OR REPLACE INTO installation (name, text) VALUES (?, ?)", (TAKEN_AT, at.isoformat()))
        file.commit()


def _find_time(file: sqlite3.Connection, tables: set[str]) -> datetime | None:
    """Return when a copy was made: as it says itself, or else the last moment that anything in it was learnt."""
    said = file.execute("SELECT text FROM installation WHERE name = ?", (TAKEN_AT,)).fetchone()
    if said is not None:
        return datetime.fromisoformat(said[0])
    columns = [(name, time) for name, time in KNOWING if name in tables]
    times = [file.execute(f"SELECT max({time}) FROM {name}").fetchone()[0] for name, time in columns]  # noqa: S608  ours
    last = max((time for time in times if time is not None), default=None)
    return None if last is None else EPOCH + last * MICROSECOND


def _kind_of(error: sqlite3.DatabaseError) -> Setup:
    """Tell a place that cannot be written (SQLITE_FULL, IOERR, READONLY, CANTOPEN) from a database that is damaged."""
    return Setup.BACKUP_NOT_WRITTEN if isinstance(error, sqlite3.OperationalError) else Setup.BACKUP_UNSOUND


def _make_private(path: Path) -> None:
    """Make an empty file that only its owner may read, whatever was there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _write_checksum(target: Path, digest: str) -> None:
    """Write what `sha256sum --check` reads: the whole of it, or nothing."""
    beside = target.with_name(target.name + CHECKSUM)
    unfinished = beside.with_name(beside.name + UNFINISHED)
    _make_private(unfinished)
    unfinished.write_text(f"{digest}  {target.name}\n")
    write_through(unfinished)
    unfinished.replace(beside)
    write_through(beside.parent)


def _put_where_nothing_is(unfinished: Path, target: Path) -> None:
    """Give a file its name, unless another one has got it meanwhile."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise NeedsOwner(Setup.BACKUP_EXISTS, path=str(target)) from None
    except OSError:  # a file system without hard links
        unfinished.rename(target)
    write_through(target.parent)


def _is_folded(place: Path, kept: Path, beside: Iterable[Path]) -> bool:
    """Write into a database what stands beside it; False where SQLite cannot, and then all of it is kept as it was."""
    for path in (place, *beside):  # first: SQLite deletes what it makes nothing of
        part = kept.with_name(kept.name + path.name.removeprefix(place.name))
        shutil.copy2(path, part)
        write_through(part)
    try:
        fold(place)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname == "SQLITE_BUSY":
            discard(kept)
            raise DatabaseLocked(Setup.BOT_RUNS) from None
        return False
    discard(kept)
    return True


def _link(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:  # a file system without hard links
        shutil.copy2(old, new)
        write_through(new)


@contextmanager
def _removed(unfinished: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):
            discard(unfinished)
