"""`restore`: the backup is in use and true, or the old database is as it was."""

import asyncio
import os
import shlex
import sqlite3
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Coroutine
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.domain.errors import DatabaseLocked, NeedsOwner, Setup
from bot.domain.model import DiscordUserId, PatreonUserId
from bot.domain.restored import OldPair, Restored, RestoreReport
from bot.ops import ownership
from bot.ops.backup import back_up
from bot.ops.ownership import owned
from bot.ops.restore import restore, restore_in_place
from bot.runtime.progress import tell_nobody
from bot.storage import Storage, migrations
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import ADA, GUILD, NOW, OTHER_ROLE, link_of, populate, rule_of
from tests.fakes.postgres import Postgres

KEY = new_key()
VAULT = Vault((KEY,))
DAY = timedelta(days=1)
DI, DIS = DiscordUserId(14), PatreonUserId("p-di")
ROOT = Path(__file__).resolve().parents[3]


class Place:
    """A database, a backup of it, and what happened since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database, self.copy = folder / "pledgekeeper.db", folder / "copy.db"
        self.url = f"sqlite+aiosqlite:///{self.database}"

    async def fill(self) -> None:
        storage = await Storage.open(self.url, VAULT)
        await storage.links.look_after_ends(NOW)
        await populate(storage)
        await storage.close()
        await back_up(self.url, self.copy, at=NOW + DAY, tell=tell_nobody)

    async def go_on(self) -> None:
        """Ada unlinks, and Di links."""
        storage = await Storage.open(self.url, VAULT)
        await storage.links.unlink(ADA, at=NOW + 2 * DAY)
        await storage.links.complete_link(link_of(DI, DIS), [])
        await storage.close()

    async def restore(self, *, at: datetime = NOW + 3 * DAY, vault: Vault = VAULT, **rest: bool) -> RestoreReport:
        return await restore(self.url, vault, self.copy, at=at, tell=tell_nobody, **rest)

    def people(self, path: Path | None = None) -> set[int]:
        with closing(sqlite3.connect(path or self.database)) as file:
            return {person for (person,) in file.execute("SELECT discord_user_id FROM links")}

    def left(self) -> set[str]:
        """Name what stands there now."""
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    await place.fill()
    await place.go_on()
    return place


async def test_the_backup_is_in_use_true_and_the_old_one_is_kept(place: Place) -> None:
    report = await place.restore()
    assert (report.taken_at, report.unlinked) == (NOW + DAY, 1)
    assert place.people() == {13}, "Ada unlinked since, and Di has to link again"
    assert place.people(Path(report.kept_as)) == {13, 14}
    storage = await Storage.open(place.url, VAULT)
    assert await storage.restores.find() == Restored(taken_at=NOW + DAY, began_at=NOW + 3 * DAY)
    await storage.close()
    assert {name for name in place.left() if "restoring" in name or "unfinished" in name} == set()


async def test_it_says_which_pairs_may_be_used_up(place: Place) -> None:
    report = await place.restore(at=NOW + 25 * DAY)
    assert report.old_pairs[1:] == (OldPair(campaigns=("Birchwood",), guild_ids=(GUILD,), is_of_settings=True),)


async def test_the_same_backup_can_be_restored_again(place: Place) -> None:
    first, second = await place.restore(), await place.restore()
    assert first.kept_as != second.kept_as
    assert place.people() == {13}


async def test_a_backup_of_an_older_version_is_brought_up_to_date(place: Place) -> None:
    old = place.folder / "old.db"
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        migrations.run_steps(connection, "0010")
    engine.dispose()
    await restore(place.url, VAULT, old, at=NOW, tell=tell_nobody, without_unlinks=True)
    storage = await Storage.attach(place.url, VAULT)
    assert await storage.database.is_whole()
    assert await storage.restores.find() == Restored(taken_at=None, began_at=NOW)
    await storage.close()


@pytest.mark.parametrize("how", ["cut", "flipped", "text", "newer", "foreign", "missing"])
async def test_a_backup_that_is_none_changes_nothing(place: Place, how: str) -> None:
    code = {
        "cut": Setup.RESTORE_SPOILED,
        "flipped": Setup.RESTORE_SPOILED,
        "text": Setup.RESTORE_SPOILED,
        "newer": Setup.RESTORE_NEWER,
        "foreign": Setup.RESTORE_FOREIGN,
        "missing": Setup.RESTORE_MISSING,
    }[how]
    content = place.copy.read_bytes()
    match how:
        case "cut":
            place.copy.write_bytes(content[: len(content) // 2])
        case "flipped":
            place.copy.write_bytes(content.replace(b"Emberwood", b"Umberwood", 1))
        case "text":
            place.copy.write_text("Dear diary")
        case "missing":
            place.copy.unlink()
        case _:
            with closing(sqlite3.connect(place.copy)) as file:
                change = "UPDATE alembic_version SET version_num = '9999'" if how == "newer" else "DROP TABLE grants"
                file.execute(change)
                file.commit()
    if how in {"newer", "foreign"}:
        place.copy.with_name("copy.db.sha256").unlink()
    before, left = place.people(), place.left()
    with pytest.raises(NeedsOwner, match=code) as error:
        await place.restore()
    assert error.value.facts["path"] == str(place.copy)
    assert place.people() == before
    assert place.left() == left


async def test_keys_that_do_not_open_it_are_refused_and_what_they_miss_is_named(place: Place) -> None:
    before = place.people()
    with pytest.raises(NeedsOwner, match=Setup.RESTORE_LOCKED) as error:
        await place.restore(vault=Vault((new_key(),)))
    assert "credentials (3)" in str(error.value.facts["tables"])
    assert place.people() == before
    assert (await place.restore(vault=Vault((new_key(), KEY)))).unlinked == 1


async def test_a_bot_that_runs_is_not_disturbed(place: Place) -> None:
    running = await Storage.open(place.url, VAULT)
    with pytest.raises(DatabaseLocked, match=Setup.BOT_RUNS):
        await place.restore()
    with pytest.raises(DatabaseLocked, match=Setup.BOT_RUNS):
        await restore_in_place(place.url, VAULT, at=NOW)
    assert await running.links.find_discord(DI) is not None
    await running.close()


async def test_where_nobody_knows_who_unlinked_since_it_takes_a_word(place: Place) -> None:
    unlinks = place.folder / "pledgekeeper.db.unlinks"
    unlinks.write_text(f"unlinks since {(NOW + 1.5 * DAY).isoformat()}\n")
    with pytest.raises(NeedsOwner, match=Setup.RESTORE_UNLINKS_UNKNOWN) as error:
        await place.restore()
    assert error.value.facts["path"] == str(unlinks)
    unlinks.unlink()
    with pytest.raises(NeedsOwner, match=Setup.RESTORE_UNLINKS_UNKNOWN):
        await place.restore()
    await place.restore(without_unlinks=True)
    assert place.people() == {11, 13}


async def test_on_a_new_machine_there_is_nothing_to_keep(place: Place, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/elsewhere/pledgekeeper.db"
    report = await restore(url, VAULT, place.copy, at=NOW + 3 * DAY, tell=tell_nobody, without_unlinks=True)
    assert report.kept_as == ""
    assert place.people(tmp_path / "elsewhere" / "pledgekeeper.db") == {11, 13}


KILLED_AT = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0]


async def test_whoever_is_killed_leaves_the_old_database_or_the_new_one(place: Place) -> None:
    environment = {
        **os.environ,
        "DISCORD_TOKEN": "MARKER-discord-abcdefghi.MARKER.abcdefghijklmnopqrstuvwxyzab",
        "PATREON_CLIENT_ID": "client",
        "PATREON_CLIENT_SECRET": "secret",
        "PATREON_CAMPAIGN_ID": "700",
        "PUBLIC_URL": "http://127.0.0.1:9",
        "DATABASE_URL": place.url,
        "ENCRYPTION_KEYS": KEY.reveal(),
    }
    command = [sys.executable, str(ROOT / "run.py"), "restore", str(place.copy)]
    old = place.database.read_bytes()
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=place.folder, stdout=PIPE)
    said, _ = await process.communicate()
    whole = time.monotonic() - began
    assert process.returncode == 0
    assert b"1 person has unlinked since, and stays unlinked." in said
    found = set()
    for share in KILLED_AT:
        place.database.write_bytes(old)
        process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=place.folder, stdout=DEVNULL)
        await asyncio.sleep(share * whole)
        if process.returncode is None:
            process.kill()
        await process.wait()
        people = place.people()
        assert people in ({13, 14}, {13}), f"half of it after {share}"
        found.add(frozenset(people))
        storage = await Storage.open(place.url, VAULT)
        assert (await storage.restores.find() is None) == (people == {13, 14})
        await storage.close()
    assert frozenset({13, 14}) in found
    assert (await place.restore()).unlinked == 1
    assert not [name for name in place.left() if "restoring" in name]


async def test_a_kill_at_each_step_of_the_last_moment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    old = place.people()
    for step in ("os.link", "pathlib.Path.replace"):
        with monkeypatch.context() as patched:
            patched.setattr(step, pulled_the_plug)
            with pytest.raises(SystemExit):
                await place.restore()
        assert place.people() == old


def pulled_the_plug(*_: object, **__: object) -> None:
    raise SystemExit


async def fill_server(url: str) -> None:
    storage = await Storage.open(url, VAULT)
    known = await populate(storage)
    await storage.leases.release(known.lease)
    await storage.shards.release([known.shard])
    await storage.processes.leave("one")
    await storage.close()


async def named(act: Coroutine[object, object, object], code: Setup) -> list[str]:
    """Return the command that a refusal names."""
    with pytest.raises(NeedsOwner, match=code) as error:
        await act
    return shlex.split(str(error.value.facts["command"]))


async def test_the_commands_that_are_named_for_postgresql_bring_everything_back(
    postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create()
    url = postgres.url(name)
    await fill_server(url)

    async def carry_out(command: list[str]) -> int | None:
        program, *rest = command
        process = await asyncio.create_subprocess_exec(postgres.programs / program, *rest, cwd=tmp_path)
        return await process.wait()

    dump = tmp_path / "pledgekeeper.dump"
    assert await carry_out(await named(back_up(url, dump, at=NOW, tell=tell_nobody), Setup.BACKUP_BY_SERVER)) == 0
    storage = await Storage.open(url, VAULT)
    await storage.links.unlink(ADA, at=NOW + DAY)
    await storage.close()
    back = restore(url, VAULT, dump, at=NOW, tell=tell_nobody)
    assert await carry_out(await named(back, Setup.RESTORE_BY_SERVER)) == 0
    await restore_in_place(url, VAULT, at=NOW + DAY, without_unlinks=True)
    storage = await Storage.open(url, VAULT)
    assert await storage.links.find_discord(ADA) is not None
    assert (await storage.rules.add(rule_of(OTHER_ROLE), created_by=ADA, at=NOW)).rule_id == 1002
    await storage.close()
    postgres.drop(name)


async def test_rows_that_postgresql_brought_back_are_settled_in_place(
    postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(emptied)
    await fill_server(url)
    with pytest.raises(NeedsOwner, match=Setup.RESTORE_UNLINKS_NOWHERE):
        await restore_in_place(url, VAULT, at=NOW)
    report = await restore_in_place(url, VAULT, at=NOW + DAY, without_unlinks=True)
    assert (report.taken_at, report.kept_as) == (None, "")
    storage = await Storage.attach(url, VAULT)
    assert await storage.restores.find() == Restored(taken_at=None, began_at=NOW + DAY)
    monkeypatch.setattr(ownership, "PATIENCE_SECONDS", 0.1)
    async with owned(storage.database):
        with pytest.raises(DatabaseLocked, match=Setup.BOT_RUNS):
            await restore_in_place(url, VAULT, at=NOW, without_unlinks=True)
    await storage.close()


async def test_a_file_that_was_copied_by_hand_is_settled_in_place(place: Place) -> None:
    place.database.write_bytes(place.copy.read_bytes())
    report = await restore_in_place(place.url, VAULT, at=NOW + 3 * DAY)
    assert (report.unlinked, report.taken_at) == (1, NOW + DAY)
    assert place.people() == {13}
