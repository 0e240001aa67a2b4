"""What one membership entitles to, now. Pure: `now` is an argument; knows no role, no rule and no Discord.

The cases, in the order in which they are asked (Patreon API v2 docs, Member; Patreon's staff in the developer forum):

    no reading, never listed              NONE
    last charge refunded, fraud, deleted  LAPSED     unless gifted
    gone, v2                              LAPSED     a complete read no longer listed them
    gone, v1 undeclined                   GRACE      v1 drops the cancelled at once: grace_days from then with the last
                                                     active roles, then LAPSED
    declined                              GRACE      unless gifted; grace_days from our first read of it, with the last
                                                     active roles, then LAPSED
    gifted, with tiers                    ACTIVE     0 cents are right for a gift
    active, no tiers (v2)                 WAITING    72 h with the last active roles, for Patreon blanks tiers until the
                                                     card is charged, two or three days after the 1st; then by amount
    active, no tiers (v1)                 ACTIVE     a custom or old pledge: by amount, where that is told
    active, Free tier only, no money      as with no tiers where something was paid before, then FREE
    active, Free tier only, with money    ACTIVE     by amount
    active, paid tier, no money           ACTIVE     for 72 h by no less than the last amount; then by the tier's price
    active                                ACTIVE     Paid, Pending, Free Trial, Partially Refunded, Other, null, unknown
    unknown patron status                 ACTIVE with tiers or money, else WAITING: in doubt a role stays
    former, paid tiers still listed       ENDING     cancelled or paused: to the end of the paid period
    former                                LAPSED     still a free member where the Free tier is listed
    never pledged, on a trial             ACTIVE     with a paid tier: complimentary
    never pledged                         FREE       the Free tier is not paying

A blank is believed when a reading at least 72 h after the first blank one shows it still. Amounts are amount.py's.
"""

import enum
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import assert_never

import msgspec

from bot.domain.amount import cents_a_month, pay_remembered, pay_told
from bot.domain.charge_status import TAKEN_BACK, ChargeStatus
from bot.domain.model import Membership, MembershipRecord, Memory, Tier, TierId
from bot.domain.new_reading import believe, is_declined, is_hollow, is_tierless
from bot.domain.patron_status import PatronStatus

BLANK_PATIENCE = timedelta(hours=72)  # jwz.org/blog/2022/06/13; cards are charged two to three days after the 1st


class Standing(enum.StrEnum):
    """Where a patron stands with one campaign."""

    ACTIVE = "active"
    ENDING = "ending"
    GRACE = "grace"
    WAITING = "waiting"
    LAPSED = "lapsed"
    FREE = "free"
    NONE = "none"


_ENDS = frozenset({Standing.ENDING, Standing.GRACE, Standing.WAITING})


class Entitlement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What counts for roles. `until` is when it ends by what is known now; `reading` is the fact it rests on."""

    standing: Standing
    is_paying: bool = False
    tier_ids: frozenset[TierId] = frozenset()
    cents: int = 0
    until: datetime | None = None
    months: int | None = None  # whole months since the pledge began; None: not told
    reading: Membership | None = None

    @property
    def lifetime_cents(self) -> int | None:
        """What was paid altogether; None: not told."""
        return None if self.reading is None else self.reading.lifetime_cents

    @property
    def ends_at(self) -> datetime | None:
        """When the standing ends by itself; None: by what is known, it does not, or it has."""
        return self.until if self.standing in _ENDS else None

    @property
    def is_free_member(self) -> bool:
        """Tell whether they are a member without paying: who never paid, or who cancelled and stayed."""
        return self.standing is Standing.FREE or (self.standing is Standing.LAPSED and bool(self.tier_ids))

    @property
    def has_paid(self) -> bool:
        """Tell whether there ever was a payment that Patreon did not take back."""
        if self.lifetime_cents is not None:
            return self.lifetime_cents > 0
        return self.reading is not None and self.reading.charge_status not in {*TAKEN_BACK, ChargeStatus.NEVER}


def entitle(record: MembershipRecord, *, tiers: Mapping[TierId, Tier], now: datetime, grace_days: int) -> Entitlement:
    """Work out what the believed part of `record` entitles to. Of all `tiers`, only its own campaign's count."""
    own = {tier_id: tier for tier_id, tier in tiers.items() if tier.campaign_id == record.campaign_id}
    entitlement = _entitle(record, tiers=own, now=now, grace_days=grace_days)
    began = None if entitlement.reading is None else entitlement.reading.pledge_started_at
    return entitlement if began is None else msgspec.structs.replace(entitlement, months=whole_months(began, now))


def whole_months(since: datetime, now: datetime) -> int:
    """Count the calendar months that are over: from the 31st of January, the first is over on the 1st of March."""
    months = (now.year - since.year) * 12 + now.month - since.month
    is_short = (now.day, now.timetz()) < (since.day, since.timetz())
    return max(months - is_short, 0)


def _entitle(record: MembershipRecord, *, tiers: Mapping[TierId, Tier], now: datetime, grace_days: int) -> Entitlement:
    reading = record.believed
    gone_since = record.memory.gone_since
    if reading is None:
        return Entitlement(standing=Standing.NONE)
    if reading.charge_status in TAKEN_BACK and not reading.is_gifted:
        return Entitlement(standing=Standing.LAPSED, reading=reading)
    if gone_since is not None:
        if reading.membership_id is None and not is_declined(reading):
            return _grace(record, since=gone_since, tiers=tiers, now=now, grace_days=grace_days)
        return Entitlement(standing=Standing.LAPSED, reading=reading)
    if is_declined(reading):
        since = record.memory.declined_since or reading.read_started_at
        return _grace(record, since=since, tiers=tiers, now=now, grace_days=grace_days)
    return _by_status(record, reading, tiers=tiers)


def entitle_unproven(
    record: MembershipRecord, *, tiers: Mapping[TierId, Tier], now: datetime, grace_days: int
) -> Entitlement | None:
    """Work out what the unproven reading would entitle to, were it believed; None where there is none."""
    if record.unproven is None:
        return None
    return entitle(believe(record), tiers=tiers, now=now, grace_days=grace_days)


def _by_status(record: MembershipRecord, reading: Membership, *, tiers: Mapping[TierId, Tier]) -> Entitlement:
    paid_tiers = _paid_tiers(reading.tier_ids, tiers)
    is_untold = reading.membership_id is None and reading.entitled_cents is None  # v1 lists nobody who does not pay
    has_substance = bool(paid_tiers) or bool(reading.entitled_cents) or is_untold
    is_given = reading.is_gifted or (reading.is_free_trial and reading.patron_status is PatronStatus.NEVER)
    if is_given and paid_tiers:
        return _entitled(Standing.ACTIVE, reading, tiers)
    has_lost_tiers = is_hollow(reading) and not paid_tiers and _has_paid(record.memory, tiers)
    if is_tierless(reading) or has_lost_tiers:
        return _tierless(record, reading, tiers=tiers)
    match reading.patron_status:
        case PatronStatus.ACTIVE:
            return _active(record, reading, tiers) if has_substance else _unpaid(reading)
        case PatronStatus.UNKNOWN:
            return _entitled(Standing.ACTIVE, reading, tiers) if has_substance else _as_before(record, reading, tiers)
        case PatronStatus.FORMER if paid_tiers:
            ending = _entitled(Standing.ENDING, reading, tiers)
            return msgspec.structs.replace(ending, until=reading.next_charge_at)
        case PatronStatus.FORMER:
            return Entitlement(standing=Standing.LAPSED, tier_ids=frozenset(reading.tier_ids), reading=reading)
        case PatronStatus.NEVER | PatronStatus.DECLINED:  # declined, once gifted, with the Free tier alone
            return _unpaid(reading)
        case _:
            assert_never(reading.patron_status)


def _paid_tiers(listed: Iterable[TierId], tiers: Mapping[TierId, Tier]) -> frozenset[TierId]:
    """Return the tiers listed that are not the Free tier; one that we have never seen counts as paid."""
    return frozenset(tier_id for tier_id in listed if tier_id not in tiers or tiers[tier_id].amount_cents > 0)


def _has_paid(memory: Memory, tiers: Mapping[TierId, Tier]) -> bool:
    """Tell whether the last active reading was that of a paying patron: the Free tier alone is not."""
    if memory.last_active_at is None:
        return False
    has_free_alone = bool(memory.last_active_tier_ids) and not _paid_tiers(memory.last_active_tier_ids, tiers)
    return not has_free_alone or bool(memory.last_active_cents)


def _active(record: MembershipRecord, reading: Membership, tiers: Mapping[TierId, Tier]) -> Entitlement:
    """Entitle an active patron with a tier: as long as their money may be blank only, by no less than the last."""
    entitlement, since = _entitled(Standing.ACTIVE, reading, tiers), record.memory.centless_since
    if since is None or reading.read_started_at - since >= BLANK_PATIENCE:
        return entitlement
    cents = max(entitlement.cents, cents_a_month(pay_remembered(record.memory), tiers))
    return msgspec.structs.replace(entitlement, cents=cents)


def _entitled(standing: Standing, reading: Membership, tiers: Mapping[TierId, Tier]) -> Entitlement:
    cents = cents_a_month(pay_told(reading), tiers)
    return Entitlement(
        standing=standing,
        is_paying=True,
        tier_ids=frozenset(reading.tier_ids)
        | (frozenset() if _paid_tiers(reading.tier_ids, tiers) else _tier_for(cents, tiers)),
        cents=cents,
        reading=reading,
    )


def _unpaid(reading: Membership) -> Entitlement:
    return Entitlement(standing=Standing.FREE, tier_ids=frozenset(reading.tier_ids), reading=reading)


def _as_before(
    record: MembershipRecord,
    reading: Membership,
    tiers: Mapping[TierId, Tier],
    *,
    standing: Standing = Standing.WAITING,
    until: datetime | None = None,
) -> Entitlement:
    """Keep what the last active reading gave; nothing where there never was one."""
    memory = record.memory
    cents = cents_a_month(pay_remembered(memory), tiers)
    return Entitlement(
        standing=standing,
        is_paying=_has_paid(memory, tiers),
        tier_ids=frozenset(memory.last_active_tier_ids) or _tier_for(cents, tiers),
        cents=cents,
        until=until,
        reading=reading,
    )


def _grace(
    record: MembershipRecord, *, since: datetime, tiers: Mapping[TierId, Tier], now: datetime, grace_days: int
) -> Entitlement:
    reading = record.believed
    until = _later(since, timedelta(days=grace_days))
    if reading is None or now >= until:
        return Entitlement(standing=Standing.LAPSED, until=until, reading=reading)
    return _as_before(record, reading, tiers, standing=Standing.GRACE, until=until)


def _later(moment: datetime, step: timedelta) -> datetime:
    """Add to a moment; there is none after the last that Python knows."""
    try:
        return moment + step
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _tierless(record: MembershipRecord, reading: Membership, *, tiers: Mapping[TierId, Tier]) -> Entitlement:
    since = _blank_since(record.memory, tiers) or reading.read_started_at
    if reading.read_started_at - since < BLANK_PATIENCE:
        return _as_before(record, reading, tiers, until=since + BLANK_PATIENCE)
    cents = reading.entitled_cents or 0
    if cents == 0:
        return _unpaid(reading) if reading.tier_ids else Entitlement(standing=Standing.LAPSED, reading=reading)
    if cents == record.memory.last_active_cents:  # the same money: their tier was deleted, nothing else changed
        return _as_before(record, reading, tiers, standing=Standing.ACTIVE)
    return _entitled(Standing.ACTIVE, reading, tiers)


def _blank_since(memory: Memory, tiers: Mapping[TierId, Tier]) -> datetime | None:
    """Return since when no paid tier is listed: a whole discount went before, where one was at first."""
    paid = _paid_tiers(memory.unlisted_since, tiers)
    lost = [since for tier_id, since in memory.unlisted_since.items() if tier_id in paid]
    return max(lost, default=memory.tierless_since)


def _tier_for(cents: int, tiers: Mapping[TierId, Tier]) -> frozenset[TierId]:
    """Return the dearest tiers of the campaign that this amount pays for."""
    affordable = [tier for tier in tiers.values() if 0 < tier.amount_cents <= cents]
    dearest = max((tier.amount_cents for tier in affordable), default=0)
    return frozenset(tier.tier_id for tier in affordable if tier.amount_cents == dearest)
