"""What a rule asks for, with the names of its time: a value that can be kept and shown on its own. Pure."""

from collections.abc import Mapping

import msgspec

from bot.domain.model import Campaign, CampaignId, RoleRule, RuleKind, TierId


class TierName(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a tier is called: by its price where it has no title, as in campaigns that charge for each creation."""

    tier_id: TierId
    title: str = ""
    amount_cents: int | None = None  # None: Patreon never told of this tier
    currency: str = ""


class RuleFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a rule asks for."""

    kind: RuleKind
    campaign: str
    tier: TierName | None = None  # of a TIER rule
    amount_cents: int | None = None  # of an AMOUNT or LIFETIME rule
    currency: str = ""
    months: int | None = None  # of a MONTHS rule


def rule_facts(rule: RoleRule, campaigns: Mapping[CampaignId, Campaign]) -> RuleFacts:
    """Return what a rule asks for, with the names of today."""
    campaign = campaigns.get(rule.campaign_id)
    return RuleFacts(
        kind=rule.kind,
        campaign=_campaign_name(rule.campaign_id, campaign),
        tier=None if rule.tier_id is None else _tier_name(rule.tier_id, campaign),
        amount_cents=rule.amount_cents,
        currency="" if rule.amount_cents is None or campaign is None else campaign.currency,
        months=rule.months,
    )


def _campaign_name(campaign_id: CampaignId, campaign: Campaign | None) -> str:
    return campaign_id if campaign is None else campaign.name


def _tier_name(tier_id: TierId, campaign: Campaign | None) -> TierName:
    tier = next((one for one in campaign.tiers if one.tier_id == tier_id), None) if campaign is not None else None
    if campaign is None or tier is None:
        return TierName(tier_id=tier_id)
    title = tier.title.strip()
    return TierName(tier_id=tier_id, title=title, amount_cents=tier.amount_cents, currency=campaign.currency)
