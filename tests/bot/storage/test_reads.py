import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.model import Campaign, CampaignId, PageSize, ReadId, Source
from bot.storage import Storage
from bot.storage.reads import Listing, Read
from bot.storage.tables import reads

CAMPAIGN = CampaignId("700")
HOUR = timedelta(hours=1)


async def finished(storage: Storage, at: datetime, *, is_believed: bool, is_attributed: bool = True) -> ReadId:
    read_id = await storage.reads.start(CAMPAIGN, at)
    await storage.reads.finish(
        read_id, at=at, is_complete=is_believed, is_believed=is_believed, is_attributed=is_attributed
    )
    return read_id


async def test_a_read_comes_back_with_its_verdict(storage: Storage, now: datetime) -> None:
    read_id = await storage.reads.start(CAMPAIGN, now, Source.IDENTITY)
    await storage.reads.finish(
        read_id,
        at=now + HOUR,
        is_complete=True,
        is_believed=False,
        is_attributed=True,
        anomalies=("nobody",),
        summary={"paying": 3},
    )
    expected = Read(
        read_id=read_id,
        campaign_id=CAMPAIGN,
        kind=Source.IDENTITY,
        started_at=now,
        finished_at=now + HOUR,
        is_complete=True,
        is_attributed=True,
        anomalies=("nobody",),
        summary={"paying": 3},
    )
    assert await storage.reads.since_believed(CAMPAIGN) == (expected,)


async def test_what_the_lists_prove_is_told_of_several_campaigns_at_once(storage: Storage, now: datetime) -> None:
    other = CampaignId("701")
    for campaign_id in (CAMPAIGN, other):
        await storage.campaigns.save(Campaign(campaign_id=campaign_id, name=campaign_id))
    assert await storage.reads.listings([CAMPAIGN, other]) == {}
    await finished(storage, now, is_believed=True)
    assert await storage.reads.listings([CAMPAIGN, other]) == {CAMPAIGN: Listing(believed_at=now, proven_at=now)}
    await finished(storage, now + HOUR, is_believed=True, is_attributed=False)
    await finished(storage, now + 2 * HOUR, is_believed=False)
    await storage.reads.start(CAMPAIGN, now + 3 * HOUR)
    expected = Listing(believed_at=now + HOUR, proven_at=now)
    assert await storage.reads.listings([CAMPAIGN, other]) == {CAMPAIGN: expected}
    await storage.reads.purge(now + 9 * HOUR)
    assert await storage.reads.listings([CAMPAIGN]) == {CAMPAIGN: expected}
    await storage.reads.forget_campaign(CAMPAIGN)
    assert await storage.reads.listings([CAMPAIGN]) == {}


async def test_a_page_size_is_kept_replaced_and_forgotten(storage: Storage, now: datetime) -> None:
    assert await storage.reads.page_size(CAMPAIGN) is None
    for size in (PageSize(rows=200, blamed_at=now), PageSize(rows=100, blamed_at=now + HOUR), None):
        await storage.reads.save_page_size(CAMPAIGN, size)
        assert await storage.reads.page_size(CAMPAIGN) == size
    await storage.reads.save_page_size(CAMPAIGN, PageSize(rows=200, blamed_at=now))
    await storage.reads.forget_campaign(CAMPAIGN)
    assert await storage.reads.page_size(CAMPAIGN) is None


async def test_reads_after_the_last_believed_one_come_in_order(storage: Storage, now: datetime) -> None:
    await finished(storage, now, is_believed=True)
    believed = await finished(storage, now, is_believed=True)
    later = [await finished(storage, now, is_believed=False) for _ in range(3)]
    last = await storage.reads.last_believed(CAMPAIGN)
    assert last is not None
    assert last.read_id == believed
    assert [read.read_id for read in await storage.reads.since_believed(CAMPAIGN)] == later


async def test_a_read_that_a_crash_ended_counts_for_nothing(storage: Storage, now: datetime) -> None:
    await storage.reads.start(CAMPAIGN, now)
    assert await storage.reads.last_believed(CAMPAIGN) is None
    assert await storage.reads.since_believed(CAMPAIGN) == ()


async def test_a_read_can_be_believed_after_all(storage: Storage, now: datetime) -> None:
    read_id = await finished(storage, now, is_believed=False)
    await storage.reads.believe(read_id)
    last = await storage.reads.last_believed(CAMPAIGN)
    assert last is not None
    assert last.read_id == read_id


async def test_a_purge_keeps_the_last_believed_read(storage: Storage, now: datetime) -> None:
    old = [await finished(storage, now - HOUR, is_believed=True) for _ in range(2)]
    young = await finished(storage, now, is_believed=False)
    await storage.reads.purge(now)
    last = await storage.reads.last_believed(CAMPAIGN)
    assert last is not None
    assert last.read_id == old[1]
    assert [read.read_id for read in await storage.reads.since_believed(CAMPAIGN)] == [young]
    await finished(storage, now, is_believed=True)
    await storage.reads.purge(now)
    assert (await storage.reads.last_believed(CAMPAIGN)) != last


async def test_the_read_that_brought_a_reading_is_found_by_its_time(storage: Storage, now: datetime) -> None:
    assert await storage.reads.find_begun(CAMPAIGN, now) is None
    first = await storage.reads.start(CAMPAIGN, now)
    second = await storage.reads.start(CAMPAIGN, now + HOUR)
    assert await storage.reads.find_begun(CAMPAIGN, now) == first
    assert await storage.reads.find_begun(CAMPAIGN, now + HOUR) == second
    assert await storage.reads.find_begun(CampaignId("701"), now) is None


# --- reads that say the same

TWIN = CampaignId("701")
MINUTE = timedelta(minutes=1)


async def rows_of(storage: Storage, campaign_id: CampaignId) -> list[Any]:
    async with storage.database.read() as connection:
        query = select(reads).where(reads.c.campaign_id == campaign_id).order_by(reads.c.read_id)
        return list((await connection.execute(query)).all())


async def row_for(storage: Storage, read_id: ReadId) -> Any:
    """Find the row that stands for a read, as it is written in the module."""
    *_, found = [
        row for row in await rows_of(storage, CAMPAIGN) if (row.first_read_id or row.read_id) <= read_id <= row.read_id
    ]
    return found


async def like(storage: Storage, at: datetime, *, continues: ReadId | None) -> ReadId:
    read_id = await storage.reads.start(CAMPAIGN, at)
    await storage.reads.finish(
        read_id, at=at, is_complete=True, is_believed=True, is_attributed=True, continues=continues
    )
    return read_id


async def test_reads_that_say_the_same_are_one_row_which_stands_for_all(storage: Storage, now: datetime) -> None:
    read_ids: list[ReadId] = []
    for number in range(5):
        continues = read_ids[-1] if read_ids else None
        read_ids.append(await like(storage, now + number * HOUR, continues=continues))
        await storage.reads.purge(now - 24 * HOUR)
    (row,) = await rows_of(storage, CAMPAIGN)
    assert (row.first_read_id, row.read_id) == (read_ids[0], read_ids[-1])
    assert (row.first_started_at, row.started_at) == (now, now + 4 * HOUR)
    for read_id in read_ids:
        assert await row_for(storage, read_id) == row
    assert await storage.reads.find_begun(CAMPAIGN, now + 2 * HOUR) == read_ids[-1]
    assert await storage.reads.find_begun(CAMPAIGN, now - HOUR) is None


async def test_a_read_that_began_between_two_that_say_the_same_keeps_its_row(storage: Storage, now: datetime) -> None:
    first = await like(storage, now, continues=None)
    cut = await storage.reads.start(CAMPAIGN, now + HOUR)
    last = await like(storage, now + 2 * HOUR, continues=first)
    await storage.reads.purge(now - 24 * HOUR)
    assert [(row.first_read_id, row.read_id) for row in await rows_of(storage, CAMPAIGN)] == [
        (None, first),
        (None, cut),
        (None, last),
    ]


async def test_another_campaign_s_reads_come_between_nothing_and_are_kept(storage: Storage, now: datetime) -> None:
    first = await like(storage, now, continues=None)
    other = await storage.reads.start(TWIN, now)
    await storage.reads.finish(other, at=now, is_complete=True, is_believed=True, is_attributed=True)
    last = await like(storage, now + HOUR, continues=first)
    await storage.reads.purge(now - 24 * HOUR)
    assert [(row.first_read_id, row.read_id) for row in await rows_of(storage, CAMPAIGN)] == [(first, last)]
    assert [row.read_id for row in await rows_of(storage, TWIN)] == [other]


class Twins:
    """The same reads of two campaigns: of one a row stands for all that say the same, of the other each has its own."""

    def __init__(self, storage: Storage, at: datetime) -> None:
        self.storage = storage
        self.began = self.at = at
        self.read_ids: list[tuple[ReadId, ReadId]] = []  # of each read: the merged campaign's, the other's
        self.doubted: list[int] = []

    async def read(self, *, says: int, is_believed: bool = True, is_attributed: bool = True) -> None:
        self.at += MINUTE
        merged, whole = [await self.storage.reads.start(one, self.at) for one in (CAMPAIGN, TWIN)]
        last = await self.storage.reads.last_believed(CAMPAIGN)
        is_next = last is not None and not await self.storage.reads.since_believed(CAMPAIGN)
        is_like = last is not None and (last.summary, last.is_attributed) == ({"paying": says}, is_attributed)
        for read_id, may_continue in ((merged, is_believed and is_next and is_like), (whole, False)):
            await self.storage.reads.finish(
                read_id,
                at=self.at + MINUTE / 2,
                is_complete=True,
                is_believed=is_believed,
                is_attributed=is_attributed,
                anomalies=() if is_believed else ("fewer_paying",),
                summary={"paying": says},
                continues=last.read_id if may_continue and last is not None else None,
            )
        if not is_believed:
            self.doubted.append(len(self.read_ids))
        self.read_ids.append((merged, whole))

    async def cut(self) -> None:
        self.at += MINUTE
        merged, whole = [await self.storage.reads.start(one, self.at) for one in (CAMPAIGN, TWIN)]
        self.read_ids.append((merged, whole))

    async def believe(self) -> None:
        if self.doubted:
            for read_id in self.read_ids[self.doubted.pop()]:
                await self.storage.reads.believe(read_id)

    async def compare(self) -> None:
        both = CAMPAIGN, TWIN
        listings = await self.storage.reads.listings(both)
        assert listings.get(CAMPAIGN) == listings.get(TWIN)
        starts = await self.storage.reads.newest_starts(both)
        assert starts[CAMPAIGN] == starts[TWIN]
        believed = [self.shown(await self.storage.reads.last_believed(one)) for one in both]
        assert believed[0] == believed[1]
        since = [[self.shown(one) for one in await self.storage.reads.since_believed(of)] for of in both]
        assert since[0] == since[1]

    def shown(self, read: Read | None) -> object:
        numbers = {read_id: number for number, pair in enumerate(self.read_ids) for read_id in pair}
        if read is None:
            return None
        return numbers[read.read_id], read.started_at, read.finished_at, read.is_attributed, read.summary

    async def look_up(self) -> None:
        """Find each read by its number, and by its time."""
        for number, (merged, whole) in enumerate(self.read_ids):
            row = await row_for(self.storage, merged)
            began = self.began + (number + 1) * MINUTE
            assert (row.first_started_at or row.started_at) <= began <= row.started_at
            assert await self.storage.reads.find_begun(CAMPAIGN, began) == row.read_id
            assert await self.storage.reads.find_begun(TWIN, began) == whole


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_believed_is_the_same_whether_or_not_reads_share_a_row(
    storage: Storage, now: datetime, seed: int
) -> None:
    for campaign_id in (CAMPAIGN, TWIN):
        await storage.campaigns.save(Campaign(campaign_id=campaign_id, name=campaign_id))
    chance, twins = random.Random(seed), Twins(storage, now)
    acts: list[Callable[[], Awaitable[None]]] = [
        *[lambda: twins.read(says=1)] * 8,
        *[lambda: twins.read(says=chance.randint(1, 2), is_attributed=chance.random() < 0.7)] * 3,
        lambda: twins.read(says=1, is_believed=False),
        twins.cut,
        twins.believe,
        lambda: storage.reads.purge(now - 24 * HOUR),
    ]
    for _ in range(40):
        await chance.choice(acts)()
        if twins.read_ids:
            await twins.compare()
    await twins.look_up()
    await storage.reads.purge(now - 24 * HOUR)
    await twins.compare()
    await twins.look_up()
    assert len(await rows_of(storage, CAMPAIGN)) < len(await rows_of(storage, TWIN)) == len(twins.read_ids)
    await storage.reads.purge(twins.at + HOUR)
    await twins.compare()
