"""What a person does at Patreon: pledge, change, cancel, pay, fail to pay. Each act names the webhooks it fires.

One pledge fires several (members:create, members:pledge:create, members:update), beside API v1's own; pausing
fires nothing in v1, and v1 never reports payments (Patreon forum, 694 and 8646).
"""

from collections.abc import Sequence

from sandbox.patreon import standing
from sandbox.patreon.errors import ActionError
from sandbox.patreon.model import Campaign, Member, Person, Tier
from sandbox.patreon.state import PatreonState


class Acts:
    """The acts, by ids; each raises ActionError where it makes no sense."""

    def __init__(self, state: PatreonState) -> None:
        self.state = state

    def pledge(
        self,
        patron_id: str,
        tier_id: str | None,
        *,
        campaign_id: str | None = None,
        annual: bool = False,
        trial: bool = False,
        amount_cents: int | None = None,
    ) -> Member:
        """Pledge to a tier; without one, a custom amount to a campaign. A card that fails declines at once."""
        person = self._person(patron_id)
        tier = None if tier_id is None else self._tier(tier_id)
        campaign = self._campaign(campaign_id) if tier is None else tier.campaign
        if tier is campaign.free_tier:
            return self.follow_free(patron_id, campaign_id=campaign.id)
        cents = tier.amount_cents if amount_cents is None and tier is not None else amount_cents or 0
        if cents <= 0:
            raise ActionError("A pledge without a tier needs an amount.")
        member = self._joined(person, campaign)
        if member.patron_status in standing.PAYING and not member.is_cancelled:
            raise ActionError(f"{person.full_name} supports this campaign already: change the tier instead.")
        is_first = member.lifetime_cents == 0
        standing.start_pledge(member, tier, now=self.state.clock.now(), cents=cents, annual=annual, trial=trial)
        member.pledge_id = self.state.new_id()
        created = ["members:create"] if is_first else []
        self.state.settle(member, [*created, "members:pledge:create", "members:update", "pledges:create"])
        return member

    def follow_free(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Join for free."""
        person, campaign = self._person(patron_id), self._campaign(campaign_id)
        is_new = campaign.id not in person.memberships
        member = self._joined(person, campaign)
        member.is_follower = True
        self.state.settle(member, ["members:create"] if is_new else ["members:update"])
        return member

    def change_tier(self, patron_id: str, tier_id: str, *, campaign_id: str | None = None) -> Member:
        """Move to another tier. API v1 gives the pledge a new id."""
        tier = self._tier(tier_id)
        member = self._supporter(patron_id, campaign_id or tier.campaign.id)
        if tier.campaign is not member.campaign or tier is tier.campaign.free_tier:
            raise ActionError("Choose a paid tier of the same campaign; cancel to stop paying.")
        standing.change_tier(member, tier)
        member.pledge_id = self.state.new_id()
        return self._settled(member, "members:pledge:update", "members:update", "pledges:update")

    def decline(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Let the card fail, now and at every retry."""
        member = self._supporter(patron_id, campaign_id)
        standing.decline(member, self.state.clock.now())
        return self._settled(member, "members:update")

    def pay(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Pay what is open; the card works again."""
        member = self._supporter(patron_id, campaign_id)
        standing.pay(member, self.state.clock.now())
        return self._settled(member, "members:update")

    def set_charge_status(self, patron_id: str, words: str, *, campaign_id: str | None = None) -> Member:
        """Let the last charge read otherwise: Pending, Fraud, Deleted, Other, or a word that nobody knows yet."""
        member = self._supporter(patron_id, campaign_id)
        member.last_charge_status = words
        return self._settled(member, "members:update")

    def cancel(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Stop pledging. What was paid lasts until the next charge date; API v1 forgets the pledge at once."""
        member = self._member(patron_id, campaign_id)
        if member.patron_status not in standing.PAYING:
            if not member.is_follower:
                raise ActionError("There is nothing to cancel.")
            member.is_follower = False
            return self._settled(member, *_ending(member))
        standing.cancel(member)
        return self._settled(member, "members:pledge:delete", *_ending(member), "pledges:delete")

    def refund(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Give the last charge back. Patreon lists the tier still; the charge says Refunded."""
        member = self._supporter(patron_id, campaign_id)
        standing.refund(member)
        return self._settled(member, "members:update")

    def gift(self, patron_id: str, tier_id: str, *, campaign_id: str | None = None, months: int = 1) -> Member:
        """Give someone a tier for some months."""
        tier = self._tier(tier_id)
        member = self._joined(self._person(patron_id), self._campaign(campaign_id or tier.campaign.id))
        if member.patron_status in standing.PAYING:
            raise ActionError("Who supports the campaign already cannot be given a gift here.")
        standing.gift(member, tier, now=self.state.clock.now(), months=months)
        return self._settled(member, "members:create", "members:update")

    def pause(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """Pause: no further charge; benefits end with the paid period."""
        member = self._supporter(patron_id, campaign_id)
        member.is_paused = True
        return self._settled(member, "members:update")

    def resume(self, patron_id: str, *, campaign_id: str | None = None) -> Member:
        """End a pause."""
        member = self._supporter(patron_id, campaign_id)
        standing.resume(member, self.state.clock.now())
        return self._settled(member, "members:update")

    def delete_tier(self, tier_id: str) -> Tier:
        """Delete a tier. Its patrons pay on; no list names it any more, and no webhook tells."""
        tier = self._tier(tier_id)
        if tier is tier.campaign.free_tier:
            raise ActionError("The Free tier cannot be removed.")
        tier.is_deleted = True
        self.state.tell()
        return tier

    def connect_discord(self, patron_id: str, discord_user_id: str) -> Person:
        """Connect a Discord account at Patreon."""
        person = self._person(patron_id)
        person.discord_user_id = discord_user_id
        self.state.tell()
        return person

    def disconnect_discord(self, patron_id: str) -> Person:
        """Take the Discord account away."""
        person = self._person(patron_id)
        person.discord_user_id = None
        self.state.tell()
        return person

    def _settled(self, member: Member, *triggers: str) -> Member:
        self.state.settle(member, triggers)
        return member

    def _person(self, person_id: str) -> Person:
        person = self.state.people.get(person_id)
        if person is None:
            raise ActionError(f"Nobody here has the id {person_id}.")
        return person

    def _tier(self, tier_id: str) -> Tier:
        tier = self.state.tiers.get(tier_id)
        if tier is None or tier.is_deleted:
            raise ActionError(f"No tier has the id {tier_id}.")
        return tier

    def _campaign(self, campaign_id: str | None) -> Campaign:
        campaigns = self.state.campaigns
        if campaign_id is None and len(campaigns) == 1:
            return next(iter(campaigns.values()))
        campaign = campaigns.get(campaign_id or "")
        if campaign is None:
            raise ActionError("Say which campaign is meant, by its id.")
        return campaign

    def _joined(self, person: Person, campaign: Campaign) -> Member:
        if campaign.creator is person:
            raise ActionError("Creators are no members of their own campaigns.")
        return person.memberships.get(campaign.id) or self.state.new_member(person, campaign, self.state.clock.now())

    def _member(self, patron_id: str, campaign_id: str | None) -> Member:
        person = self._person(patron_id)
        found = [m for m in person.memberships.values() if campaign_id in {None, m.campaign.id}]
        if len(found) != 1:
            problem = "is a member of several campaigns: say which" if found else "is no member"
            raise ActionError(f"{person.full_name} {problem}.")
        return found[0]

    def _supporter(self, patron_id: str, campaign_id: str | None) -> Member:
        member = self._member(patron_id, campaign_id)
        if member.patron_status not in standing.PAYING:
            raise ActionError(f"{member.person.full_name} supports nothing there now.")
        return member


def _ending(member: Member) -> Sequence[str]:
    """members:delete comes only for who never paid; for all others the end is an update."""
    return ["members:delete"] if standing.has_left(member) else ["members:update"]
