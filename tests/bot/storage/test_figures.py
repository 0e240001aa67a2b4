"""One row a day of each campaign."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.domain.figures import DayFigures
from bot.domain.model import Campaign, CampaignId, TierId
from bot.storage import Storage

CAMPAIGN, OTHER = CampaignId("700"), CampaignId("701")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def campaigns(storage: Storage) -> None:
    for campaign_id in (CAMPAIGN, OTHER):
        await storage.campaigns.save(Campaign(campaign_id=campaign_id, name=campaign_id))


def figures(at: datetime, paying: int = 3, campaign_id: CampaignId = CAMPAIGN) -> DayFigures:
    return DayFigures(
        campaign_id=campaign_id,
        day=at.date(),
        read_at=at,
        paying=paying,
        linked=1,
        joined=2,
        gone=0,
        tiers={TierId("t1"): 2},
    )


async def test_a_later_read_of_a_day_replaces_what_was_counted_and_an_older_one_does_not(
    storage: Storage, now: datetime
) -> None:
    first, later = figures(now), figures(now + timedelta(seconds=1), 5)
    for counted in (later, first):
        await storage.figures.save(counted)
    assert await storage.figures.newest(CAMPAIGN) == (later,)


async def test_the_last_two_days_and_all_since_a_day(storage: Storage, now: datetime) -> None:
    days = [figures(now + at * DAY) for at in range(3)]
    for counted in (*days, figures(now, campaign_id=OTHER)):
        await storage.figures.save(counted)
    assert await storage.figures.newest(CAMPAIGN) == (days[2], days[1])
    assert await storage.figures.newest_of([CAMPAIGN, OTHER, CampaignId("702")]) == {
        CAMPAIGN: (days[2], days[1]),
        OTHER: (figures(now, campaign_id=OTHER),),
        CampaignId("702"): (),
    }
    assert await storage.figures.list_since([CAMPAIGN], days[1].day) == (days[1], days[2])
    assert len(await storage.figures.list_since([CAMPAIGN, OTHER], now.date())) == 4
    since = await storage.figures.first_days([CAMPAIGN, CampaignId("702")])
    assert since == {CAMPAIGN: now.date()}


async def test_a_campaign_is_forgotten_and_another_is_not(storage: Storage, now: datetime) -> None:
    unknown = replace(figures(now), joined=None, gone=None)
    await storage.figures.save(figures(now))
    await storage.figures.save(replace(unknown, campaign_id=OTHER))
    await storage.figures.forget_campaign(CAMPAIGN)
    assert await storage.figures.newest(CAMPAIGN) == ()
    assert await storage.figures.newest(OTHER) == (replace(unknown, campaign_id=OTHER),)
