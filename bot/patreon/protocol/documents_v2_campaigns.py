"""How API v2's campaigns and tiers become our model. Pure; the other half of documents_v2.

Public source: https://docs.patreon.com/#apiv2-resources
"""

from collections.abc import Iterable

import msgspec

from bot.domain.model import Campaign, CampaignId, PatreonUserId, Tier, TierId
from bot.patreon.protocol.shapes_v2 import (
    Beside,
    CampaignAttributes,
    CampaignList,
    CampaignRelations,
    IncludedMember,
)
from bot.patreon.protocol.wire import decode, discord_roles, part_missing, target

_CAMPAIGNS = msgspec.json.Decoder(CampaignList)


def read_campaigns(body: bytes) -> tuple[Campaign, ...]:
    """Read the creator's campaigns with their tiers. Raises PatreonUnreadable where there is no list of campaigns."""
    document = decode(body, _CAMPAIGNS)
    if document.data is None or not all(campaign.id for campaign in document.data):
        raise part_missing("campaigns")
    included = {(beside.type, beside.id): beside for beside in document.included or []}
    found = []
    for campaign in document.data:
        attributes = campaign.attributes or CampaignAttributes()
        relations = campaign.relationships or CampaignRelations()
        refs = (relations.tiers and relations.tiers.data) or []
        tiers = [included[("tier", ref.id)] for ref in refs if ("tier", ref.id) in included]
        creator_id = target(relations.creator, "user")
        found.append(
            Campaign(
                campaign_id=CampaignId(campaign.id),
                name=attributes.name or attributes.vanity or attributes.creation_name or campaign.id,
                currency=attributes.currency or "USD",
                creator_user_id=PatreonUserId(creator_id) if creator_id else None,
                tiers=tiers_among(tiers, CampaignId(campaign.id)),
            )
        )
    return tuple(found)


def tiers_among(included: Iterable[Beside | IncludedMember], campaign_id: CampaignId) -> tuple[Tier, ...]:
    """Return the tiers among `included`; one without its amount is left out, or it would pass for the Free tier."""
    tiers = []
    for beside in included:
        told = beside.attributes
        if beside.type == "tier" and beside.id and told is not None and told.amount_cents is not None:
            tiers.append(
                Tier(
                    campaign_id=campaign_id,
                    tier_id=TierId(beside.id),
                    title=told.title or "",
                    amount_cents=told.amount_cents,
                    is_published=told.published is not False,
                    discord_role_ids=discord_roles(told.discord_role_ids),
                )
            )
    return tuple(tiers)
