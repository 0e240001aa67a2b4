"""What is kept in memory is never older than the last write."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import GuildId
from bot.storage import Storage, kept
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.kept import Kept
from bot.storage.vault import Vault


@pytest.fixture
def url(sqlite_url: str) -> str:
    """Where one process owns the database; elsewhere nothing is kept."""
    return sqlite_url


class Shelves(Aggregate):
    """An aggregate that only writes."""

    @transaction
    async def write(self, _connection: AsyncConnection, shelf: "Shelf", value: str | None) -> None:
        if value is None:
            raise RuntimeError
        shelf.value = value


@pytest.fixture
def shelves(storage: Storage) -> Shelves:
    return Shelves(storage.database)


@pytest.fixture
def values(shelves: Shelves) -> Kept:
    return shelves.kept


class Shelf:
    """Counts how often it is looked at, and may be slow."""

    def __init__(self) -> None:
        self.value = "first"
        self.looks = 0
        self.is_free = asyncio.Event()
        self.is_free.set()

    async def load(self) -> str:
        self.looks += 1
        value = self.value
        await self.is_free.wait()
        return value


async def test_what_was_read_is_not_read_again(values: Kept) -> None:
    shelf = Shelf()
    assert [await values.get("key", shelf.load), await values.get("key", shelf.load)] == ["first", "first"]
    assert shelf.looks == 1


async def test_what_was_read_is_found_under_its_other_names(values: Kept) -> None:
    shelf = Shelf()
    await values.get("key", shelf.load, also=lambda value: [f"{value} again"])
    assert await values.get("first again", shelf.load) == "first"
    assert shelf.looks == 1


async def test_that_nothing_is_there_is_kept_too(values: Kept) -> None:
    looks = 0

    async def load() -> None:
        nonlocal looks
        looks += 1

    await values.get("key", load)
    await values.get("key", load)
    assert looks == 1


async def test_after_a_write_it_is_read_again(values: Kept, shelves: Shelves) -> None:
    shelf = Shelf()
    await values.get("key", shelf.load)
    await shelves.write(shelf, "second")
    assert await values.get("key", shelf.load) == "second"


async def test_after_a_write_that_failed_it_is_read_again(values: Kept, shelves: Shelves) -> None:
    shelf = Shelf()
    await values.get("key", shelf.load)
    with pytest.raises(RuntimeError):
        await shelves.write(shelf, None)
    await values.get("key", shelf.load)
    assert shelf.looks == 2


async def test_what_was_read_while_a_write_ended_is_not_kept(values: Kept, shelves: Shelves) -> None:
    shelf = Shelf()
    shelf.is_free.clear()
    reading = asyncio.create_task(values.get("key", shelf.load))
    while not shelf.looks:
        await asyncio.sleep(0)
    await shelves.write(shelf, "second")
    shelf.is_free.set()
    assert await reading == "first"
    assert await values.get("key", shelf.load) == "second"


async def test_not_everybody_ever_asked_for_is_kept(values: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MAX_KEPT", 3)
    for number in range(10):
        await values.get(number, Shelf().load)
    assert len(values._values) <= 3


async def test_where_others_write_too_nothing_is_kept(postgresql_url: str, vault: Vault) -> None:
    storage = await Storage.open(postgresql_url, vault)
    other = await Storage.attach(postgresql_url, vault)
    guild = GuildId(900)
    for days in (1, 2):
        await other.guilds.change(guild, grace_days=days)
        assert (await storage.guilds.settings(guild)).grace_days == days
    await storage.close()
    await other.close()


async def test_where_others_write_too_some_things_may_be_seconds_old(
    postgresql_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = await Storage.open(postgresql_url, vault)
    shelves, shelf = Shelves(storage.database), Shelf()
    for _ in range(2):
        assert await shelves.kept.get_lately("key", shelf.load) == "first"
    assert shelf.looks == 1
    await shelves.write(shelf, "second")
    assert await shelves.kept.get_lately("key", shelf.load) == "second", "one's own writes are known at once"
    monkeypatch.setattr(kept, "LATELY_SECONDS", 0.0)
    shelf.value = "another's"
    assert await shelves.kept.get_lately("key", shelf.load) == "another's"
    monkeypatch.undo()
    shelf.is_free.clear()
    shelves.kept.forget()
    reading = asyncio.create_task(shelves.kept.get_lately("key", shelf.load))
    while shelf.looks < 4:
        await asyncio.sleep(0)
    await shelves.write(shelf, "written meanwhile")
    shelf.is_free.set()
    assert await reading == "another's"
    assert await shelves.kept.get_lately("key", shelf.load) == "written meanwhile"
    await storage.close()


async def test_where_nobody_else_writes_they_are_not(values: Kept, shelves: Shelves) -> None:
    shelf = Shelf()
    assert [await values.get_lately("key", shelf.load), await values.get_lately("key", shelf.load)] == ["first"] * 2
    await shelves.write(shelf, "second")
    assert await values.get_lately("key", shelf.load) == "second"
    assert shelf.looks == 2
