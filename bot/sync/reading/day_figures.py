"""Keeps a campaign's figures of the day up to date, from whole reads that prove who pays and who doesn't."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.figures import count_day
from bot.domain.listed_row import ListedRow
from bot.domain.model import CampaignId
from bot.storage import Storage


async def keep_figures(
    storage: Storage, campaign_id: CampaignId, read_at: datetime, payers: Sequence[ListedRow]
) -> None:
    """Store what a read counted, where that is not what is stored for its day."""
    linked = await storage.links.linked_in(campaign_id)
    known = await storage.figures.newest(campaign_id)
    if known and known[0].day > read_at.date():
        return  # a clock was set back
    before = next((one for one in known if one.day < read_at.date()), None)
    counted = count_day(campaign_id, read_at, payers, linked=linked, before=before)
    if not counted.says_the_same(known[0] if known else None):
        await storage.figures.save(counted)
