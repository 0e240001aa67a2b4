"""What a database holds, all at once: for tests, whose worlds are small."""

from bot.domain.model import CampaignId, MembershipRecord, PatreonUserId
from bot.storage import Storage


async def load_campaign(storage: Storage, campaign_id: CampaignId) -> dict[PatreonUserId, MembershipRecord]:
    """Return everybody in a campaign."""
    pages = [page async for page in storage.memberships.iter_campaign(campaign_id)]
    return {record.patreon_user_id: record for page in pages for record in page}
