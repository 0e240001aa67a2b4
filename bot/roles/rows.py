"""Which of several rows of one user in one campaign counts, and what an identity's rows do to what is known. Pure.

A user who deleted a membership and renewed it has two of them (Patreon platform-documentation #13), on any page and in
any order. The one that entitles counts, by these weights, then by the money; between equals the one known before stays:

    6   active, not declined, with a tier or money; a gift with tiers
    5   a status that we do not know, with a tier or money
    4   former, with a tier and money: cancelled or paused, paid to the end
    3   declined: the days of grace
    2   active or unknown, with neither tier nor money
    1   never pledged
    0   former; refunded, fraud, deleted

A row of another membership than the known one counts at once only where it outweighs that: what the known one says now
is not told by it. A whole list tells, see `bulk.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from bot.model import (
    CampaignId,
    Identity,
    Membership,
    MembershipId,
    MembershipRecord,
    PatreonUserId,
    PatronStatus,
)
from bot.roles.entitlement import TAKEN_BACK
from bot.roles.record import is_declined, take_absence, take_reading


def weigh(reading: Membership) -> tuple[int, int]:
    """Return how much a row entitles to, as the table above has it."""
    return _weight(reading), reading.entitled_cents or 0


def _weight(reading: Membership) -> int:
    has_substance = bool(reading.tier_ids) or bool(reading.entitled_cents)
    if reading.is_gifted and reading.tier_ids:
        return 6
    if reading.charge_status in TAKEN_BACK:
        return 0
    if is_declined(reading):
        return 3
    match reading.patron_status:
        case PatronStatus.ACTIVE:
            return 6 if has_substance or reading.membership_id is None else 2
        case PatronStatus.UNKNOWN:
            return 5 if has_substance else 2
        case PatronStatus.FORMER:
            return 4 if reading.tier_ids and reading.entitled_cents else 0
        case PatronStatus.DECLINED | PatronStatus.NEVER:
            return 1
        case _:
            assert_never(reading.patron_status)


def choose(rows: Sequence[Membership], known: MembershipId | None) -> Membership:
    """Return the row that counts of one user's; `known` is the membership that counted before."""
    return max(rows, key=lambda row: (*weigh(row), row.membership_id == known, row.membership_id or ""))


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


def counts(record: MembershipRecord | None, reading: Membership) -> bool:
    """Tell whether a reading may take the place of what is known; one of a lighter other membership may not."""
    latest = latest_of(record)
    return latest is None or not is_another(record, reading) or weigh(reading) > weigh(latest)


def take_identity(
    previous: Mapping[CampaignId, MembershipRecord],
    identity: Identity,
    *,
    campaign_ids: Iterable[CampaignId],
    read_started_at: datetime,
) -> tuple[MembershipRecord, ...]:
    """Return a record for each of `campaign_ids` of which something is known. Other campaigns' are dropped."""
    found = (
        _take_rows(previous.get(campaign_id), identity, campaign_id=campaign_id, read_started_at=read_started_at)
        for campaign_id in campaign_ids
    )
    return tuple(record for record in found if record is not None)


def _take_rows(
    previous: MembershipRecord | None, identity: Identity, *, campaign_id: CampaignId, read_started_at: datetime
) -> MembershipRecord | None:
    rows = [one for one in identity.memberships if one.campaign_id == campaign_id]
    if rows:
        latest = latest_of(previous)
        known = None if latest is None else latest.membership_id
        chosen = choose(rows, known)
        is_known_there = any(row.membership_id == known for row in rows)
        return take_reading(previous, chosen) if is_known_there or counts(previous, chosen) else previous
    if not identity.is_whole:
        return previous
    return _take_silence(
        previous,
        campaign_id=campaign_id,
        patreon_user_id=identity.patreon_user_id,
        read_started_at=read_started_at,
    )


def _take_silence(
    previous: MembershipRecord | None,
    *,
    campaign_id: CampaignId,
    patreon_user_id: PatreonUserId,
    read_started_at: datetime,
) -> MembershipRecord:
    """Return the record after an identity that does not list this campaign.

    On v2 that proves nothing: one that ended is listed as former, and Patreon has left relations out before
    (patreon-docs PR #53). On v1 (no membership id) a pledge that ended is listed no more, and grace begins.
    """
    if previous is not None and previous.believed is not None and previous.believed.membership_id is not None:
        return previous
    return take_absence(
        previous, campaign_id=campaign_id, patreon_user_id=patreon_user_id, read_started_at=read_started_at
    )
