"""What we ask of Patreon's API v1: the same questions as requests_v2, as far as v1 can answer them. Pure.

Public source: the v1 pages of https://github.com/Patreon/platform-documentation
"""

from urllib.parse import quote

from bot.domain.errors import PatreonCall
from bot.domain.model import CampaignId
from bot.patreon.protocol.exchange import Request, page_at

BASE = "/api/oauth2/api"
# No maximum is documented; discourse-patreon reads 100 in production. Smaller ones where that fails: `sizes.py`.
PAGE_SIZES = (100, 50, 20, 10)

PLEDGE_FIELDS = "amount_cents,created_at,currency,declined_since,total_historical_amount_cents,status"
USER_FIELDS = "full_name,social_connections"
REWARD_FIELDS = "title,amount_cents,published,discord_role_ids"


def identity_request() -> Request:
    """Ask who the token's owner is, with their pledges and what says whose campaigns these are for."""
    return Request(
        call=PatreonCall.IDENTITY,
        path=f"{BASE}/current_user",
        query=(
            ("include", "pledges.reward.campaign.null,pledges.creator.campaign.null"),
            ("fields[user]", USER_FIELDS),
            ("fields[pledge]", PLEDGE_FIELDS),
            ("fields[reward]", REWARD_FIELDS),
        ),
    )


def campaigns_request(cursor: str | None) -> Request:
    """Ask for the creator's campaigns with their rewards."""
    return Request(
        call=PatreonCall.CAMPAIGNS,
        path=f"{BASE}/current_user/campaigns",
        query=(
            ("include", "rewards.null,creator.null"),
            ("fields[campaign]", "creation_name"),
            ("fields[reward]", REWARD_FIELDS),
            ("fields[user]", "full_name"),
            *page_at(cursor),
        ),
    )


def page_request(campaign_id: CampaignId, cursor: str | None, *, rows: int = PAGE_SIZES[0]) -> Request:
    """Ask for one page of a campaign's pledges, from scratch each time: `links.next` drops what we ask for."""
    query = (
        ("include", "patron.null,reward.null"),
        ("fields[pledge]", PLEDGE_FIELDS),
        ("fields[user]", USER_FIELDS),
        ("fields[reward]", REWARD_FIELDS),
        ("sort", "created"),
        ("page[count]", str(rows)),
        *page_at(cursor),
    )
    path = f"{BASE}/campaigns/{quote(campaign_id, safe='')}/pledges"
    return Request(call=PatreonCall.MEMBERS, about=campaign_id, path=path, query=query)
