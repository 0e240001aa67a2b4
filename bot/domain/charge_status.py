"""Patreon's words for how a patron's last charge went, and what each means for roles. Pure.

A new word is a line of the enum and one of `MEANINGS`. Is there something to say about it, then it has a term too
(`pledge_terms.py`), and a sentence (`texts/decisions.py`). Documents are read by the enum: nothing changes there.
"""

import enum


class ChargeStatus(enum.StrEnum):
    """Patreon's `last_charge_status` (API v2 docs, Member)."""

    PAID = "Paid"
    DECLINED = "Declined"
    DELETED = "Deleted"
    PENDING = "Pending"
    REFUNDED = "Refunded"
    REFUNDED_BY_PATREON = "Refunded by Patreon"
    PARTIALLY_REFUNDED = "Partially Refunded"
    FRAUD = "Fraud"
    FREE_TRIAL = "Free Trial"
    OTHER = "Other"
    NEVER = ""  # null: nothing was charged yet
    UNKNOWN = "?"


class ChargeMeaning(enum.Enum):
    """What a charge says of the pledge that it was made for."""

    PAID = enum.auto()  # money came, or is on its way
    TAKEN_BACK = enum.auto()  # the pledge entitles to nothing, whatever the patron's status
    TRIED_AGAIN = enum.auto()  # an active patron counts as declined
    FREE = enum.auto()  # nothing is charged for now
    NOTHING = enum.auto()  # the patron's status decides


MEANINGS = {
    ChargeStatus.PAID: ChargeMeaning.PAID,
    ChargeStatus.DECLINED: ChargeMeaning.TRIED_AGAIN,
    ChargeStatus.DELETED: ChargeMeaning.TAKEN_BACK,
    ChargeStatus.PENDING: ChargeMeaning.PAID,
    ChargeStatus.REFUNDED: ChargeMeaning.TAKEN_BACK,
    ChargeStatus.REFUNDED_BY_PATREON: ChargeMeaning.TAKEN_BACK,
    ChargeStatus.PARTIALLY_REFUNDED: ChargeMeaning.PAID,
    ChargeStatus.FRAUD: ChargeMeaning.TAKEN_BACK,
    ChargeStatus.FREE_TRIAL: ChargeMeaning.FREE,
    ChargeStatus.OTHER: ChargeMeaning.NOTHING,
    ChargeStatus.NEVER: ChargeMeaning.NOTHING,
    ChargeStatus.UNKNOWN: ChargeMeaning.NOTHING,
}


def _all(meaning: ChargeMeaning) -> frozenset[ChargeStatus]:
    return frozenset(status for status, means in MEANINGS.items() if means is meaning)


PAID_SOMEHOW = _all(ChargeMeaning.PAID)
TAKEN_BACK = _all(ChargeMeaning.TAKEN_BACK)
TRIED_AGAIN = _all(ChargeMeaning.TRIED_AGAIN)
FREE_OF_CHARGE = _all(ChargeMeaning.FREE)
