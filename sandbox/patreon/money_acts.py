"""Acts of money: what Patreon writes down of the same pledge in other ways, and what reports tell of odd rows.

Their public sources: patreon-wordpress #120 and #121 (a year's cents), zulip's fixtures (complimentary), jwz.org
2022/06/13 (blank until charged), sponsorkit #112 (gifts).
"""

from sandbox.patreon import standing
from sandbox.patreon.acts import Acts
from sandbox.patreon.errors import ActionError
from sandbox.patreon.model import Campaign, Member

BLANKS = {"both": ("tiers", "cents"), "tiers": ("tiers",), "cents": ("cents",)}


class MoneyActs(Acts):
    """The acts, by ids; each raises ActionError where it makes no sense."""

    def complimentary(self, patron_id: str, tier_id: str, *, campaign_id: str | None = None) -> Member:
        """Let a creator give someone a tier without an end: flagged as a trial, with the tier's price and no charge."""
        tier = self._tier(tier_id)
        member = self._joined(self._person(patron_id), self._campaign(campaign_id or tier.campaign.id))
        if member.patron_status in standing.PAYING:
            raise ActionError("Who supports the campaign already is given nothing here.")
        standing.give_complimentary(member, tier, self.state.clock.now())
        return self._settled(member, "members:create", "members:update")

    def set_amount(self, patron_id: str, cents: int, *, campaign_id: str | None = None) -> Member:
        """Let Patreon write another amount than the price: a discount, another currency, or the whole period's."""
        member = self._supporter(patron_id, campaign_id)
        member.shown_cents = cents
        return self._settled(member, "members:pledge:update", "members:update")

    def set_cadence(self, patron_id: str, months: int, *, campaign_id: str | None = None) -> Member:
        """Let someone be charged every so many months."""
        member = self._supporter(patron_id, campaign_id)
        if months < 1:
            raise ActionError("A pledge is for a month at least.")
        member.cadence = months
        return self._settled(member, "members:pledge:update", "members:update")

    def list_also(self, patron_id: str, tier_id: str, *, campaign_id: str | None = None) -> Member:
        """Let another tier be listed beside theirs, as the paid rest of one that they left."""
        tier = self._tier(tier_id)
        member = self._supporter(patron_id, campaign_id or tier.campaign.id)
        member.extra_tiers = (*(one for one in member.extra_tiers if one is not tier), tier)
        return self._settled(member, "members:update")

    def blank(self, patron_id: str, what: str = "both", *, campaign_id: str | None = None) -> Member:
        """Let the tiers, the cents or both be blank until the card is charged. No webhook tells."""
        member = self._supporter(patron_id, campaign_id)
        if what not in BLANKS:
            raise ActionError(f"Blank {', '.join(BLANKS)}, not {what}.")
        member.blank = BLANKS[what]
        return self._settled(member)

    def cancel_uncharged(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Cancel before the first charge: former at once, its charge deleted, the day of the next one still shown."""
        member = self._supporter(patron_id, campaign_id)
        standing.cancel_uncharged(member)
        return self._settled(member, "members:pledge:delete", "members:update", "pledges:delete")

    def charge_per_creation(self, campaign_id: str | None = None) -> Campaign:
        """Let a campaign charge for each creation: no member shows anything of charges. No webhook tells."""
        campaign = self._campaign(campaign_id)
        campaign.is_monthly = False
        self.state.tell()
        return campaign
