"""What ids are called, and how a moment is written, where a plan is put into words. Pure.

Names are given in: text from Patreon or Discord is escaped by whoever shows it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from bot.domain.model import CampaignId, RoleId, RoleRule, Tier, TierId


def discord_stamp(moment: datetime) -> str:
    """Show a moment as each reader's own Discord shows it (discord-api-docs, Message Formatting, Timestamps)."""
    return f"<t:{int(moment.timestamp())}:R>"


def plain_stamp(moment: datetime) -> str:
    """Show a moment where Discord does not render it: a web page, a log."""
    return f"{moment:%d %B %Y, %H:%M} UTC".lstrip("0")


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What ids are called, and how a moment is written."""

    roles: Mapping[RoleId, str] = msgspec.field(default_factory=dict)
    campaigns: Mapping[CampaignId, str] = msgspec.field(default_factory=dict)
    currencies: Mapping[CampaignId, str] = msgspec.field(default_factory=dict)
    tiers: Mapping[CampaignId, Mapping[TierId, Tier]] = msgspec.field(default_factory=dict)
    stamp: Callable[[datetime], str] = discord_stamp
    confirmed_at: Mapping[CampaignId, datetime] = msgspec.field(default_factory=dict)  # last believed whole read

    def role(self, role_id: RoleId) -> str:
        """Name a role."""
        return self.roles.get(role_id, f"deleted role {role_id}")

    def campaign(self, campaign_id: CampaignId) -> str:
        """Name a campaign."""
        return self.campaigns.get(campaign_id, f"campaign {campaign_id}")

    def money(self, rule: RoleRule) -> str:
        """Write a rule's amount in its campaign's currency."""
        return self.cents(rule.amount_cents or 0, rule.campaign_id)

    def cents(self, cents: int, campaign_id: CampaignId) -> str:
        """Write an amount in a campaign's currency."""
        return f"{cents / 100:.2f} {self.currencies.get(campaign_id, 'USD')}"

    def tiers_of(self, campaign_id: CampaignId) -> Mapping[TierId, Tier]:
        """Return a campaign's own tiers."""
        return self.tiers.get(campaign_id, {})

    def tier(self, tier_id: TierId | None, campaign_id: CampaignId) -> str:
        """Name a campaign's tier; by its price where it has no title, as in campaigns that charge for each creation."""
        if tier_id is None:
            return "no tier"
        tier = self.tiers_of(campaign_id).get(tier_id)
        if tier is None:
            return f"tier {tier_id}"
        return tier.title.strip() or self.cents(tier.amount_cents, tier.campaign_id)
