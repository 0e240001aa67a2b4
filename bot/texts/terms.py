"""How a pledge stands and is paid, in words: what a patron would miss beside the tier. Pure; never names an amount.

The cases, in the order in which they are said:

    a word that this version does not know    with a word that I do not know (…)
    gifted                                    by a gift; nothing of charges, for a gift is not charged
    free trial that is never to be paid       complimentary: Patreon flags it as a trial, without cadence and charge
    free trial, by its flag or its charge     on a free trial
    former, charge deleted                    nothing of the charge: they cancelled before it was made
    pending, declined, refunded, fraud, …     payment …
    another cadence than a month              paid yearly, or every … months
    no paid tier, though the pledge counts    without a tier: deleted, or never chosen
    less a month than the tier's price        discounted; of an active patron where both are told, no trial
    counts no more                            the charge, else why: cancelled, grace over, neither tier nor amount
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.amount import find_floor, month_told, pay_told
from bot.domain.entitlement import TAKEN_BACK, Entitlement
from bot.domain.model import ChargeStatus, Membership, PatronStatus, Tier, TierId
from bot.domain.record import is_free_of_charge, is_tierless

YEAR = 12

_CHARGES = {
    ChargeStatus.PENDING: "payment pending",
    ChargeStatus.FREE_TRIAL: "on a free trial",
    ChargeStatus.REFUNDED: "payment refunded",
    ChargeStatus.REFUNDED_BY_PATREON: "payment refunded by Patreon",
    ChargeStatus.PARTIALLY_REFUNDED: "payment partly refunded",
    ChargeStatus.FRAUD: "payment marked as fraud",
    ChargeStatus.DELETED: "payment deleted",
    ChargeStatus.DECLINED: "payment declined",
}


def say_charge(reading: Membership) -> tuple[str, ...]:
    """Say how the last charge went, and whatever word we do not know."""
    unknown = (f"with a word that I do not know ({', '.join(reading.unknown_words)})",) if reading.unknown_words else ()
    if reading.is_gifted:
        return (*unknown, "by a gift")
    if reading.is_free_trial:
        return (*unknown, "complimentary" if _is_complimentary(reading) else "on a free trial")
    if _is_uncharged(reading):
        return unknown
    charge = _CHARGES.get(reading.charge_status)
    return unknown if charge is None else (*unknown, charge)


def say_terms(reading: Membership, tiers: Mapping[TierId, Tier]) -> tuple[str, ...]:
    """Say how a pledge that counts now is paid."""
    terms = list(say_charge(reading))
    if reading.is_gifted:
        return tuple(terms)
    if reading.cadence_months == YEAR:
        terms.append("paid yearly")
    elif reading.cadence_months is not None and reading.cadence_months > 1:
        terms.append(f"paid every {reading.cadence_months} months")
    if all(_is_free(tier_id, tiers) for tier_id in reading.tier_ids):
        terms.append("without a tier that Patreon lists (deleted, or none chosen)")
    elif _is_discounted(reading, tiers):
        terms.append("discounted: for less than its tier's price")
    return tuple(terms)


def say_lapse(entitlement: Entitlement, reading: Membership, stamp: Callable[[datetime], str]) -> tuple[str, ...]:
    """Say why a pledge that is still listed counts no more."""
    why = say_charge(reading)
    if reading.patron_status is PatronStatus.FORMER and not why and not never_began(reading):
        why = ("cancelled before the next charge",) if _is_uncharged(reading) else ("cancelled or paused",)
    elif is_tierless(reading) and reading.charge_status not in TAKEN_BACK:
        why = (*why, "for Patreon lists neither a tier nor an amount")
    over = () if entitlement.until is None else (f"grace over since {stamp(entitlement.until)}",)
    return (*why, *over, *(("still a free member",) if entitlement.is_free_member else ()))


def never_began(reading: Membership) -> bool:
    """Tell whether they cancelled before anything was charged: Patreon deletes that charge, and shows its day."""
    return _is_uncharged(reading) and reading.lifetime_cents == 0


def _is_uncharged(reading: Membership) -> bool:
    return reading.patron_status is PatronStatus.FORMER and reading.charge_status is ChargeStatus.DELETED


def _is_complimentary(reading: Membership) -> bool:
    """Tell it from a trial, which has a cadence and is to be paid (zulip's fixtures of Patreon's answers)."""
    return reading.cadence_months is None and reading.charge_status is ChargeStatus.NEVER and not reading.will_pay_cents


def _is_free(tier_id: TierId, tiers: Mapping[TierId, Tier]) -> bool:
    return tier_id in tiers and tiers[tier_id].amount_cents == 0


def _is_discounted(reading: Membership, tiers: Mapping[TierId, Tier]) -> bool:
    """Tell whether they pay less a month than their tier costs; both sums are in the campaign's currency (model)."""
    told = month_told(pay_told(reading), tiers)
    if is_free_of_charge(reading) or told is None or reading.patron_status is not PatronStatus.ACTIVE:
        return False
    return told < find_floor(pay_told(reading), tiers)
