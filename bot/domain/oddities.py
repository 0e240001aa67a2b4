"""What looks odd in what Patreon says of somebody's money, in codes, for those who manage the server. Pure.

These amounts are told only to admins of a server that follows the campaign, and only by `/patreon why`:

    COUNTS_AS      counts as another amount a month than Patreon says     both numbers
    DEARER_TIER    a paid tier is listed that costs more than counts      that tier
    OVERDUE        the next payment was due a week before                 since when; not of a gift, which costs nothing
"""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from bot.domain.amount import find_floor, paid_prices, pay_told
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import Campaign, Membership, Tier, TierId
from bot.domain.plan import GuildFacts, PersonPlan
from bot.domain.reasons import TierName, tier_names

LONG_PAST = timedelta(days=7)  # cards are charged, and charged again, for days after the date
PLEDGED = frozenset({Standing.ACTIVE, Standing.ENDING, Standing.WAITING})


class OddityKind(enum.StrEnum):
    """What looks odd."""

    COUNTS_AS = "counts as"
    DEARER_TIER = "dearer tier"
    OVERDUE = "overdue"


class Oddity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that looks odd, with its facts."""

    kind: OddityKind
    campaign: str
    cents: int = 0  # of COUNTS_AS: what counts
    told_cents: int = 0  # and what Patreon says
    currency: str = ""
    tiers: tuple[TierName, ...] = ()  # of DEARER_TIER
    due_at: datetime | None = None  # of OVERDUE


def find_oddities(plan: PersonPlan, guild: GuildFacts) -> tuple[Oddity, ...]:
    """Return what looks odd about the pledges of a linked person that count."""
    if plan.link is None or plan.link.ended_at is not None:
        return ()
    return tuple(oddity for one in plan.standings for oddity in _find(one, guild))


def _find(entitlement: Entitlement, guild: GuildFacts) -> list[Oddity]:
    reading = entitlement.reading
    campaign = None if reading is None else guild.campaigns.get(reading.campaign_id)
    if reading is None or campaign is None or not entitlement.is_paying:
        return []
    found = _find_amounts(entitlement, reading, campaign)
    if entitlement.standing in PLEDGED:
        found += _find_dearer_tier(reading, campaign, guild.tiers.get(reading.campaign_id, {}))
        found += _find_overdue(reading, campaign, guild.confirmed_at.get(reading.campaign_id))
    return found


def _find_amounts(entitlement: Entitlement, reading: Membership, campaign: Campaign) -> list[Oddity]:
    told = reading.entitled_cents
    if told is None or told == entitlement.cents:
        return []
    return [
        Oddity(
            kind=OddityKind.COUNTS_AS,
            campaign=campaign.name,
            cents=entitlement.cents,
            told_cents=told,
            currency=campaign.currency,
        )
    ]


def _find_dearer_tier(reading: Membership, campaign: Campaign, tiers: Mapping[TierId, Tier]) -> list[Oddity]:
    floor = find_floor(pay_told(reading), tiers)
    if max(paid_prices(reading.tier_ids, tiers), default=0) <= floor:
        return []
    dearer = [one for one in reading.tier_ids if one in tiers and tiers[one].amount_cents > floor]
    return [Oddity(kind=OddityKind.DEARER_TIER, campaign=campaign.name, tiers=tier_names(dearer, campaign))]


def _find_overdue(reading: Membership, campaign: Campaign, confirmed_at: datetime | None) -> list[Oddity]:
    due = reading.next_charge_at
    seen_at = max(reading.read_started_at, confirmed_at or reading.read_started_at)
    if due is None or reading.is_gifted or seen_at - due < LONG_PAST:
        return []
    return [Oddity(kind=OddityKind.OVERDUE, campaign=campaign.name, due_at=due)]
