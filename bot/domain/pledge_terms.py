"""How a pledge is paid, and why one counts no more, in codes: what a patron would miss beside the tier. Pure.

The terms of one reading, in this order; amounts are compared here and never told:

    UNKNOWN_WORDS      a status that this version does not know
    GIFT               nothing of charges, for a gift is not charged
    COMPLIMENTARY      Patreon flags it as a trial, without cadence and charge
    FREE_TRIAL         by its flag or its charge
    PENDING, …         the last charge; nothing where they cancelled before it was made (Patreon deletes that charge)
    YEARLY, CADENCE    another cadence than a month
    NO_TIER            no paid tier, though the pledge counts: deleted, or never chosen
    DISCOUNTED         less a month than the tier's price; of an active patron where both are told, no trial

Of a pledge that counts no more: the charge, else why (cancelled, neither tier nor amount), and whether they are still a
free member.
"""

import enum
from collections.abc import Mapping

from bot.domain.amount import find_floor, month_told, pay_told
from bot.domain.charge_status import TAKEN_BACK, ChargeStatus
from bot.domain.entitlement import Entitlement
from bot.domain.model import Membership, Tier, TierId
from bot.domain.new_reading import is_free_of_charge, is_tierless
from bot.domain.patron_status import PatronStatus

YEAR = 12


class Term(enum.StrEnum):
    """Something to say about a pledge."""

    UNKNOWN_WORDS = "unknown words"
    GIFT = "gift"
    COMPLIMENTARY = "complimentary"
    FREE_TRIAL = "free trial"
    PENDING = "pending"
    REFUNDED = "refunded"
    REFUNDED_BY_PATREON = "refunded by Patreon"
    PARTLY_REFUNDED = "partly refunded"
    FRAUD = "fraud"
    DELETED = "deleted"
    DECLINED = "declined"
    YEARLY = "yearly"
    CADENCE = "cadence"  # every so many months
    NO_TIER = "no tier"
    DISCOUNTED = "discounted"
    CANCELLED_IN_TIME = "cancelled in time"  # before the next charge
    CANCELLED = "cancelled"  # or paused
    NOTHING_LISTED = "nothing listed"  # neither a tier nor an amount
    STILL_FREE_MEMBER = "still free member"


_CHARGES = {
    ChargeStatus.PENDING: Term.PENDING,
    ChargeStatus.FREE_TRIAL: Term.FREE_TRIAL,
    ChargeStatus.REFUNDED: Term.REFUNDED,
    ChargeStatus.REFUNDED_BY_PATREON: Term.REFUNDED_BY_PATREON,
    ChargeStatus.PARTIALLY_REFUNDED: Term.PARTLY_REFUNDED,
    ChargeStatus.FRAUD: Term.FRAUD,
    ChargeStatus.DELETED: Term.DELETED,
    ChargeStatus.DECLINED: Term.DECLINED,
}


def charge_terms(reading: Membership) -> tuple[Term, ...]:
    """Return how the last charge went, and whether there is a word that we do not know."""
    unknown = (Term.UNKNOWN_WORDS,) if reading.unknown_words else ()
    if reading.is_gifted:
        return (*unknown, Term.GIFT)
    if reading.is_free_trial:
        return (*unknown, Term.COMPLIMENTARY if _is_complimentary(reading) else Term.FREE_TRIAL)
    charge = None if _is_uncharged(reading) else _CHARGES.get(reading.charge_status)
    return unknown if charge is None else (*unknown, charge)


def pledge_terms(reading: Membership, tiers: Mapping[TierId, Tier]) -> tuple[Term, ...]:
    """Return how a pledge that counts now is paid; `tiers` are the campaign's own."""
    terms = list(charge_terms(reading))
    if reading.is_gifted:
        return tuple(terms)
    if reading.cadence_months == YEAR:
        terms.append(Term.YEARLY)
    elif reading.cadence_months is not None and reading.cadence_months > 1:
        terms.append(Term.CADENCE)
    if all(_is_free(tier_id, tiers) for tier_id in reading.tier_ids):
        terms.append(Term.NO_TIER)
    elif _is_discounted(reading, tiers):
        terms.append(Term.DISCOUNTED)
    return tuple(terms)


def lapse_terms(entitlement: Entitlement, reading: Membership) -> tuple[Term, ...]:
    """Return why a pledge that is still listed counts no more."""
    why = charge_terms(reading)
    if reading.patron_status is PatronStatus.FORMER and not why and not never_began(reading):
        why = (Term.CANCELLED_IN_TIME if _is_uncharged(reading) else Term.CANCELLED,)
    elif is_tierless(reading) and reading.charge_status not in TAKEN_BACK:
        why = (*why, Term.NOTHING_LISTED)
    return (*why, Term.STILL_FREE_MEMBER) if entitlement.is_free_member else why


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
