"""Which of several rows of one user in one campaign counts, and what an identity's rows do to what is known. Pure.

A user who deleted a membership and renewed it has two of them (Patreon platform-documentation #13), on any page and in
any order. The one that entitles counts, by what `entitlement.py` makes of each alone, then by what it pays a month;
between equals the one known before stays:

    6   ACTIVE
    5   ... by a status that we do not know; active without a tier, but with money: by amount after a second look
    4   ENDING: cancelled or paused, paid to the end
    3   GRACE: declined, however long ago
    2   WAITING: active or unknown, with neither tier nor money
    1   a free member
    0   LAPSED: former; refunded, fraud, deleted

The tiers are given in, for the Free tier pays nothing. One that was never seen counts as paid.

A row of another membership than the known one counts at once only where it outweighs that: what the known one says now
is not told by it. A whole list tells, see `bulk.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from bot.domain.amount import cents_a_month, pay_told
from bot.domain.entitlement import Standing, entitle
from bot.domain.model import CampaignId, Identity, Membership, MembershipId, MembershipRecord, Tier, TierId
from bot.domain.new_reading import take_absence, take_reading
from bot.domain.patron_status import PatronStatus

Tiers = Mapping[TierId, Tier]  # one campaign's

ENDLESS_DAYS = 1_000_000


def weigh(reading: Membership, tiers: Tiers) -> tuple[int, int]:
    """Return how much a row entitles to, as the table above has it."""
    return _weight(reading, tiers), cents_a_month(pay_told(reading), tiers)


def _weight(reading: Membership, tiers: Tiers) -> int:
    alone = take_reading(None, reading)
    entitlement = entitle(alone, tiers=tiers, now=reading.read_started_at, grace_days=ENDLESS_DAYS)
    match entitlement.standing:
        case Standing.ACTIVE:
            return 5 if reading.patron_status is PatronStatus.UNKNOWN else 6
        case Standing.ENDING:
            return 4
        case Standing.GRACE:
            return 3
        case Standing.WAITING:
            return 5 if reading.entitled_cents else 2
        case Standing.FREE | Standing.LAPSED | Standing.NONE:
            return 1 if entitlement.is_free_member else 0
        case _:
            assert_never(entitlement.standing)


def choose(rows: Sequence[Membership], known: MembershipId | None, tiers: Tiers) -> Membership:
    """Return the row that counts of one user's; `known` is the membership that counted before."""
    return max(rows, key=lambda row: (*weigh(row, tiers), row.membership_id == known, row.membership_id or ""))


def latest_of(record: MembershipRecord | None) -> Membership | None:
    """Return the newest reading of a record, believed or not; None where the patron is proven gone since."""
    if record is None or record.unproven is not None:
        return None if record is None else record.unproven
    return record.believed if record.memory.gone_since is None else None


def is_another(record: MembershipRecord | None, reading: Membership) -> bool:
    """Tell whether a reading is of another membership of the user than the known one. API v1 names none."""
    latest = latest_of(record)
    ids = (None if latest is None else latest.membership_id, reading.membership_id)
    return None not in ids and ids[0] != ids[1]


def counts(record: MembershipRecord | None, reading: Membership, tiers: Tiers) -> bool:
    """Tell whether a reading may take the place of what is known; one of a lighter other membership may not."""
    latest = latest_of(record)
    return latest is None or not is_another(record, reading) or weigh(reading, tiers) > weigh(latest, tiers)


def take_identity(
    previous: Mapping[CampaignId, MembershipRecord],
    identity: Identity,
    *,
    campaign_ids: Iterable[CampaignId],
    tiers: Mapping[CampaignId, Tiers],
    read_started_at: datetime,
) -> tuple[MembershipRecord, ...]:
    """Return a record for each of `campaign_ids` of which something is known. Other campaigns' are dropped.

    That it does not name a campaign which never listed them is no record: `record.absent_since`.
    """
    found = (
        _take_rows(
            previous.get(campaign_id),
            identity,
            campaign_id=campaign_id,
            tiers=tiers.get(campaign_id, {}),
            read_started_at=read_started_at,
        )
        for campaign_id in campaign_ids
    )
    return tuple(record for record in found if record is not None)


def _take_rows(
    previous: MembershipRecord | None,
    identity: Identity,
    *,
    campaign_id: CampaignId,
    tiers: Tiers,
    read_started_at: datetime,
) -> MembershipRecord | None:
    rows = [one for one in identity.memberships if one.campaign_id == campaign_id]
    if rows:
        latest = latest_of(previous)
        known = None if latest is None else latest.membership_id
        chosen = choose(rows, known, tiers)
        is_known_there = any(row.membership_id == known for row in rows)
        if known is None and not identity.is_whole and latest is not None:  # v1: the known one may be what is missing
            return take_reading(previous, chosen) if weigh(chosen, tiers) >= weigh(latest, tiers) else previous
        return take_reading(previous, chosen) if is_known_there or counts(previous, chosen, tiers) else previous
    if previous is None or not identity.is_whole:
        return previous
    return _take_silence(previous, read_started_at=read_started_at)


def _take_silence(previous: MembershipRecord, *, read_started_at: datetime) -> MembershipRecord:
    """Return the record after an identity that does not list this campaign.

    On v2 that proves nothing: one that ended is listed as former, and Patreon has left relations out before
    (patreon-docs PR #53). On v1 (no membership id) a pledge that ended is listed no more, and grace begins.
    """
    if previous.believed is not None and previous.believed.membership_id is not None:
        return previous
    return take_absence(
        previous,
        campaign_id=previous.campaign_id,
        patreon_user_id=previous.patreon_user_id,
        read_started_at=read_started_at,
    )
