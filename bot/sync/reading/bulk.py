"""One read of a campaign's whole list: what each page brings, and what the whole proves. Knows no API and no token.

A page is compared in memory with a fingerprint of each patron's last reading, so that a read without news stores
nothing. New readings are stored unproven page by page (they may give at once), and believed when the read is judged.

Whoever has several rows, or another membership than before, is looked at when all pages are there: the row that counts
may be on any of them (`which_row_counts.py`). In every later read all rows of theirs wait for the end, so that nothing
flaps.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from bot.domain.changes import Trigger
from bot.domain.errors import PledgekeeperError
from bot.domain.evidence import PastRead, ReadSummary, Tally, Verdict, are_lost_together, judge, says_the_same
from bot.domain.listed_row import ListedRow, in_short
from bot.domain.model import CampaignId, Membership, MembershipId, MembershipRecord, PatreonUserId, ReadId
from bot.domain.new_reading import (
    believe,
    has_turned,
    miss_account,
    take_absence,
    take_reading,
)
from bot.domain.patron_status import PatronStatus
from bot.domain.which_row_counts import choose, is_another, latest_of
from bot.patreon.protocol.pages import MembershipPage
from bot.runtime.unhurried import portions
from bot.storage import Storage
from bot.storage.leases import Lease
from bot.storage.reads import Read
from bot.sync.reading.fingerprints import KnownReadings, keep

OnNews = Callable[[frozenset[PatreonUserId]], Awaitable[None]]


class BulkRead:
    """A read under way. `changed` are the patrons of whom it brought news, `turns` how many pledges began or ended.

    `linked` are all who are; None: others link people meanwhile, so that it is asked of those on each page.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        known: KnownReadings,
        campaign_id: CampaignId,
        started_at: datetime,
        linked: Container[PatreonUserId] | None,
        on_news: OnNews,
        on_page: Callable[[], None] = lambda: None,
        lease: Lease | None = None,
    ) -> None:
        self._storage = storage
        self._lease = lease  # without which nothing is proven; None: nobody else reads
        self._known = known
        self._campaign_id = campaign_id
        self._started_at = started_at
        self._asks_linked = linked is None
        self._found_linked = set[PatreonUserId]()  # on the pages so far, where it is asked
        self._linked: Container[PatreonUserId] = self._found_linked if linked is None else linked
        self._on_news = on_news
        self._on_page = on_page
        self._tally = Tally()
        self._reported: list[frozenset[PatreonUserId]] = []  # page by page, of whom Patreon names an account, or did
        self._lost_together: frozenset[PatreonUserId] = frozenset()  # those of pages where most accounts are missing
        self._accounts = (0, 0)  # known among those listed, and missing of these
        self._several: dict[PatreonUserId, list[Membership]] = {}  # rows that wait for the end
        self._again: set[PatreonUserId] = set()  # ... of these people a row before was taken in as it came
        self._last: Read | None = None  # the last believed one, where no other has ended since
        self._whole_at: datetime | None = None  # when the last whole one began; before the first: when the first did
        self.changed: set[PatreonUserId] = set()
        self.turns = 0

    @property
    def summary(self) -> ReadSummary:
        """Return the read in numbers, as of the last page."""
        known, missing = self._accounts
        return msgspec.structs.replace(
            self._tally.summary,
            accounts_known=known,
            accounts_missing=missing,
            accounts_lost_together=len(self._lost_together),
        )

    @property
    def payers(self) -> Sequence[ListedRow]:
        """Return whom the list shows as paying."""
        return self._tally.payers

    def lacking_since(self, verdict: Verdict) -> datetime | None:
        """Return since when there has been no whole list; None where this is one."""
        return None if verdict.is_complete else self._whole_at or self._started_at

    async def has_passed_by(self) -> bool:
        """Tell whether the list showed somebody who mattered to nobody, and who was linked elsewhere since."""
        if not self._asks_linked:
            return False
        unstored = self._tally.seen - self._known.fingerprints.keys() - self._found_linked
        return bool(await self._storage.links.find_linked(unstored))

    async def take(self, pages: AsyncIterator[MembershipPage]) -> PledgekeeperError | None:
        """Take the pages in as they come; return the error that ended them early."""
        try:
            async for page in pages:
                if page.number == 1:  # the read begins, or begins anew in smaller pages
                    self._tally, self._several, self._again, self._reported = Tally(), {}, set(), []
                await self._find_linked(page)
                news = {one.patreon_user_id: one for one in self._find_news(page)}
                self._tally.see(page)
                await self._storage.campaigns.save_tiers(page.tiers)
                await self._take_news(news)
                self._on_page()
                self._reported.append(frozenset(self._known.reported & {row.patreon_user_id for row in page.listed}))
        except PledgekeeperError as error:
            self._known.pages.forget()  # only a whole list tells which rows are no more
            return error
        self._known.pages.forget_stale(rows=self.summary.rows, pages=self.summary.pages)
        return None

    async def conclude(self) -> Verdict:
        """Judge the read, and believe what the verdict allows: those seen, those proven absent, accounts lost.

        LeaseLost where another process reads by now: the rest proves nothing then.
        """
        self._count_accounts()
        verdict = await self._judge()
        await self._take_several(verdict)
        if verdict.proves_presence:
            doubted = self._known.doubted & self._tally.seen  # of earlier reads too: this one says the same
            for some in portions(doubted):
                stored = await self._storage.memberships.load_patrons(self._campaign_id, some)
                await self._save(map(believe, stored.values()), under=self._lease)
            self.changed.update(doubted)
        if verdict.proves_absence:
            await self._take_absent()
        if verdict.proves_accounts:
            await self._miss_accounts()
        return verdict

    def find_like(self, verdict: Verdict, *, is_attributed: bool) -> ReadId | None:
        """Return the read before this one, where this one says the same and nothing was stored because of it."""
        last = self._last
        if last is None or self.changed or last.anomalies or last.is_attributed is not is_attributed:
            return None
        before = msgspec.convert(last.summary, ReadSummary)
        return last.read_id if says_the_same(self.summary, verdict, before=before) else None

    def _count_accounts(self) -> None:
        reported = self._known.reported & self._tally.seen
        self._accounts = (len(reported), len(reported - self._tally.named))
        missing = [(len(page), page - self._tally.named) for page in self._reported]
        self._lost_together = frozenset[PatreonUserId]().union(
            *(lost for known, lost in missing if are_lost_together(len(lost), of=known))
        )

    async def _take_news(self, news: dict[PatreonUserId, Membership]) -> None:
        previous = await self._storage.memberships.load_patrons(self._campaign_id, news) if news else {}
        taken = {patron: one for patron, one in news.items() if not is_another(previous.get(patron), one)}
        for patron in news.keys() - taken.keys():
            self._several.setdefault(patron, []).append(news[patron])
        await self._take(taken, previous)

    async def _take(
        self, taken: dict[PatreonUserId, Membership], previous: Mapping[PatreonUserId, MembershipRecord]
    ) -> None:
        if not taken:
            return
        await self._save(take_reading(previous.get(patron), one, is_believed=False) for patron, one in taken.items())
        self.turns += sum(has_turned(previous.get(patron), one) for patron, one in taken.items())
        self.changed.update(taken)
        await self._on_news(frozenset(taken))

    async def _find_linked(self, page: MembershipPage) -> None:
        """Ask who of a page is linked, among those who would matter to nobody else."""
        if not self._asks_linked:
            return
        asked = {row.patreon_user_id for row in page.listed if not row.matters} - self._known.fingerprints.keys()
        self._found_linked |= await self._storage.links.find_linked(asked)

    def _find_news(self, page: MembershipPage) -> Iterable[Membership]:
        second_looks, twofold = self._known.second_looks(self._started_at), self._known.twofold
        before, here = self._tally.seen, set[PatreonUserId]()
        for at, row in enumerate(page.listed):
            patron = row.patreon_user_id
            if patron in twofold:
                self._several.setdefault(patron, []).append(page.memberships[at])
            elif patron in before or patron in here:
                self._several.setdefault(patron, []).append(page.memberships[at])
                self._again.add(patron)
            elif self._is_news(row, page.memberships, at) or patron in second_looks:
                yield page.memberships[at]
            here.add(patron)

    def _is_news(self, row: ListedRow, memberships: Sequence[Membership], at: int = 0) -> bool:
        """Tell whether a row says something else than what is stored; its reading is asked for where it must be."""
        mark = self._known.fingerprints.get(row.patreon_user_id)
        if mark is None:
            return row.matters or row.patreon_user_id in self._linked
        return mark != (row.fingerprint or row.compared(memberships[at]))

    async def _take_several(self, verdict: Verdict) -> None:
        """Of everyone with several rows, or with another membership than before, take the row that counts."""
        if not self._several:
            return
        previous = await self._storage.memberships.load_patrons(self._campaign_id, self._several)
        owners = await self._known_owners(previous)
        doubtful = await self._listed_as_others(previous.values())
        second_looks = self._known.second_looks(self._started_at)
        tiers = (await self._storage.campaigns.tiers_by_id([self._campaign_id]))[self._campaign_id]
        chosen: dict[PatreonUserId, Membership] = {}
        for patron, all_rows in self._several.items():
            latest = latest_of(previous.get(patron))
            rows = [row for row in all_rows if patron in owners.get(row.membership_id, {patron})]
            is_doubtful = patron in doubtful or not verdict.proves_absence
            if latest is not None and self._still_counts(latest, rows, is_doubtful=is_doubtful):
                rows.append(latest)
            best = choose(rows, None if latest is None else latest.membership_id, tiers) if rows else latest
            if (
                best is not None
                and best is not latest
                and (self._is_news(in_short(best), [best]) or patron in second_looks)
            ):
                chosen[patron] = best
            keep(self._known.twofold, patron, is_in=len(all_rows) > 1 or patron in self._again)
        await self._take(chosen, previous)

    def _still_counts(self, latest: Membership, rows: list[Membership], *, is_doubtful: bool) -> bool:
        """Tell whether what is known of a patron counts beside the rows of theirs that waited.

        It does where its own row came as it is, or may have come as nobody's or as somebody else's.
        """
        patron, id_ = latest.patreon_user_id, latest.membership_id
        if id_ is None:
            return patron in self._again or is_doubtful
        if any(row.membership_id == id_ for row in rows):
            return False
        return self._tally.rows.get(id_) == patron or is_doubtful

    async def _known_owners(
        self, several: Mapping[PatreonUserId, MembershipRecord]
    ) -> Mapping[MembershipId | None, set[PatreonUserId]]:
        """Return whose each row is known to be, of these people and of those whom the list does not show.

        A row that comes as another's is another's by mistake. Where all have had several rows for long, the second
        look is spared.
        """
        known = [latest_of(record) for record in several.values()]
        if not self._several.keys() <= self._known.twofold:
            unseen = self._known.expected() - self._tally.seen
            stored = await self._storage.memberships.load_patrons(self._campaign_id, unseen)
            known += [latest_of(record) for record in stored.values()]
        owners: dict[MembershipId | None, set[PatreonUserId]] = {}
        for one in known:
            if one is not None and one.membership_id is not None:
                owners.setdefault(one.membership_id, set()).add(one.patreon_user_id)
        return owners

    async def _judge(self) -> Verdict:
        believed = await self._storage.reads.last_believed(self._campaign_id)
        summary = await self._known_before() if believed is None else msgspec.convert(believed.summary, ReadSummary)
        later = await self._storage.reads.since_believed(self._campaign_id)
        self._last = None if later else believed
        whole = [one for one in (believed, *later) if one is not None and one.is_complete] or later[:1]
        self._whole_at = max((one.started_at for one in whole), default=None)
        return judge(
            self.summary,
            started_at=self._started_at,
            believed=summary,
            doubted=[
                PastRead(started_at=read.started_at, summary=msgspec.convert(read.summary, ReadSummary))
                for read in later
                if read.is_complete
            ],
        )

    async def _known_before(self) -> ReadSummary:
        """Sum up what patrons' own consents and webhooks told before any list was believed: it must be on the list."""
        stored = await self._storage.memberships.load_patrons(self._campaign_id, self._known.still_listed())
        listed = [
            one.believed
            for one in stored.values()
            if one.believed is not None
            and one.memory.gone_since is None
            and one.believed.read_started_at < self._started_at
        ]
        return ReadSummary(
            patrons=len(listed),
            with_tier=sum(bool(one.tier_ids) for one in listed),
            paying=sum(one.patron_status is PatronStatus.ACTIVE for one in listed),
        )

    async def _take_absent(self) -> None:
        """Store that a list no longer shows those whom the campaign has known; of others, the read itself says so."""
        unseen = self._known.expected() - self._tally.seen
        if not unseen:
            return
        previous = await self._storage.memberships.load_patrons(self._campaign_id, unseen)
        self._known.forgotten -= unseen
        self._known.note(previous.values())
        absent = {patron for patron in previous if not self._known.is_gone(patron)}
        absent -= await self._listed_as_others(previous.values())
        taken = [
            take_absence(
                previous[patron],
                campaign_id=self._campaign_id,
                patreon_user_id=patron,
                read_started_at=self._started_at,
            )
            for patron in absent
        ]
        await self._save(taken, under=self._lease)
        self.changed.update(absent)

    async def _miss_accounts(self) -> None:
        missing = (self._known.lost_accounts(self._started_at) & self._tally.seen) - self._tally.named
        missing -= self._lost_together
        stored = await self._storage.memberships.load_patrons(self._campaign_id, missing)
        missed = [miss_account(one, read_started_at=self._started_at) for one in stored.values()]
        await self._save(missed, under=self._lease)
        self.changed.update(missing)

    async def _listed_as_others(self, records: Iterable[MembershipRecord]) -> set[PatreonUserId]:
        """Return those whose very row came as somebody else's: in doubt they are not gone.

        Somebody else who was known by that row before this read is right.
        """
        known = {record.patreon_user_id: latest_of(record) for record in records}
        ids = {patron: one.membership_id for patron, one in known.items() if one is not None and one.membership_id}
        holders = {patron: self._tally.rows[id_] for patron, id_ in ids.items() if id_ in self._tally.rows}
        asked = {holder for holder in holders.values() if holder is not None}
        stored = await self._storage.memberships.load_patrons(self._campaign_id, asked)
        rightful = {
            one.membership_id
            for one in map(latest_of, stored.values())
            if one is not None and one.read_started_at < self._started_at
        }
        return {patron for patron in holders if ids[patron] not in rightful}

    async def _save(self, records: Iterable[MembershipRecord], *, under: Lease | None = None) -> None:
        for some in portions(records):
            await self._storage.memberships.save(some, trigger=Trigger.INTERVAL, under=under)
            self._known.note(some)
