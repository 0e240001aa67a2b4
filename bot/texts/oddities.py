"""What looks odd in what Patreon says of somebody's money, in words for those who manage the server. Pure.

Amounts are said here alone, only to admins of a server that follows the campaign, and only in `/patreon why`:

    counts as another amount a month than Patreon says     both numbers
    a paid tier is listed that costs more than counts      that tier
    the next charge should have been made a week before    since when; not of a gift, which is not charged
"""

from datetime import datetime, timedelta

from bot.domain.amount import find_floor, paid_prices, pay_told
from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import Membership
from bot.texts.names import Names

LONG_PAST = timedelta(days=7)  # cards are charged, and charged again, for days after the date
PLEDGED = frozenset({Standing.ACTIVE, Standing.ENDING, Standing.WAITING})


def say_oddities(entitlement: Entitlement, names: Names) -> tuple[str, ...]:
    """Say what looks odd about a pledge that counts, each as a sentence without a final dot."""
    reading = entitlement.reading
    if reading is None or not entitlement.is_paying:
        return ()
    found = [*_say_amounts(entitlement, reading, names)]
    if entitlement.standing in PLEDGED:
        found += [*_say_dearer_tier(reading, names), *_say_overdue(reading, names)]
    return tuple(found)


def _say_amounts(entitlement: Entitlement, reading: Membership, names: Names) -> tuple[str, ...]:
    told = reading.entitled_cents
    if told is None or told == entitlement.cents:
        return ()
    counted = names.cents(entitlement.cents, reading.campaign_id)
    return (f"Counts as {counted} a month for rules on amounts; Patreon says {names.cents(told, reading.campaign_id)}",)


def _say_dearer_tier(reading: Membership, names: Names) -> tuple[str, ...]:
    tiers = names.tiers_of(reading.campaign_id)
    floor = find_floor(pay_told(reading), tiers)
    if max(paid_prices(reading.tier_ids, tiers), default=0) <= floor:
        return ()
    dearer = [one for one in reading.tier_ids if one in tiers and tiers[one].amount_cents > floor]
    named = ", ".join(sorted(names.tier(tier_id, reading.campaign_id) for tier_id in dearer))
    return (f"Looks odd: Patreon still lists {named}, which costs more than they pay",)


def _say_overdue(reading: Membership, names: Names) -> tuple[str, ...]:
    due = reading.next_charge_at
    if due is None or reading.is_gifted or _seen_at(reading, names) - due < LONG_PAST:
        return ()
    return (f"Looks odd: the next charge was due {names.stamp(due)}, and Patreon shows none since",)


def _seen_at(reading: Membership, names: Names) -> datetime:
    """Return when Patreon said so last: a read that finds no news stores none."""
    return max(reading.read_started_at, names.confirmed_at.get(reading.campaign_id, reading.read_started_at))
