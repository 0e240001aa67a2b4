"""`python run.py restore`: an older database takes the place of a stopped bot's, and is made true.

All is done to a copy of the backup. Only when that is whole does it take the old one's place, in one step; so whoever
is killed before has the old database, and after it the new one. With PostgreSQL its own tools bring the rows back, and
what makes them true is done where they are.
"""

import asyncio
import shlex
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.restored import RestoreReport
from bot.ops.ownership import owned, stopping_at_a_bot
from bot.runtime.progress import Tell
from bot.storage import Storage, backups, migrations, postgresql, sqlite, unlink_file
from bot.storage.database import Database
from bot.storage.unlinks import Unlinks
from bot.storage.vault import Vault, VaultKeyMissing

COPY = ".restoring"
KEPT = ".before-%Y%m%dT%H%M%SZ"


async def restore(
    url: str, vault: Vault, source: Path, *, at: datetime, tell: Tell, without_unlinks: bool = False
) -> RestoreReport:
    """Put a backup in the place of the database. NeedsOwner, and nothing is changed, where that would not be right.

    `without_unlinks`: link those again who unlinked since, where nobody knows who they are.
    """
    place = sqlite.database_file(url)
    if place is None:
        raise NeedsOwner(Setup.RESTORE_BY_SERVER, command=_pg_restore(url, source))
    with stopping_at_a_bot():
        ownership = sqlite.own(url)
    copy = place.with_name(place.name + COPY)
    try:
        found = await asyncio.to_thread(_copy, source, copy, tell)
        unlinks = _find_unlinks(url, found.taken_at, without_unlinks=without_unlinks)
        storage = await Storage.open(sqlite.url_with(url, copy), vault)
        try:
            report = await _make_true(storage, str(source), unlinks, taken_at=found.taken_at, at=at)
        finally:
            await storage.close()
        kept = await asyncio.to_thread(_swap, copy, place)
        return msgspec.structs.replace(report, kept_as=kept)
    finally:
        await asyncio.to_thread(backups.discard, copy)
        ownership.release()


async def restore_in_place(url: str, vault: Vault, *, at: datetime, without_unlinks: bool = False) -> RestoreReport:
    """Make true what other tools have put into the database. NeedsOwner as above."""
    await (await Database.attach(url)).close()
    with stopping_at_a_bot():
        storage = await Storage.open(url, vault)
    try:
        async with AsyncExitStack() as stack:
            with stopping_at_a_bot():
                await stack.enter_async_context(owned(storage.database))
            taken_at = await storage.restores.find_taken_at()
            unlinks = _find_unlinks(url, taken_at, without_unlinks=without_unlinks)
            named = str(sqlite.database_file(url) or postgresql.bare_address(url))
            return await _make_true(storage, named, unlinks, taken_at=taken_at, at=at)
    finally:
        await storage.close()


def _copy(source: Path, copy: Path, tell: Tell) -> backups.Contents:
    """Copy a backup and look through the copy."""
    backups.require(source)
    backups.check_bytes(source)
    with backups.explained(copy):
        backups.discard(copy)
        backups.copy_bytes(source, copy, tell)
    found = backups.look_through(copy, named=source)
    if found.step not in {step.number for step in migrations.list_steps()}:
        raise NeedsOwner(Setup.RESTORE_NEWER, path=str(source))
    return found


def _swap(copy: Path, place: Path) -> str:
    """Put the finished copy in its place; return where the old database is, "" where there was none."""
    with backups.explained(place):
        backups.fold(copy)
        name = place.name + datetime.now(UTC).strftime(KEPT)
        kept, number = place.with_name(name), 1
        while kept.exists():
            kept, number = place.with_name(f"{name}-{number}"), number + 1
        return str(kept) if backups.put_in_place(copy, place, kept) else ""


def _find_unlinks(url: str, taken_at: datetime | None, *, without_unlinks: bool) -> Unlinks:
    """Return what ended lately; NeedsOwner where not all are known who unlinked since the backup."""
    file = unlink_file(url)
    known = None if file is None else file.read()
    if not without_unlinks and (known is None or taken_at is None or known.since > taken_at):
        if file is None:
            raise NeedsOwner(Setup.RESTORE_UNLINKS_NOWHERE)
        raise NeedsOwner(Setup.RESTORE_UNLINKS_UNKNOWN, path=str(file.path))
    return known or Unlinks(since=datetime.now(UTC))


async def _make_true(
    storage: Storage,
    named: str,
    unlinks: Unlinks,
    *,
    taken_at: datetime | None,
    at: datetime,
) -> RestoreReport:
    await _require_keys(storage, named)
    report = await storage.restores.settle(unlinks, taken_at=taken_at, at=at)
    return msgspec.structs.replace(
        report,
        old_pairs=await storage.restores.list_old_pairs(at),
        old_consents=await storage.restores.count_old_consents(at, read=await storage.campaigns.find_readers()),
    )


async def _require_keys(storage: Storage, named: str) -> None:
    """Raise NeedsOwner where no key opens what the backup keeps sealed."""
    locked = Counter[str]()
    for value in await storage.sealing.list_sealed():
        try:
            storage.vault.open(value.sealed)
        except VaultKeyMissing:
            locked[value.table] += 1
    if locked:
        tables = tuple(f"{table} ({count})" for table, count in sorted(locked.items()))
        raise NeedsOwner(Setup.RESTORE_LOCKED, path=named, tables=tables)


def _pg_restore(url: str, source: Path) -> str:
    options = "--clean --if-exists --single-transaction --exit-on-error"
    return f"pg_restore {options} --dbname='{postgresql.bare_address(url)}' {shlex.quote(str(source))}"
