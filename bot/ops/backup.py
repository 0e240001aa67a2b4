"""`python run.py backup`: a copy of the database beside a running bot, one file or the newest of several in a folder.

Only SQLite's is copied here. PostgreSQL has its own tool for that, and is named how to call it.
"""

import asyncio
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bot.domain.errors import NeedsOwner, Setup
from bot.runtime.progress import Tell
from bot.storage import postgresql
from bot.storage.backups import CHECKSUM, UNFINISHED, Contents, discard, make_backup
from bot.storage.sqlite import database_file, require

NAME = "pledgekeeper-%Y%m%dT%H%M%SZ.db"
OURS = re.compile(r"pledgekeeper-[0-9]{8}T[0-9]{6}Z\.db")
UNFINISHED_OURS = re.compile(rf"{OURS.pattern}({re.escape(CHECKSUM)})?{re.escape(UNFINISHED)}")
ABANDONED_AFTER_SECONDS = 24 * 3600


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made, and how many older ones it replaces."""

    path: Path
    contents: Contents
    dropped: int = 0


async def back_up(url: str, target: Path, *, at: datetime, tell: Tell) -> Backup:
    """Make one backup. NeedsOwner where that cannot be, and where it is PostgreSQL's to do."""
    source = database_file(url)
    if source is None:
        raise NeedsOwner(Setup.BACKUP_BY_SERVER, command=_pg_dump(url))
    require(url)
    contents = await asyncio.to_thread(make_backup, source, target, at=at, tell=tell)
    return Backup(path=target, contents=contents)


async def back_up_into(url: str, folder: Path, *, keep: int, at: datetime, tell: Tell) -> Backup:
    """Make one with a name by its time; once it is there, delete the older ones of such names but the newest `keep`."""
    if database_file(url) is not None and not await asyncio.to_thread(os.path.isdir, folder):
        raise NeedsOwner(Setup.BACKUP_NO_FOLDER, path=str(folder))
    made = await back_up(url, folder / at.astimezone(UTC).strftime(NAME), at=at, tell=tell)
    return msgspec.structs.replace(made, dropped=await asyncio.to_thread(_drop_older, made.path, keep - 1))


def _drop_older(newest: Path, keep: int) -> int:
    """Delete the backups that are older than one, but for the newest of them."""
    older = [path for path in list_backups(newest.parent) if path < newest]
    dropped = older[: len(older) - keep] if len(older) > keep else []
    for path in dropped:
        path.unlink()
        path.with_name(path.name + CHECKSUM).unlink(missing_ok=True)
    _drop_unfinished(newest.parent)
    return len(dropped)


def _drop_unfinished(folder: Path) -> None:
    """Delete what backups left that were killed: nobody has written there for a day."""
    for path in folder.iterdir():
        if UNFINISHED_OURS.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
            discard(path)


def list_backups(folder: Path) -> list[Path]:
    """List the backups that bear a name of ours, the oldest first."""
    return sorted(path for path in folder.iterdir() if OURS.fullmatch(path.name) and path.is_file())


def _pg_dump(url: str) -> str:
    return f"pg_dump --format=custom --file=pledgekeeper.dump '{postgresql.bare_address(url)}'"
