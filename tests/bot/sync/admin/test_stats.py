"""A server's figures: of the campaigns that it follows and no others, as far back as they are needed."""

from datetime import timedelta

import pytest

from bot.domain.figures import DayFigures
from bot.domain.model import Campaign, CampaignId, GuildId
from bot.storage import Storage
from bot.sync.admin.stats import FigureBook
from tests.fakes.clock import StoppedClock
from tests.fakes.world import CAMPAIGN, GUILD, NEW_YEAR

DAY = timedelta(days=1)
OTHER, FOREIGN = CampaignId("101"), CampaignId("102")


def figures(days: int, paying: int, campaign_id: CampaignId = CAMPAIGN) -> DayFigures:
    at = NEW_YEAR + days * DAY
    return DayFigures(campaign_id=campaign_id, day=at.date(), read_at=at, paying=paying, linked=1, joined=0, gone=0)


@pytest.fixture
async def book(storage: Storage) -> FigureBook:
    for campaign_id in (CAMPAIGN, OTHER, FOREIGN):
        await storage.campaigns.save(Campaign(campaign_id=campaign_id, name=f"C{campaign_id}"))
    for campaign_id in (CAMPAIGN, OTHER):
        await storage.campaigns.bind(GUILD, campaign_id, credential_id=None, at=NEW_YEAR)
    await storage.figures.save(figures(0, 999, FOREIGN))
    return FigureBook(storage=storage, clock=StoppedClock())


async def test_what_was_never_counted_is_named(storage: Storage, book: FigureBook) -> None:
    assert (await book.look(GUILD, days=30)).stats is None
    await storage.figures.save(figures(0, 5))
    found = await book.look(GUILD, days=30)
    assert ([one.name for one in found.counted], [one.name for one in found.uncounted]) == (["C100"], ["C101"])
    assert found.stats is not None
    assert found.stats.now.paying == 5
    await storage.figures.save(figures(-1, 7, OTHER))
    both = await book.look(GUILD, days=30)
    assert both.stats is not None
    assert (both.stats.now.paying, both.uncounted) == (12, ())


async def test_since_when_it_counts_is_known_of_older_days_than_are_read(storage: Storage, book: FigureBook) -> None:
    for days in (-400, -45, 0):
        await storage.figures.save(figures(days, 100 + days))
    found = (await book.look(GUILD, days=30)).stats
    assert found is not None
    assert found.since == (NEW_YEAR - 400 * DAY).date()
    assert len(found.points) == 31
    assert found.changes[30].paying == 45, "what stood before a gap"
    year = (await book.look(GUILD, days=365)).stats
    assert year is not None
    assert len(year.points) == 366


async def test_a_server_that_follows_nothing_has_no_figures(book: FigureBook) -> None:
    found = await book.look(GuildId(GUILD + 1), days=30)
    assert (found.counted, found.uncounted, found.stats) == ((), (), None)
