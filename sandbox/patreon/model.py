"""What a Patreon is made of: people, campaigns, tiers, memberships, clients. Knows no HTTP, no rules, no clock."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.patreon.shelf import Shelf


@dataclass(slots=True, eq=False)
class Person:
    """An account; its own memberships hang on it by campaign id."""

    id: str
    full_name: str
    email: str
    created_at: datetime
    currency: str = "USD"
    discord_user_id: str | None = None
    memberships: "dict[str, Member]" = field(default_factory=dict)

    @property
    def first_name(self) -> str:
        return self.full_name.partition(" ")[0]

    @property
    def last_name(self) -> str:
        return self.full_name.partition(" ")[2]


@dataclass(slots=True, eq=False)
class Patron(Person):
    """Someone who may support campaigns."""


@dataclass(slots=True, eq=False)
class Creator(Person):
    """Someone who has campaigns of their own."""

    campaigns: "list[Campaign]" = field(default_factory=list)

    @property
    def campaign(self) -> "Campaign":
        """The first campaign, which most creators have only."""
        return self.campaigns[0]


@dataclass(slots=True, eq=False)
class Tier:
    """A tier; `built_in` are API v1's rewards -1 and 0, which are not tiers in API v2."""

    id: str
    campaign: "Campaign"
    title: str
    amount_cents: int
    created_at: datetime
    description: str = ""
    discord_role_ids: tuple[str, ...] | None = None
    is_published: bool = True
    is_deleted: bool = False
    built_in: bool = False


@dataclass(slots=True, eq=False)
class PledgeEvent:
    """A line of pledge_history. `payment_status` is null for a pledge_start."""

    id: str
    kind: str
    date: datetime
    amount_cents: int
    currency: str
    payment_status: str | None
    tier_id: str | None
    tier_title: str | None
    member: "Member"


@dataclass(slots=True, eq=False)
class Campaign:
    """A campaign with its members, oldest first, and API v1's view of them: the live pledges, oldest first."""

    id: str
    creator: Creator
    name: str
    created_at: datetime
    currency: str = "USD"
    # Patreon's own Discord integration; without it members' social_connections stay empty (Patreon docs, intro).
    discord_server_id: str | None = "1"
    # Patreon keeps a declined patron's benefits while it retries the card (patreon-wordpress, PR 131).
    keeps_declined_tiers: bool = True
    is_monthly: bool = True  # else each creation is charged, and no member shows anything of charges
    tiers: list[Tier] = field(default_factory=list)
    built_in_rewards: list[Tier] = field(default_factory=list)
    members: "Shelf[Member]" = field(default_factory=Shelf)
    pledges: "Shelf[Member]" = field(default_factory=Shelf)
    tier_counts: "Counter[str]" = field(default_factory=Counter)
    pledge_sum: int = 0
    counted: dict[str, tuple[str, int]] = field(default_factory=dict)  # member id -> tier and cents in the sums

    @property
    def free_tier(self) -> Tier:
        """The automatic tier of 0 cents, which cannot be removed."""
        return self.tiers[0]

    @property
    def live_tiers(self) -> list[Tier]:
        """All tiers that were not deleted, the Free tier first."""
        return [tier for tier in self.tiers if not tier.is_deleted]


@dataclass(slots=True, eq=False)
class Member:
    """One person's relation to one campaign: API v2's member, and API v1's pledge while there is one."""

    id: str
    person: Person
    campaign: Campaign
    joined_at: datetime
    pledge_id: str = ""
    tier: Tier | None = None
    extra_tiers: tuple[Tier, ...] = ()
    next_tier: Tier | None = None  # an annual downgrade waits for the next charge
    amount_cents: int = 0
    pledge_cents: int = 0  # the same in the patron's own currency
    patron_status: str | None = None
    last_charge_status: str | None = None
    last_charge_at: datetime | None = None
    next_charge_at: datetime | None = None  # also the day on which a gift, trial, retry or cancelled period ends
    cadence: int | None = None
    started_at: datetime | None = None
    declined_since: datetime | None = None
    lifetime_cents: int = 0
    is_follower: bool = False
    is_gifted: bool = False
    is_trial: bool = False
    is_cancelled: bool = False
    is_paused: bool = False
    is_complimentary: bool = False
    shown_cents: int | None = None  # where Patreon writes another amount than the price
    blank: tuple[str, ...] = ()  # "tiers", "cents": not shown until the next charge
    card_fails: bool = False
    note: str = ""
    history: list[PledgeEvent] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Client:
    """An OAuth client as registered in the creator's portal, with the pair of tokens that the portal shows."""

    id: str
    secret: str
    name: str
    owner: Creator
    redirect_uris: tuple[str, ...]
    api_version: int
    creator_access_token: str = ""
    creator_refresh_token: str = ""


@dataclass(slots=True, eq=False)
class Webhook:
    """A registered webhook; `failures` counts deliveries that failed in a row."""

    id: str
    client: Client
    campaign: Campaign
    uri: str
    secret: str
    triggers: tuple[str, ...]
    is_paused: bool = False
    failures: int = 0
    last_attempted_at: datetime | None = None
