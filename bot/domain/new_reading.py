"""How a new reading changes what we know of a membership. Pure: no clock, no storage, no opinion on roles.

Rules:
1. An older reading never overwrites a newer one, in whatever order they arrive.
2. An unproven reading stands beside the believed one; it does not touch memory. Newer proof takes it away.
3. Absence is a fact of its own: the last reading stays beside it, with the time since when it no longer counts.
   Of somebody whom a campaign never listed there is no record: the request that proves it says so for all of them.
4. That a reading names no Discord account proves little, for Patreon loses them by the page (wise-old-man #1488). The
   account that it named before is remembered until a second whole list, a day after the first, names none either.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec

from bot.domain.charge_status import FREE_OF_CHARGE, PAID_SOMEHOW, TRIED_AGAIN, ChargeStatus
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Link,
    Membership,
    MembershipRecord,
    Memory,
    PatreonUserId,
    TierId,
)
from bot.domain.patron_status import PatronStatus

ACCOUNT_PATIENCE = timedelta(hours=24)
GONE = 0  # in place of the fingerprint of someone whom a complete read no longer listed
PLEDGED = frozenset({PatronStatus.ACTIVE, PatronStatus.DECLINED})
PLEDGELESS = frozenset({PatronStatus.NEVER, PatronStatus.FORMER})

_encode = msgspec.msgpack.Encoder().encode


def is_declined(reading: Membership) -> bool:
    """Tell whether Patreon is still trying to charge: v1 by `declined_since`, v2 by status or last charge.

    A gift is not charged: what was declined is an older pledge.
    """
    if reading.is_gifted and reading.tier_ids:
        return False
    if reading.declined_since is not None or reading.patron_status is PatronStatus.DECLINED:
        return True
    return reading.patron_status is PatronStatus.ACTIVE and reading.charge_status in TRIED_AGAIN


def is_tierless(reading: Membership) -> bool:
    """Tell whether an active v2 patron has no tier: a deleted tier, or the blank that Patreon shows now and then.

    On v1 (no membership id) a pledge without a reward is ordinary.
    """
    return reading.patron_status is PatronStatus.ACTIVE and not reading.tier_ids and reading.membership_id is not None


def is_hollow(reading: Membership) -> bool:
    """Tell whether an active v2 patron is entitled to tiers and to no money.

    It is a whole discount, or the Free tier that shows where the paid one blanks out: who knows the prices can tell.
    """
    return is_centless(reading) and bool(reading.tier_ids)


def is_centless(reading: Membership) -> bool:
    """Tell whether an active v2 patron, who is to pay, is entitled to no money, whatever tiers are listed."""
    if is_free_of_charge(reading) or reading.entitled_cents:
        return False
    return reading.patron_status is PatronStatus.ACTIVE and reading.membership_id is not None


def is_free_of_charge(reading: Membership) -> bool:
    """Tell whether nobody charges them: a gift, a trial, a complimentary membership (a trial that never ends)."""
    return reading.is_gifted or reading.is_free_trial or reading.charge_status in FREE_OF_CHARGE


def is_in_doubt(reading: Membership) -> bool:
    """Tell whether what a reading does not give may only be unread: it may give a role, and takes none.

    No status that we know; a value that roles rest on and that nobody can read; neither a tier nor an amount; a charge
    or money of somebody who is said never to have pledged.
    """
    if reading.unread or reading.patron_status is PatronStatus.UNKNOWN:
        return True
    if reading.patron_status is PatronStatus.ACTIVE and reading.entitled_cents is None:
        return not reading.tier_ids or reading.membership_id is not None
    has_paid = bool(reading.entitled_cents) or reading.charge_status in PAID_SOMEHOW
    return reading.patron_status is PatronStatus.NEVER and has_paid


def has_turned(previous: MembershipRecord | None, reading: Membership) -> bool:
    """Tell whether a pledge began or ended since the last reading: each API version has a webhook for both."""
    latest = None if previous is None else previous.unproven or previous.believed
    was_pledged = latest is not None and latest.patron_status in PLEDGED
    return was_pledged is not (reading.patron_status in PLEDGED)


def is_listed(record: MembershipRecord) -> bool:
    """Tell whether Patreon shows this patron there, paying or not."""
    return (record.believed is not None and record.memory.gone_since is None) or record.unproven is not None


def known_account(record: MembershipRecord) -> DiscordUserId | None:
    """Return the Discord account that Patreon reports of this patron, or did until it may have lost it."""
    named = [one.discord_user_id for one in (record.unproven, record.believed) if one is not None]
    return next((one for one in named if one is not None), record.memory.lost_account)


def fingerprint(reading: Membership) -> int:
    """Return a number that differs where two readings differ in anything but when and how they were read; never GONE.

    The same in every process, for it is stored. Another number for what is stored makes everybody news, once.
    """
    facts = (
        reading.membership_id,
        reading.full_name,
        reading.patron_status,
        reading.charge_status,
        reading.unknown_words,
        reading.unread,
        reading.tier_ids,
        reading.entitled_cents,
        reading.will_pay_cents,
        reading.lifetime_cents,
        reading.is_gifted,
        reading.is_free_trial,
        reading.pledge_started_at,
        reading.last_charge_at,
        reading.next_charge_at,
        reading.cadence_months,
        reading.declined_since,
        reading.discord_user_id,
    )
    digest = blake2b(_encode(facts), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


def mark_of(record: MembershipRecord) -> int | None:
    """Return all that whoever reads lists has to know of an ordinary record: its fingerprint, or GONE; None of others.

    Not ordinary is what changes with time alone, is doubted, could not be read, or lost its account.
    """
    latest, memory = record.believed, record.memory
    since = memory.declined_since, memory.tierless_since, memory.centless_since, memory.lost_account, memory.lost_since
    if latest is None or record.unproven is not None or latest.unread or latest.unknown_words:
        return None
    if memory.unlisted_since or any(one is not None for one in since):
        return None
    if memory.gone_since is None:
        return fingerprint(latest)
    return GONE if latest.membership_id is not None else None  # on v1 there is a grace


def matters(reading: Membership) -> bool:
    """Tell whether someone unlinked and unknown is worth storing: a patron, not a follower, nor a free member.

    The Free tier entitles every follower: a tier for no money that nobody gave is that one.
    """
    if reading.patron_status in PLEDGELESS:
        is_entitled = bool(reading.tier_ids) and (reading.entitled_cents != 0 or reading.is_gifted)
        return is_entitled or reading.discord_user_id is not None
    return True


def take_reading(
    previous: MembershipRecord | None, reading: Membership, *, is_believed: bool = True
) -> MembershipRecord:
    """Return the record as it is after `reading`; the previous one where that rests on a newer request."""
    record = previous or MembershipRecord(campaign_id=reading.campaign_id, patreon_user_id=reading.patreon_user_id)
    newer_doubt = _newer_doubt(record, reading.read_started_at)
    if _is_proven_after(record, reading.read_started_at):
        return record
    if not is_believed:
        return msgspec.structs.replace(record, unproven=newer_doubt or reading)
    memory = _remember(record, reading)
    return msgspec.structs.replace(record, believed=reading, unproven=newer_doubt, memory=memory)


def believe(record: MembershipRecord) -> MembershipRecord:
    """Return the record with its unproven reading believed."""
    return record if record.unproven is None else take_reading(record, record.unproven)


def take_absence(
    previous: MembershipRecord | None,
    *,
    campaign_id: CampaignId,
    patreon_user_id: PatreonUserId,
    read_started_at: datetime,
) -> MembershipRecord:
    """Return the record after a read, proven complete, that did not list this patron."""
    record = previous or MembershipRecord(campaign_id=campaign_id, patreon_user_id=patreon_user_id)
    if _is_proven_after(record, read_started_at):
        return record
    memory = msgspec.structs.replace(record.memory, gone_since=record.memory.gone_since or read_started_at)
    return msgspec.structs.replace(record, unproven=_newer_doubt(record, read_started_at), memory=memory)


def absent_since(link: Link, *, proven_at: datetime | None, followed_since: datetime | None) -> datetime | None:
    """Return when the newest request began that proves that a campaign never listed a linked patron without a record.

    None where none does. A whole list does (`proven_at`) where it was asked for since they are linked: of somebody
    unlinked who is on it, a follower or a patron of the past, nothing is stored. Their own consent does, where the
    campaign was followed by then: of others, nothing that it tells is stored.
    """
    by_list = proven_at if proven_at is not None and proven_at >= link.linked_at else None
    is_told = link.read_at is not None and followed_since is not None and followed_since <= link.read_at
    return max((at for at in (by_list, link.read_at if is_told else None) if at is not None), default=None)


def with_absence(
    record: MembershipRecord | None, *, campaign_id: CampaignId, link: Link, since: datetime | None
) -> MembershipRecord | None:
    """Return what is known of a linked patron in a campaign, with the absence that `absent_since` tells of.

    What was proven of them says more; what a doubted list shows stays beside it where it is newer.
    """
    is_told = record is not None and (record.believed is not None or record.memory.gone_since is not None)
    if is_told or since is None:
        return record
    return take_absence(record, campaign_id=campaign_id, patreon_user_id=link.patreon_user_id, read_started_at=since)


def miss_account(record: MembershipRecord, *, read_started_at: datetime) -> MembershipRecord:
    """Return the record after a whole list, sound in its accounts, that named none for this patron.

    Where a newer reading names one, there is none to miss.
    """
    memory = record.memory
    if memory.lost_account is None:
        return record
    since = memory.lost_since or read_started_at
    if read_started_at - since < ACCOUNT_PATIENCE:
        memory = msgspec.structs.replace(memory, lost_since=since)
    else:
        memory = msgspec.structs.replace(memory, lost_account=None, lost_since=None)
    return msgspec.structs.replace(record, memory=memory)


def _is_proven_after(record: MembershipRecord, moment: datetime) -> bool:
    """Tell whether what the record believes was asked for after `moment`."""
    is_read_after = record.believed is not None and record.believed.read_started_at > moment
    return is_read_after or (record.memory.gone_since is not None and record.memory.gone_since > moment)


def _newer_doubt(record: MembershipRecord, moment: datetime) -> Membership | None:
    """Return the unproven reading where it was asked for after `moment`."""
    return record.unproven if record.unproven is not None and record.unproven.read_started_at > moment else None


def _remember(record: MembershipRecord, reading: Membership) -> Memory:
    memory = record.memory
    declined, hollow = is_declined(reading), is_hollow(reading)
    is_tried_again = reading.patron_status is PatronStatus.ACTIVE and reading.charge_status is ChargeStatus.PENDING
    previous = record.believed
    named_before = memory.lost_account or (None if previous is None else previous.discord_user_id)
    is_named = reading.discord_user_id is not None
    is_doubtful = is_tierless(reading) or (hollow and not declined)
    remembered = msgspec.structs.replace(
        memory,
        declined_since=(memory.declined_since or reading.declined_since or reading.read_started_at)
        if declined
        else memory.declined_since  # a retry that is under way: when it fails too, it is still the same decline
        if is_tried_again
        else None,
        tierless_since=(memory.tierless_since or reading.read_started_at) if is_doubtful else None,
        unlisted_since=_unlisted(record, reading) if is_doubtful else {},
        centless_since=(memory.centless_since or reading.read_started_at) if is_centless(reading) else None,
        gone_since=None,
        lost_account=None if is_named else named_before,
        lost_since=None if is_named else memory.lost_since,
    )
    if reading.patron_status is not PatronStatus.ACTIVE or declined or is_tierless(reading):
        return remembered
    if hollow and memory.last_active_at is not None:
        both = {*memory.last_active_tier_ids, *reading.tier_ids}
        return msgspec.structs.replace(remembered, last_active_tier_ids=tuple(sorted(both)))
    return msgspec.structs.replace(
        remembered,
        last_active_at=reading.read_started_at,
        last_active_tier_ids=reading.tier_ids,
        last_active_cents=reading.entitled_cents,
        last_active_will_pay_cents=reading.will_pay_cents,
        last_active_cadence_months=reading.cadence_months,
        was_free_of_charge=is_free_of_charge(reading),
    )


def _unlisted(record: MembershipRecord, reading: Membership) -> dict[TierId, datetime]:
    """Return since when each tier is listed no more that some reading since `tierless_since` still listed.

    Only who knows the prices can tell whether that began a new blank: the Free tier comes and goes within one.
    """
    if record.memory.tierless_since is None or record.believed is None:
        return {}
    known = {**dict.fromkeys(record.believed.tier_ids, reading.read_started_at), **record.memory.unlisted_since}
    return {tier_id: since for tier_id, since in known.items() if tier_id not in reading.tier_ids}
