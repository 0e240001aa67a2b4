"""What we ask of Patreon's API v2, where nothing but type and id comes unless asked for. Pure.

Public source: https://docs.patreon.com/#apiv2-oauth
"""

from urllib.parse import quote

from bot.domain.errors import PatreonCall
from bot.domain.model import CampaignId, MembershipId
from bot.patreon.protocol.exchange import Request, page_at

BASE = "/api/oauth2/v2"
# The most that Patreon gives without pledge_history (Patreon docs, campaigns/{id}/members); then those that are tried
# where that fails: `sizes.py`.
PAGE_SIZES = (1000, 500, 200, 100)

MEMBER_FIELDS = (
    "full_name,patron_status,last_charge_status,last_charge_date,next_charge_date,currently_entitled_amount_cents,"
    "will_pay_amount_cents,campaign_lifetime_support_cents,pledge_relationship_start,pledge_cadence,is_gifted,"
    "is_free_trial"
)
TIER_FIELDS = "title,amount_cents,published,discord_role_ids"


def identity_request() -> Request:
    """Ask who the token's owner is. The dotted includes are needed: without them a member names no campaign."""
    return Request(
        call=PatreonCall.IDENTITY,
        path=f"{BASE}/identity",
        query=(
            ("include", "memberships.campaign,memberships.currently_entitled_tiers"),
            ("fields[user]", "full_name,social_connections"),
            ("fields[member]", MEMBER_FIELDS),
            ("fields[tier]", TIER_FIELDS),
        ),
    )


def campaigns_request(cursor: str | None) -> Request:
    """Ask for the creator's campaigns with their tiers."""
    return Request(
        call=PatreonCall.CAMPAIGNS,
        path=f"{BASE}/campaigns",
        query=(
            ("include", "tiers,creator"),
            ("fields[campaign]", "name,vanity,creation_name,currency"),
            ("fields[tier]", TIER_FIELDS),
            *page_at(cursor),
        ),
    )


def page_request(campaign_id: CampaignId, cursor: str | None, *, rows: int = PAGE_SIZES[0]) -> Request:
    """Ask for one page of a campaign's members."""
    query = (
        ("include", "currently_entitled_tiers,user"),
        ("fields[member]", MEMBER_FIELDS),
        ("fields[user]", "social_connections"),
        ("fields[tier]", TIER_FIELDS),
        ("page[count]", str(rows)),
        *page_at(cursor),
    )
    path = f"{BASE}/campaigns/{quote(campaign_id, safe='')}/members"
    return Request(call=PatreonCall.MEMBERS, about=campaign_id, path=path, query=query)


def member_request(membership_id: MembershipId) -> Request:
    """Ask for one member again."""
    return Request(
        call=PatreonCall.MEMBER,
        about=membership_id,
        path=f"{BASE}/members/{quote(membership_id, safe='')}",
        query=(
            ("include", "campaign,currently_entitled_tiers,user"),
            ("fields[member]", MEMBER_FIELDS),
            ("fields[user]", "social_connections"),
        ),
    )
