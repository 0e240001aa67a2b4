"""Who speaks for which shards: shares, leases that end, what is left over, and what sleep and a lost database do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from bot.discord import tenure
from bot.discord.tenure import NoShard, ShardClaims, Tenure
from bot.domain.errors import NeedsOwner, Setup
from bot.domain.shards import Shards
from bot.storage import Storage
from bot.storage.shards import WHOLE_DATABASE
from bot.storage.vault import Vault, new_key
from tests.fakes.postgres import Postgres

COUNT = 4
LONG, SHORT = timedelta(minutes=5), timedelta(seconds=2)
PATIENCE = 40.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenure, "PERIOD", LONG)
    monkeypatch.setattr(tenure, "GIVEN_BACK_FOR", LONG)
    monkeypatch.setattr(tenure, "LAPSED_FOR", timedelta(seconds=0.5))
    monkeypatch.setattr(tenure, "MARGIN_SECONDS", 0.1)
    monkeypatch.setattr(tenure, "RENEWED_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(tenure, "SETTLED_SECONDS", 0.1)
    monkeypatch.setattr(tenure, "PAUSE_SECONDS", 0.02)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what nobody renews end soon."""
    monkeypatch.setattr(tenure, "PERIOD", SHORT)


class Town:
    """Processes that share the shards of a database."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.gateways = 2

    async def count_gateways(self) -> int:
        return self.gateways

    def process(self, name: str, *wanted: int) -> ShardClaims:
        return ShardClaims(
            self.storage.shards, owner=name, live_gateways=self.count_gateways, wanted=tuple(wanted) or None
        )

    async def serve(self, name: str, *wanted: int) -> tuple[ShardClaims, Tenure]:
        process = self.process(name, *wanted)
        found = await process.claim(COUNT)
        assert isinstance(found, Tenure), found
        return process, found


@pytest.fixture
async def town(postgres: Postgres, emptied: str) -> AsyncIterator[Town]:
    storage = await Storage.open(postgres.url(emptied), Vault((new_key(),)))
    await storage.shards.settle(COUNT)
    yield Town(storage)
    await storage.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.02)


def test_one_that_ended_does_not_begin_again() -> None:
    ours = Tenure(Shards((0,), 1))
    assert ours.is_certain, "where there is no other process, for ever"
    ours.end()
    assert not ours.is_certain
    ours.extend(1e9)
    assert not ours.is_certain


async def test_each_takes_its_share_and_the_next_one_waits(town: Town) -> None:
    _, first = await town.serve("one")
    _, second = await town.serve("two")
    assert (first.shards, second.shards) == (Shards((0, 1), COUNT), Shards((2, 3), COUNT))
    assert await town.process("three").claim(COUNT) is NoShard.NONE_FREE


async def test_one_alone_takes_them_all(town: Town) -> None:
    town.gateways = 1
    _, ours = await town.serve("one")
    assert ours.shards.are_all


async def test_whoever_finds_more_free_than_its_share_waits_for_who_may_be_dead(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "SETTLED_SECONDS", 2 * PATIENCE)
    claiming = asyncio.create_task(town.process("one").claim(COUNT))
    while len(await town.storage.shards.list_free(range(COUNT))) == COUNT:
        await asyncio.sleep(0.01)
    town.gateways = 1
    ours = await asyncio.wait_for(claiming, PATIENCE)
    assert isinstance(ours, Tenure)
    assert ours.shards.are_all
    assert len(ours.leases) == COUNT


async def test_those_that_it_was_told_to_take_and_no_other(town: Town) -> None:
    process, ours = await town.serve("one", 1, 3)
    assert ours.shards.ids == (1, 3)
    keeping = asyncio.create_task(process.keep(ours))
    await asyncio.sleep(2 * SHORT.total_seconds())
    assert not keeping.done(), "what else is free is not for it"
    keeping.cancel()
    assert await town.process("two", 1, 3).claim(COUNT) is NoShard.NONE_FREE


async def test_such_as_there_are_not_are_refused(town: Town) -> None:
    with pytest.raises(NeedsOwner, match=Setup.SHARDS_UNKNOWN):
        await town.process("one", 2, 4).claim(COUNT)


async def test_beside_an_older_version_it_waits(town: Town) -> None:
    older = await town.storage.leases.claim(WHOLE_DATABASE, "older", LONG)
    assert older is not None
    assert await town.process("one").claim(COUNT) is NoShard.DATABASE_IN_USE
    await town.storage.leases.release(older)
    await town.serve("one")


@pytest.mark.usefixtures("short")
async def test_it_ends_by_itself_before_anybody_tells(town: Town) -> None:
    town.gateways = 1
    process, ours = await town.serve("one")
    assert ours.is_certain
    await asyncio.sleep(SHORT.total_seconds())
    assert not ours.is_certain
    assert await town.storage.shards.list_free(range(COUNT)) == tuple(range(COUNT))
    keeping = asyncio.create_task(process.keep(ours))
    await until(lambda: ours.is_certain)  # nobody took any meanwhile: it goes on
    keeping.cancel()


@pytest.mark.usefixtures("short")
async def test_one_of_whose_shards_was_taken_learns_of_it(town: Town) -> None:
    town.gateways = 1
    process, ours = await town.serve("one")
    await asyncio.sleep(SHORT.total_seconds())
    await town.serve("two", 2)
    assert await asyncio.wait_for(process.keep(ours), PATIENCE) is None
    assert not ours.is_certain
    await process.release(ours)
    assert await town.storage.shards.list_free(range(COUNT)) == (0, 1, 3)


async def test_whose_lease_lapsed_is_soon_followed_by_one_that_serves(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(tenure, "PERIOD", SHORT)
        dead, theirs = await town.serve("two")
    process, ours = await town.serve("one")
    wider = await asyncio.wait_for(process.keep(ours), PATIENCE)
    assert wider is not None
    assert len(wider.shards.ids) == 3, "one more than its share"
    town.gateways = 1
    widest = await asyncio.wait_for(process.keep(wider), PATIENCE)
    assert widest is not None
    assert widest.shards.are_all
    assert set(widest.leases) > set(wider.leases) > set(ours.leases)
    assert not theirs.is_certain
    assert await dead.keep(theirs) is None


async def test_what_was_given_back_just_now_is_left_to_who_is_started_anew(town: Town) -> None:
    leaving, theirs = await town.serve("two")
    process, ours = await town.serve("one")
    keeping = asyncio.create_task(process.keep(ours))
    await leaving.release(theirs)
    await asyncio.sleep(2 * tenure.LAPSED_FOR.total_seconds())
    assert not keeping.done()
    _, next_ones = await town.serve("three")
    assert next_ones.shards == theirs.shards
    keeping.cancel()


async def test_what_was_given_back_a_while_ago_is_taken_by_one_that_serves(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "GIVEN_BACK_FOR", SHORT)
    leaving, theirs = await town.serve("two")
    process, ours = await town.serve("one")
    await leaving.release(theirs)
    wider = await asyncio.wait_for(process.keep(ours), PATIENCE)
    assert wider is not None
    assert len(wider.shards.ids) == 3


@pytest.mark.usefixtures("short")
async def test_while_the_database_is_away_it_stays_ours(town: Town, postgres: Postgres) -> None:
    town.gateways = 1
    process, ours = await town.serve("one")
    keeping = asyncio.create_task(process.keep(ours))
    await asyncio.sleep(0.2)
    postgres.stop()
    await asyncio.sleep(SHORT.total_seconds())
    assert not ours.is_certain
    postgres.start()
    await until(lambda: ours.is_certain)
    assert not keeping.done()
    keeping.cancel()
    postgres.stop()
    await process.release(ours)
    postgres.start()
