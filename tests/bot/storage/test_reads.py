from datetime import datetime, timedelta

from bot.domain.model import Campaign, CampaignId, PageSize, ReadId, Source
from bot.storage import Storage
from bot.storage.reads import Listing, Read

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
