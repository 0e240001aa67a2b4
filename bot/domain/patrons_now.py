"""Who is a patron now, for the links that rest on reports: what a membership entitles to says so.

Decides nothing of links.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from bot.domain.entitlement import Standing, entitle, entitle_unproven
from bot.domain.model import CampaignId, MembershipRecord, Tier, TierId
from bot.domain.reports import Now

PATRON_NOW = frozenset({Standing.ACTIVE, Standing.ENDING, Standing.GRACE, Standing.WAITING})


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """By what somebody is told to be a patron now."""

    now: datetime
    grace_days: int  # of the most patient server
    tiers: Mapping[CampaignId, Mapping[TierId, Tier]] = {}

    def patron_now(self, record: MembershipRecord) -> Now:
        """Tell whether a record shows a patron of now."""
        tiers = self.tiers.get(record.campaign_id, {})
        proven = entitle(record, tiers=tiers, now=self.now, grace_days=self.grace_days)
        doubted = entitle_unproven(record, tiers=tiers, now=self.now, grace_days=self.grace_days)
        return Now(
            is_proven=proven.standing in PATRON_NOW,
            is_doubted=doubted is not None and doubted.standing in PATRON_NOW,
        )
