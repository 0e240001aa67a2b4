"""All that the stand-in Patreon knows, and the builders that worlds and tests are made with. Knows no HTTP.

Ids follow from the seed, so that the same seed gives the same world; tokens and secrets are new each time.
"""

import heapq
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sandbox.clock import SandboxClock
from sandbox.patreon import standing
from sandbox.patreon.model import Campaign, Client, Creator, Member, Patron, Person, Tier, Webhook
from sandbox.patreon.oauth import OAuthBook

Listener = Callable[[Member, Sequence[str]], None]


class PatreonState:
    """People, campaigns, tiers, members, clients, webhooks."""

    def __init__(self, clock: SandboxClock, seed: int = 1) -> None:
        self.clock = clock
        self.random = Random(seed)
        self.oauth = OAuthBook(clock)
        self.people: dict[str, Person] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.tiers: dict[str, Tier] = {}
        self.members: dict[str, Member] = {}
        self.clients: dict[str, Client] = {}
        self.webhooks: dict[str, Webhook] = {}
        self._last_id = 1_000_000
        self._due: list[tuple[datetime, str]] = []
        self._listeners: list[Listener] = []
        self._watchers: list[Callable[[], None]] = []
        clock.on_move(self.catch_up)

    # Builders

    def add_creator(self, name: str, *, campaign_name: str | None = None) -> Creator:
        """Add someone with a campaign; `creator.campaign` is it."""
        creator = Creator(self.new_id(), name, self._email(name), self._some_time_ago(900))
        self.people[creator.id] = creator
        self.add_campaign(creator, campaign_name or f"{name}'s campaign")
        return creator

    def add_campaign(self, creator: Creator, name: str) -> Campaign:
        """Add one more campaign, with the Free tier that Patreon makes for each."""
        campaign = Campaign(self.new_id(), creator, name, self._some_time_ago(600))
        self.enter_campaign(campaign)
        self.add_tier(campaign, "Free", 0)
        return campaign

    def enter_campaign(self, campaign: Campaign) -> None:
        """Put a campaign among its creator's and ours."""
        campaign.creator.campaigns.append(campaign)
        self.campaigns[campaign.id] = campaign
        made = campaign.created_at
        # API v1 lists two rewards that nobody made (patreon-java, test fixtures).
        campaign.built_in_rewards = [
            Tier("-1", campaign, "", 0, made, description="Everyone", built_in=True),
            Tier("0", campaign, "", 1, made, description="Patrons Only", built_in=True),
        ]

    def add_tier(
        self, campaign: Campaign, title: str, amount_cents: int, *, discord_role_ids: Iterable[str] | None = None
    ) -> Tier:
        """Add a tier. `discord_role_ids` are those of Patreon's own integration, not anybody else's."""
        roles = None if discord_role_ids is None else tuple(discord_role_ids)
        tier = Tier(self.new_id(), campaign, title, amount_cents, campaign.created_at, discord_role_ids=roles)
        campaign.tiers.append(tier)
        self.tiers[tier.id] = tier
        return tier

    def add_patron(self, name: str, *, discord_user_id: str | None = None, currency: str = "USD") -> Patron:
        """Add someone without any membership."""
        patron = Patron(self.new_id(), name, self._email(name), self._some_time_ago(800), currency)
        patron.discord_user_id = discord_user_id
        self.people[patron.id] = patron
        return patron

    def add_member(
        self,
        person: Person,
        tier: Tier,
        *,
        since: datetime | None = None,
        annual: bool = False,
        trial: bool = False,
        card_fails: bool = False,
    ) -> Member:
        """Let someone have pledged at `since` (some days ago, if not said) and renewed ever since, without a webhook.

        The Free tier makes a follower. What a person does afterwards (cancel, decline, …) is done by the acts.
        """
        since = since or self.clock.now() - timedelta(minutes=self.random.randint(1, 6 * 24 * 60))
        member = self.new_member(person, tier.campaign, since)
        member.card_fails = card_fails
        if tier is tier.campaign.free_tier:
            member.is_follower = True
        else:
            standing.start_pledge(member, tier, now=since, cents=tier.amount_cents, annual=annual, trial=trial)
            member.pledge_id = self.new_id()
        while member.next_charge_at is not None and member.next_charge_at <= self.clock.now():
            standing.renew(member, member.next_charge_at)
        self.settle(member)
        return member

    def add_client(
        self,
        redirect_uris: Iterable[str],
        *,
        owner: Creator,
        api_version: int = 2,
        name: str = "Pledgekeeper",
    ) -> Client:
        """Register a client; its creator pair carries every scope."""
        client = Client(
            id=secrets.token_urlsafe(48),
            secret=secrets.token_urlsafe(48),
            name=name,
            owner=owner,
            redirect_uris=tuple(redirect_uris),
            api_version=api_version,
        )
        self.clients[client.id] = client
        self.oauth.issue_creator_pair(client)
        return client

    def add_webhook(self, client: Client, campaign: Campaign, uri: str, triggers: Iterable[str]) -> Webhook:
        """Register a webhook, with a secret of its own."""
        webhook = Webhook(self.new_id(), client, campaign, uri, secrets.token_hex(32), tuple(triggers))
        self.webhooks[webhook.id] = webhook
        return webhook

    # What the acts and the renewals use

    def new_id(self) -> str:
        """Return the next id, a string of digits."""
        self._last_id += self.random.randint(1, 97)
        return str(self._last_id)

    def go_beyond(self, known: int) -> None:
        """Let all ids from here on lie above one that is known."""
        self._last_id = max(self._last_id, known)

    def new_member(
        self, person: Person, campaign: Campaign, joined_at: datetime, *, member_id: str | None = None
    ) -> Member:
        """Put someone on a campaign's list, with no standing yet."""
        number = member_id or str(UUID(int=self.random.getrandbits(128), version=4))
        member = Member(number, person, campaign, joined_at)
        person.memberships[campaign.id] = member
        self.members[member.id] = member
        campaign.members.put(member.id, (joined_at, member.id), member)
        return member

    def settle(self, member: Member, triggers: Sequence[str] = ()) -> None:
        """Bring all lists in line with a member's standing, then tell the listeners what happened."""
        _keep_pledges(member)
        if member.next_charge_at is not None:
            heapq.heappush(self._due, (member.next_charge_at, member.id))
        if standing.has_left(member):
            member.campaign.members.remove(member.id)
            member.person.memberships.pop(member.campaign.id, None)
            self.members.pop(member.id, None)
        for listener in self._listeners:
            listener(member, triggers)
        self.tell()

    def next_due(self) -> datetime | None:
        """Return when the next charge, or end, is due."""
        while self._due:
            due_at, member_id = self._due[0]
            member = self.members.get(member_id)
            if member is not None and member.next_charge_at == due_at:
                return due_at
            heapq.heappop(self._due)
        return None

    def tell(self) -> None:
        """Say that something changed."""
        for watcher in self._watchers:
            watcher()

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher()` after each change."""
        self._watchers.append(watcher)

    def on_standing(self, listener: Listener) -> None:
        """Call `listener(member, triggers)` when a standing changed; the triggers are those of webhooks."""
        self._listeners.append(listener)

    def catch_up(self, now: datetime) -> None:
        """Carry out all renewals and ends that were due by `now`, in their order."""
        while self._due and self._due[0][0] <= now:
            due_at, member_id = heapq.heappop(self._due)
            member = self.members.get(member_id)
            if member is None or member.next_charge_at != due_at:
                continue
            standing.renew(member, due_at)
            ended = standing.has_left(member)
            self.settle(member, ["members:delete"] if ended else ["members:update"])

    def _email(self, name: str) -> str:
        return f"{name.lower().replace(' ', '.')}.{self._last_id}@mail.example"

    def _some_time_ago(self, days: int) -> datetime:
        return self.clock.now() - timedelta(days=self.random.randint(days // 2, days))


def _keep_pledges(member: Member) -> None:
    """Keep API v1's list of live pledges, its sum and the tiers' patron counts up to date."""
    campaign = member.campaign
    counted = campaign.counted.pop(member.id, None)
    if counted is not None:
        tier_id, cents = counted
        campaign.tier_counts[tier_id] -= 1
        campaign.pledge_sum -= cents
    if not standing.has_pledge(member):
        campaign.pledges.remove(member.id)
        return
    tier_id = member.tier.id if member.tier else ""
    campaign.tier_counts[tier_id] += 1
    campaign.pledge_sum += member.amount_cents
    campaign.counted[member.id] = (tier_id, member.amount_cents)
    campaign.pledges.put(member.id, (member.started_at or member.joined_at, member.pledge_id), member)
