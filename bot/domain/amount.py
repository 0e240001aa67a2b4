"""What somebody pays a month, for rules on amounts and for the tier by amount. Pure; the only place that works it out.

`currently_entitled_amount_cents` is not it: of a pledge for n months it may be the month's or the whole period's
(patreon-wordpress #120 and #121 divide by `pledge_cadence`), for a gift it is 0, it falls with a discount and drifts
with the patron's currency. What holds is the price of the tier that Patreon lists: the floor.

    paid tiers listed   cents                                floor
    none                any                                  none
    one                 any                                  its price
    several             a gift, a trial, or not told         the dearest
    several             told                                 the dearest that they reach, or that the next charge
                                                             reaches; where they reach none, the cheapest

So who upgrades, cancels and pledges cheaply again does not count by the tier whose paid rest is still listed.

    n    cents                                               amount
    any  not told                                            the floor
    > 1  at least half the floor, each month                 cents / n, at least the floor
    > 1  less                                                cents, at least the floor
    > 1  without a floor                                     cents / n
    1    any                                                 cents, at least the floor

What several tiers are compared with is the month's share beside the cheapest of them, unless it is a tier's very price.
"""

from collections.abc import Collection, Mapping

import msgspec

from bot.domain.model import Membership, Memory, Tier, TierId
from bot.domain.new_reading import is_free_of_charge


class Pay(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading says of money."""

    tier_ids: Collection[TierId] = ()
    cents: int | None = None
    will_pay_cents: int | None = None
    cadence_months: int | None = None
    is_free_of_charge: bool = False


def pay_told(reading: Membership) -> Pay:
    """Return what a reading says of money."""
    return Pay(
        tier_ids=reading.tier_ids,
        cents=reading.entitled_cents,
        will_pay_cents=reading.will_pay_cents,
        cadence_months=reading.cadence_months,
        is_free_of_charge=is_free_of_charge(reading),
    )


def pay_remembered(memory: Memory) -> Pay:
    """Return what the last active reading said of money."""
    return Pay(
        tier_ids=memory.last_active_tier_ids,
        cents=memory.last_active_cents,
        will_pay_cents=memory.last_active_will_pay_cents,
        cadence_months=memory.last_active_cadence_months,
        is_free_of_charge=memory.was_free_of_charge,
    )


def cents_a_month(pay: Pay, tiers: Mapping[TierId, Tier]) -> int:
    """Return what somebody pays a month, in cents; `tiers` are the campaign's own."""
    floor = find_floor(pay, tiers)
    return floor if pay.cents is None else max(floor, _share(pay.cents, pay.cadence_months, floor))


def month_told(pay: Pay, tiers: Mapping[TierId, Tier]) -> int | None:
    """Return the month's share of what Patreon says, whatever the tier costs; None: it says nothing."""
    return None if pay.cents is None else _share(pay.cents, pay.cadence_months, find_floor(pay, tiers))


def find_floor(pay: Pay, tiers: Mapping[TierId, Tier]) -> int:
    """Return the price of the dearest paid tier listed that counts; 0 where none is."""
    prices = paid_prices(pay.tier_ids, tiers)
    if len(prices) < 2 or pay.is_free_of_charge or pay.cents is None:
        return max(prices, default=0)
    reached = [_reached(cents or 0, pay.cadence_months, prices) for cents in (pay.cents, pay.will_pay_cents)]
    return max(reached) or min(prices)


def paid_prices(tier_ids: Collection[TierId], tiers: Mapping[TierId, Tier]) -> frozenset[int]:
    """Return the prices of the paid tiers among those listed, as far as they are known."""
    listed = (tiers[tier_id].amount_cents for tier_id in tier_ids if tier_id in tiers)
    return frozenset(price for price in listed if price > 0)


def _reached(cents: int, months: int | None, prices: Collection[int]) -> int:
    share = cents if cents in prices else _share(cents, months, min(prices))
    return max((price for price in prices if price <= share), default=0)


def _share(cents: int, months: int | None, floor: int) -> int:
    """Return the month's share of cents that may be the month's already: they are the period's if that is likelier."""
    if months is None or months <= 1 or 2 * cents < months * floor:
        return cents
    return cents // months
