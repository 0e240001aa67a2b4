"""Is this bulk read of Patreon complete, and is it believable? Pure; knows nothing of roles.

Complete: every page arrived, no row's id was lost or came twice, and the distinct ids lie between the totals that the
first and the last page name. Ids, not users: one user may have two memberships (platform-documentation #13). Only a
complete read proves that someone is *not* a patron, and only while each of its rows can be told to be somebody's.

Believable: HTTP 200 can lie. A read that differs from the last believed one in a way that patrons do not is an anomaly:
it may give roles, never take them, until three complete reads over at least 24 hours agree with it.

Discord accounts are another matter than pledges: where most of those that were known are missing, all else is believed,
and only what rests on accounts is doubted, for as long as they are missing (`new_reading.py` has what one means).
Where most of those of one page are, this holds for the people of that page.
"""

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from bot.domain.listed_row import ListedRow
from bot.domain.model import CampaignId, Membership, PatreonUserId, ReadId
from bot.domain.which_row_counts import weigh

MAX_PAYING_DROP = 0.20  # patrons leave one by one; more than a fifth at once is a fault until shown otherwise
MIN_PAYING_ASKED = 10  # below that a few real cancellations are a large share
MIN_ALL_ASKED = 2  # one alone may well have gone, or disconnected their account
AGREEING_READS = 3
AGREEING_SPAN = timedelta(hours=24)
AGREEING_TOLERANCE = 0.05  # real patrons still come and go while we wait


class Anomaly(enum.StrEnum):
    """What is unbelievable about a read."""

    EMPTY = "empty"
    NO_USERS = "no_users"
    NO_DISCORD = "no_discord"
    NO_TIERS = "no_tiers"
    FEWER_PAYING = "fewer_paying"


MAX_ACCOUNTS_MISSING = 0.5  # people part with their accounts one by one; Patreon loses them together
SEEN_IN_ANY_PART = frozenset({Anomaly.EMPTY, Anomaly.NO_USERS})


class ReadSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk read in numbers; each patron counts once."""

    pages: int = 0
    rows: int = 0
    row_ids: int = 0  # different ones
    patrons: int = 0
    rows_without_user: int = 0  # or without an id: nobody can tell whose they are
    with_discord: int = 0
    accounts_known: int = 0  # patrons listed for whom Patreon names a Discord account, or did until a day ago
    accounts_missing: int = 0  # ... and for whom this read names none
    accounts_lost_together: int = 0  # ... on pages where most are missing
    with_tier: int = 0
    paying: int = 0
    first_total: int | None = None
    last_total: int | None = None
    has_odd_ids: bool = False  # one was lost, or came twice
    is_finished: bool = False  # the page arrived that said: the last


class PastRead(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier complete read that was not believed."""

    started_at: datetime
    summary: ReadSummary


class DoubtedRead(msgspec.Struct, frozen=True, kw_only=True):
    """A complete read that waits for an admin's word, and the last one that was believed."""

    read_id: ReadId
    campaign_id: CampaignId
    campaign: str
    anomalies: tuple[Anomaly, ...]
    shown: PastRead
    believed: PastRead | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a read may be used for."""

    is_complete: bool
    anomalies: tuple[Anomaly, ...] = ()
    is_confirmed: bool = False  # anomalous, but later reads agree, or an admin believes it
    unattributed: int = 0  # rows that may be anybody's

    @property
    def doubts(self) -> tuple[Anomaly, ...]:
        """What an admin should hear of. A read that broke off may lack Discord accounts and tiers by chance."""
        if self.is_confirmed:
            return ()
        return tuple(one for one in _about_pledges(self.anomalies) if self.is_complete or one in SEEN_IN_ANY_PART)

    @property
    def proves_presence(self) -> bool:
        """Tell whether a record that was seen proves that patron's own standing."""
        return not _about_pledges(self.anomalies) or self.is_confirmed

    @property
    def is_believed(self) -> bool:
        """Tell whether later reads are compared with this one."""
        return self.is_complete and self.proves_presence

    @property
    def doubts_accounts(self) -> bool:
        """Tell whether what it does not say of Discord accounts says nothing."""
        return Anomaly.NO_DISCORD in self.anomalies

    @property
    def proves_accounts(self) -> bool:
        """Tell whether it counts against a patron's Discord account that this read names none."""
        return self.proves_absence and not self.doubts_accounts

    @property
    def proves_absence(self) -> bool:
        """Tell whether a patron who was not seen is proven gone: no row is left that may be theirs."""
        return self.is_believed and not self.unattributed


class Page(Protocol):
    """What is counted of a page of the list, as `patreon/protocol/pages.py` hands it in."""

    @property
    def listed(self) -> Sequence[ListedRow]: ...
    @property
    def memberships(self) -> Sequence[Membership]: ...  # the reading of each of them
    @property
    def row_ids(self) -> tuple[str, ...]: ...
    @property
    def unattributed(self) -> int: ...
    @property
    def total(self) -> int | None: ...
    @property
    def is_last(self) -> bool: ...


class Tally:
    """Adds up the pages of one read as they arrive."""

    def __init__(self) -> None:
        self.seen: set[PatreonUserId] = set()
        self.named: set[PatreonUserId] = set()  # with a Discord account
        self.payers: list[ListedRow] = []  # each once
        self.rows: dict[str, PatreonUserId | None] = {}  # by id: whose it is; None where that is not told
        self._summary = ReadSummary()

    @property
    def summary(self) -> ReadSummary:
        """Return the read in numbers, as of the last page."""
        return self._summary

    def see(self, page: Page) -> None:
        """Count one page."""
        before, listed = self._summary, page.listed
        fresh = self._fresh(page, listed)
        self.seen.update([row.patreon_user_id for row in fresh])
        self.payers += (payers := [row for row in fresh if row.is_paying])
        self.named.update([row.patreon_user_id for row in listed if row.discord_user_id is not None])
        rows: dict[str, PatreonUserId | None] = dict.fromkeys(page.row_ids)
        has_odd_ids = len(rows) < len(page.row_ids) or "" in rows or not self.rows.keys().isdisjoint(rows)
        rows.update({row.membership_id: row.patreon_user_id for row in listed if row.membership_id})
        self.rows.update(rows)
        self._summary = ReadSummary(
            pages=before.pages + 1,
            rows=before.rows + len(page.row_ids),
            row_ids=len(self.rows),
            patrons=len(self.seen),
            rows_without_user=before.rows_without_user + page.unattributed,
            with_discord=before.with_discord + sum([row.discord_user_id is not None for row in fresh]),
            with_tier=before.with_tier + sum([row.has_tier for row in fresh]),
            paying=before.paying + len(payers),
            first_total=page.total if before.pages == 0 else before.first_total,
            last_total=page.total,
            has_odd_ids=before.has_odd_ids or has_odd_ids,
            is_finished=page.is_last,
        )

    def _fresh(self, page: Page, listed: Sequence[ListedRow]) -> Sequence[ListedRow]:
        """Return whom no page before had, each by the row that counts."""
        patrons = [row.patreon_user_id for row in listed]
        different = set(patrons)
        if len(different) == len(patrons) and self.seen.isdisjoint(different):  # nearly every page
            return listed
        fresh: dict[PatreonUserId, int] = {}
        for at, patron in enumerate(patrons):
            if patron not in self.seen and (patron not in fresh or _outweighs(page.memberships, at, fresh[patron])):
                fresh[patron] = at
        return [listed[at] for at in fresh.values()]


def _outweighs(memberships: Sequence[Membership], one: int, other: int) -> bool:
    return weigh(memberships[one], {}) > weigh(memberships[other], {})


def is_complete(read: ReadSummary) -> bool:
    """Tell whether the read lists every row. Those without a user count: they were seen, though not told apart."""
    if not read.is_finished or read.has_odd_ids or read.first_total is None or read.last_total is None:
        return False
    low, high = sorted((read.first_total, read.last_total))
    return low <= read.row_ids <= high


def says_the_same(read: ReadSummary, verdict: Verdict, *, before: ReadSummary) -> bool:
    """Tell whether a believed read differs from the last believed one by nothing that any later one is judged by."""
    return verdict.is_believed and not verdict.anomalies and read == before


def find_anomalies(read: ReadSummary, believed: ReadSummary | None) -> tuple[Anomaly, ...]:
    """Compare a read with the last believed one, or with what was known before the first (None: nothing was).

    A read of which no page arrived is a failure, not an anomaly.
    """
    found = [Anomaly.NO_USERS] if read.rows_without_user and read.rows_without_user == read.rows else []
    if are_lost_together(read.accounts_missing, of=read.accounts_known):
        found.append(Anomaly.NO_DISCORD)
    if believed is None or not read.pages:
        return tuple(found)
    if believed.patrons and not read.rows:
        return (Anomaly.EMPTY,)
    if believed.with_tier >= MIN_ALL_ASKED and not read.with_tier:
        found.append(Anomaly.NO_TIERS)
    if believed.paying >= MIN_PAYING_ASKED and read.paying < believed.paying * (1 - MAX_PAYING_DROP):
        found.append(Anomaly.FEWER_PAYING)
    return tuple(found)


def are_lost_together(missing: int, *, of: int) -> bool:
    """Tell whether so many Discord accounts are missing, on a page or on the whole list, that Patreon lost them."""
    return missing >= MIN_ALL_ASKED and missing > MAX_ACCOUNTS_MISSING * of


def judge(
    read: ReadSummary,
    *,
    started_at: datetime,
    believed: ReadSummary | None,
    doubted: Sequence[PastRead] = (),
) -> Verdict:
    """Judge a read. `doubted`: the complete reads since the last believed one, oldest first, none of them believed.

    A read that broke off is compared on what arrived, so it cannot be short of patrons: that is no anomaly, it is a
    part.
    """
    complete = is_complete(read)
    anomalies = find_anomalies(read, believed)
    if not complete:
        anomalies = tuple(anomaly for anomaly in anomalies if anomaly is not Anomaly.FEWER_PAYING)
    confirmed = (
        complete and bool(_about_pledges(anomalies)) and _is_confirmed(read, started_at=started_at, doubted=doubted)
    )
    return Verdict(
        is_complete=complete,
        anomalies=anomalies,
        is_confirmed=confirmed,
        unattributed=read.rows_without_user,
    )


def _about_pledges(anomalies: tuple[Anomaly, ...]) -> tuple[Anomaly, ...]:
    return tuple(one for one in anomalies if one is not Anomaly.NO_DISCORD)


def _is_confirmed(read: ReadSummary, *, started_at: datetime, doubted: Sequence[PastRead]) -> bool:
    """Tell whether the reads agree for long enough; a list that names nobody takes an admin's word."""
    if not read.patrons:
        return False
    agreeing: list[PastRead] = []
    for past in reversed(doubted):
        if not _agrees(past.summary, read):
            break
        agreeing.append(past)
    if len(agreeing) + 1 < AGREEING_READS:
        return False
    return started_at - agreeing[-1].started_at >= AGREEING_SPAN


def _agrees(one: ReadSummary, other: ReadSummary) -> bool:
    return all(
        abs(a - b) <= max(1, AGREEING_TOLERANCE * max(a, b))
        for a, b in (
            (one.paying, other.paying),
            (one.with_tier, other.with_tier),
            (one.rows_without_user, other.rows_without_user),
        )
    )
