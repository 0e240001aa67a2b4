"""One read of a campaign's whole list: what each page brings, and what the whole proves. Knows no API and no token.

A page is compared in memory with a fingerprint of each patron's last reading, so that a read without news stores
nothing. New readings are stored unproven page by page (they may give at once), and believed when the read is judged.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime

import msgspec

from bot.errors import PledgekeeperError
from bot.model import CampaignId, Membership, MembershipPage, MembershipRecord, PatreonUserId, PatronStatus
from bot.roles.evidence import PastRead, ReadSummary, Tally, Verdict, judge
from bot.roles.known import KnownReadings
from bot.roles.record import (
    believe,
    fingerprint,
    has_turned,
    matters,
    miss_account,
    take_absence,
    take_reading,
)
from bot.storage import Storage

OnNews = Callable[[frozenset[PatreonUserId]], Awaitable[None]]


class BulkRead:
    """A read under way. `changed` are the patrons of whom it brought news, `turns` how many pledges began or ended."""

    def __init__(
        self,
        *,
        storage: Storage,
        known: KnownReadings,
        campaign_id: CampaignId,
        started_at: datetime,
        linked: frozenset[PatreonUserId],
        on_news: OnNews,
    ) -> None:
        self._storage = storage
        self._known = known
        self._campaign_id = campaign_id
        self._started_at = started_at
        self._linked = linked
        self._on_news = on_news
        self._tally = Tally()
        self._ids_without_user: set[str] = set()
        self._accounts = (0, 0)  # known among those listed, and missing of these
        self.changed: set[PatreonUserId] = set()
        self.turns = 0

    @property
    def summary(self) -> ReadSummary:
        """Return the read in numbers, as of the last page."""
        known, missing = self._accounts
        return msgspec.structs.replace(self._tally.summary, accounts_known=known, accounts_missing=missing)

    async def take(self, pages: AsyncIterator[MembershipPage]) -> PledgekeeperError | None:
        """Take the pages in as they come; return the error that ended them early."""
        try:
            async for page in pages:
                if page.number == 1:  # the read begins, or begins anew in smaller pages
                    self._tally, self._ids_without_user = Tally(), set()
                self._tally.see(page)
                self._ids_without_user.update(page.ids_without_user)
                await self._storage.campaigns.save_tiers(page.tiers)
                await self._take_page(page)
        except PledgekeeperError as error:
            return error
        return None

    async def conclude(self) -> Verdict:
        """Judge the read, and believe what the verdict allows: those seen, those proven absent, accounts lost."""
        reported = self._known.reported & self._tally.seen
        self._accounts = (len(reported), len(reported - self._tally.named))
        verdict = await self._judge()
        if verdict.proves_presence:
            doubted = self._known.doubted & self._tally.seen  # of earlier reads too: this one says the same
            stored = await self._storage.memberships.load_patrons(self._campaign_id, doubted)
            await self._save([believe(record) for record in stored.values()])
            self.changed.update(doubted)
        if verdict.proves_absence:
            await self._take_absent()
        if verdict.proves_accounts:
            await self._miss_accounts()
        return verdict

    async def _take_page(self, page: MembershipPage) -> None:
        news = {one.patreon_user_id: one for one in self._find_news(page)}
        if not news:
            return
        previous = await self._storage.memberships.load_patrons(self._campaign_id, news)
        await self._save([take_reading(previous.get(patron), one, is_believed=False) for patron, one in news.items()])
        self.turns += sum(has_turned(previous.get(patron), one) for patron, one in news.items())
        self.changed.update(news)
        await self._on_news(frozenset(news))

    def _find_news(self, page: MembershipPage) -> Iterable[Membership]:
        marks, second_looks = self._known.fingerprints, self._known.second_looks(self._started_at)
        for one in page.memberships:
            mark = marks.get(one.patreon_user_id)
            if mark is None:
                if matters(one) or one.patreon_user_id in self._linked:
                    yield one
            elif mark != fingerprint(one) or one.patreon_user_id in second_looks:
                yield one

    async def _judge(self) -> Verdict:
        believed = await self._storage.reads.last_believed(self._campaign_id)
        summary = await self._known_before() if believed is None else msgspec.convert(believed.summary, ReadSummary)
        later = await self._storage.reads.since_believed(self._campaign_id)
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
        expected = self._known.still_listed() | self._linked
        absent = {patron for patron in expected - self._tally.seen if not self._known.is_gone(patron)}
        if not absent:
            return
        previous = await self._storage.memberships.load_patrons(self._campaign_id, absent)
        absent -= {patron for patron, record in previous.items() if self._is_listed_without_user(record)}
        await self._save(
            [
                take_absence(
                    previous.get(patron),
                    campaign_id=self._campaign_id,
                    patreon_user_id=patron,
                    read_started_at=self._started_at,
                )
                for patron in absent
            ]
        )
        self.changed.update(absent)

    async def _miss_accounts(self) -> None:
        missing = (self._known.lost_accounts(self._started_at) & self._tally.seen) - self._tally.named
        stored = await self._storage.memberships.load_patrons(self._campaign_id, missing)
        await self._save([miss_account(one, read_started_at=self._started_at) for one in stored.values()])
        self.changed.update(missing)

    def _is_listed_without_user(self, record: MembershipRecord) -> bool:
        """Tell whether a row of this very membership came, though without its user: they are not gone."""
        latest = record.unproven or record.believed
        return latest is not None and latest.membership_id in self._ids_without_user

    async def _save(self, records: list[MembershipRecord]) -> None:
        await self._storage.memberships.save(records)
        self._known.note(records)
