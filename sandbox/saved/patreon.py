"""The Patreon half of a saved world."""

from datetime import datetime
from typing import Any

import msgspec

from sandbox.clock import SandboxClock
from sandbox.patreon.model import Campaign, Creator, Member, Patron, Person, PledgeEvent, Tier
from sandbox.patreon.state import PatreonState


class SavedPerson(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An account."""

    id: str
    full_name: str
    email: str
    created_at: datetime
    currency: str = "USD"
    discord_user_id: str | None = None
    is_creator: bool = False


class SavedTier(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A tier."""

    id: str
    title: str
    amount_cents: int
    created_at: datetime
    description: str = ""
    discord_role_ids: tuple[str, ...] | None = None
    is_published: bool = True
    is_deleted: bool = False


class SavedEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line of a member's pledge history."""

    id: str
    kind: str
    date: datetime
    amount_cents: int
    currency: str = "USD"
    payment_status: str | None = None
    tier_id: str | None = None
    tier_title: str | None = None


class SavedMember(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A membership; people and tiers by their ids."""

    id: str
    person: str
    joined_at: datetime
    tier: str | None = None
    next_tier: str | None = None
    extra_tiers: list[str] = []
    history: list[SavedEvent] = []
    pledge_id: str = ""
    amount_cents: int = 0
    pledge_cents: int = 0
    patron_status: str | None = None
    last_charge_status: str | None = None
    last_charge_at: datetime | None = None
    next_charge_at: datetime | None = None
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
    shown_cents: int | None = None
    blank: tuple[str, ...] = ()
    card_fails: bool = False
    note: str = ""


class SavedCampaign(msgspec.Struct, kw_only=True):
    """A campaign with all its members; the Free tier is the first."""

    id: str
    creator: str
    name: str
    created_at: datetime
    currency: str
    discord_server_id: str | None
    keeps_declined_tiers: bool
    tiers: list[SavedTier]
    members: list[SavedMember]
    is_monthly: bool = True


class SavedPatreon(msgspec.Struct, kw_only=True):
    """All of Patreon."""

    people: list[SavedPerson]
    campaigns: list[SavedCampaign]


REFERENCES = {"id", "person", "joined_at", "tier", "next_tier", "extra_tiers", "history", "is_creator"}
PLAIN = [name for name in SavedMember.__struct_fields__ if name not in REFERENCES]


def save_patreon(state: PatreonState) -> SavedPatreon:
    """Return what is kept of the state."""
    people = [
        SavedPerson(**_same(SavedPerson, person), is_creator=isinstance(person, Creator))
        for person in state.people.values()
    ]
    return SavedPatreon(people=people, campaigns=[_save_campaign(one) for one in state.campaigns.values()])


def _same(kind: type[msgspec.Struct], thing: object) -> dict[str, Any]:
    """Return the fields that a record of ours and its saved form have in common."""
    return {name: getattr(thing, name) for name in kind.__struct_fields__ if name not in REFERENCES - {"id"}}


def _save_campaign(campaign: Campaign) -> SavedCampaign:
    return SavedCampaign(
        id=campaign.id,
        creator=campaign.creator.id,
        name=campaign.name,
        created_at=campaign.created_at,
        currency=campaign.currency,
        discord_server_id=campaign.discord_server_id,
        keeps_declined_tiers=campaign.keeps_declined_tiers,
        tiers=[SavedTier(**_same(SavedTier, tier)) for tier in campaign.tiers],
        members=[_save_member(member) for member in campaign.members],
        is_monthly=campaign.is_monthly,
    )


def _save_member(member: Member) -> SavedMember:
    plain = {name: getattr(member, name) for name in PLAIN}
    return SavedMember(
        id=member.id,
        person=member.person.id,
        joined_at=member.joined_at,
        tier=member.tier.id if member.tier else None,
        next_tier=member.next_tier.id if member.next_tier else None,
        extra_tiers=[tier.id for tier in member.extra_tiers],
        history=[SavedEvent(**_same(SavedEvent, event)) for event in member.history],
        **plain,
    )


def load_patreon(saved: SavedPatreon, clock: SandboxClock) -> PatreonState:
    """Return a state in which everybody stands as they did. Raises KeyError for an id that is nowhere."""
    state = PatreonState(clock)
    for one in saved.people:
        kind = Creator if one.is_creator else Patron
        state.people[one.id] = kind(one.id, one.full_name, one.email, one.created_at, one.currency, one.discord_user_id)
    for campaign in saved.campaigns:
        _load_campaign(state, campaign)
    pledges = [member.pledge_id for member in state.members.values() if member.pledge_id]
    state.go_beyond(max(map(int, [*state.people, *state.campaigns, *state.tiers, *pledges])))
    return state


def _load_campaign(state: PatreonState, saved: SavedCampaign) -> None:
    creator = state.people[saved.creator]
    if not isinstance(creator, Creator):
        raise KeyError(f"the creator {saved.creator}")
    campaign = Campaign(saved.id, creator, saved.name, saved.created_at, saved.currency, saved.discord_server_id)
    campaign.keeps_declined_tiers, campaign.is_monthly = saved.keeps_declined_tiers, saved.is_monthly
    for tier in saved.tiers:
        values = {name: getattr(tier, name) for name in SavedTier.__struct_fields__}
        state.tiers[tier.id] = Tier(campaign=campaign, **values)
        campaign.tiers.append(state.tiers[tier.id])
    state.enter_campaign(campaign)
    for member in saved.members:
        _load_member(state, campaign, member)


def _load_member(state: PatreonState, campaign: Campaign, saved: SavedMember) -> None:
    person: Person = state.people[saved.person]
    member = state.new_member(person, campaign, saved.joined_at, member_id=saved.id)
    for name in PLAIN:
        setattr(member, name, getattr(saved, name))
    member.tier = state.tiers[saved.tier] if saved.tier else None
    member.next_tier = state.tiers[saved.next_tier] if saved.next_tier else None
    member.extra_tiers = tuple(state.tiers[tier_id] for tier_id in saved.extra_tiers)
    for event in saved.history:
        values = {name: getattr(event, name) for name in SavedEvent.__struct_fields__}
        member.history.append(PledgeEvent(member=member, **values))
    state.settle(member)
