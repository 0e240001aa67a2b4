"""A database moves whole, either way: every row, every next number, also after a break."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from bot.domain.errors import DatabaseLocked, NeedsOwner, Setup
from bot.ops import ownership
from bot.ops.move import move_database
from bot.ops.ownership import owned
from bot.runtime.chores import ChoreKind
from bot.storage import Storage, copying, postgresql
from bot.storage.chores import QueuedChores, count_chores
from bot.storage.database import Database
from bot.storage.tables import notices
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import ADA, GUILD, NOW, ROLE, campaign_of, populate, rule_of
from tests.fakes.postgres import Postgres

VAULT = Vault((new_key(),))


@dataclass
class Places:
    """An old database with rows, and the address of a new one."""

    old: str
    new: str


@pytest.fixture(params=["to postgresql", "to sqlite"])
async def places(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres, emptied: str) -> Places:
    file, server = f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}", postgres.url(emptied)
    places = Places(file, server) if request.param == "to postgresql" else Places(server, file)
    storage = await Storage.open(places.old, VAULT)
    known = await populate(storage)
    await storage.rules.remove(GUILD, known.rule)  # its number must never be given again
    await storage.leases.release(known.lease)
    await storage.shards.release([known.shard])
    await storage.processes.leave("one")
    many = [{"key": str(number), "told_at": NOW + timedelta(seconds=number), "text": "ä"} for number in range(1200)]
    async with storage.database.write() as connection:
        await connection.execute(insert(notices), many)
    await storage.close()
    return places


async def test_everything_is_there_and_no_number_is_given_twice(places: Places) -> None:
    told: list[tuple[int, int]] = []
    rows = await move_database(places.old, places.new, lambda done, total: told.append((done, total)))
    assert rows > 1200
    assert told[-1] == (rows, rows)
    assert await contents(places.old) == await contents(places.new)
    storage = await Storage.open(places.new, VAULT)
    link = await storage.links.find_discord(ADA)
    assert link is not None
    pair = await storage.credentials.find_user(link.patreon_user_id)
    assert pair is not None
    assert pair.pair.access_token.reveal() == "access-ada"
    assert (await storage.rules.add(rule_of(ROLE), created_by=ADA, at=NOW)).rule_id == 2
    await storage.close()


async def test_what_processes_ask_of_one_another_stays_behind(postgres: Postgres, emptied: str) -> None:
    new = postgres.create()
    old, target = postgres.url(emptied), postgres.url(new)
    storage = await Storage.open(old, VAULT)
    chores = QueuedChores(storage.database, storage.leases, old, {}, owner="me")
    await chores.ask(ChoreKind.FIRST_READ, "700")
    await chores.close()
    assert await count_chores(storage.database)
    await storage.close()
    await move_database(old, target, lambda *_: None)
    database = await Database.attach(target)
    assert await count_chores(database) == ()
    await database.close()
    postgres.drop(new)


async def test_a_move_that_broke_off_goes_on(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(done: int, _total: int) -> None:
        if done > 700:
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError):
        await move_database(places.old, places.new, broken)
    await move_database(places.old, places.new, lambda *_: None)
    assert await contents(places.old) == await contents(places.new)


async def test_a_move_goes_on_though_the_old_one_has_changed_since_it_broke_off(places: Places) -> None:
    await break_off(places)
    storage = await Storage.open(places.old, VAULT)
    await storage.campaigns.save(campaign_of("A new name", "t-gold", "t-silver"))
    await storage.close()
    await move_database(places.old, places.new, lambda *_: None)
    assert await contents(places.old) == await contents(places.new)


async def test_no_bot_works_on_a_copy_that_broke_off_and_nothing_is_copied_from_it(places: Places) -> None:
    await break_off(places)
    storage = await Storage.open(places.new, VAULT)
    with pytest.raises(NeedsOwner, match=Setup.COPY_UNFINISHED):
        await storage.require_settled()
    await storage.close()
    with pytest.raises(NeedsOwner, match=Setup.COPY_UNFINISHED):
        await move_database(places.new, places.old, lambda *_: None)
    await move_database(places.old, places.new, lambda *_: None)
    storage = await Storage.attach(places.new, VAULT)
    await storage.require_settled()
    await storage.close()


async def break_off(places: Places) -> None:
    """Copy until after the last row, and no further."""

    def broken(done: int, total: int) -> None:
        if done == total:
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError):
        await move_database(places.old, places.new, broken)


async def test_a_database_is_not_copied_to_itself_by_whatever_address(
    postgres: Postgres, emptied: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    server = postgres.url(emptied)
    for one, same in (
        (f"sqlite+aiosqlite:///{folder}/x.db", f"sqlite+aiosqlite:///{folder}/../data/x.db"),
        (server, f"{server}&application_name=copy"),
    ):
        await (await Storage.open(one, VAULT)).close()
        with pytest.raises(NeedsOwner, match=Setup.MOVED_TO_ITSELF):
            await move_database(one, same, lambda *_: None)


@pytest.mark.parametrize("target", ["sqlite+aiosqlite:////proc/x/new.db", "postgresql://nobody@127.0.0.1:9/new"])
async def test_what_is_wrong_with_the_new_one_is_said_of_the_new_one(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 1)
    old = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
    await (await Storage.open(old, VAULT)).close()
    with pytest.raises(NeedsOwner, match=Setup.TARGET_UNUSABLE):
        await move_database(old, target, lambda *_: None)


async def test_a_new_one_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    old, new = (f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("old", "new"))
    await (await Storage.open(old, VAULT)).close()
    using = await Storage.open(new, VAULT)
    with pytest.raises(DatabaseLocked, match=Setup.TARGET_LOCKED):
        await move_database(old, new, lambda *_: None)
    await using.close()


async def test_a_database_that_is_not_empty_is_left_alone(places: Places) -> None:
    storage = await Storage.open(places.new, VAULT)
    await storage.notices.note("mine", NOW)
    await storage.close()
    with pytest.raises(NeedsOwner, match=Setup.TARGET_NOT_EMPTY):
        await move_database(places.old, places.new, lambda *_: None)


async def test_a_database_at_work_is_not_copied(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PATIENCE_SECONDS", 0.1)
    database = await Database.open(places.old)
    async with owned(database):
        with pytest.raises(DatabaseLocked, match=Setup.BOT_RUNS):
            await move_database(places.old, places.new, lambda *_: None)
    await database.close()


async def test_a_row_that_came_out_otherwise_is_noticed(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = copying.finish

    async def spoil(source: Database, target: Database) -> tuple[str, ...]:
        async with target.write() as connection:
            await connection.execute(text("UPDATE grants SET state = 'held'"))
        return await finish(source, target)

    monkeypatch.setattr(copying, "finish", spoil)
    with pytest.raises(NeedsOwner, match="grants"):
        await move_database(places.old, places.new, lambda *_: None)


async def contents(url: str) -> dict[str, copying.Content]:
    database = await Database.attach(url)
    found = {table.name: await copying._look(database, table) for table in copying.TABLES}
    await database.close()
    return found
