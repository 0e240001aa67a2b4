"""Takes what Patreon says in as facts: a campaign's whole list, or one person. Knows nothing of roles and of Discord.

What is seen of one person proves that person's own standing; what a whole list proves is `bulk.py`'s to find out.
"""

from collections.abc import Callable, Container, Iterable
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import (
    ClientRefused,
    CredentialsDead,
    Mistake,
    PatreonRefused,
    PledgekeeperError,
    UserMistake,
)
from bot.domain.evidence import ReadSummary, Verdict
from bot.domain.model import (
    CampaignId,
    CredentialId,
    DiscordUserId,
    MembershipId,
    MembershipRecord,
    PatreonUserId,
    ReadId,
)
from bot.domain.new_reading import (
    believe,
    matters,
    take_reading,
)
from bot.domain.which_row_counts import counts, is_another, take_identity
from bot.patreon.client import PatreonClient
from bot.patreon.protocol.unchanged import KnownPages
from bot.patreon.protocol.wire import part_missing
from bot.patreon.tokens import TokenKeeper
from bot.runtime.clock import Clock
from bot.runtime.unhurried import portions
from bot.storage import Storage
from bot.storage.leases import Lease
from bot.sync.reading.bulk import BulkRead, OnNews
from bot.sync.reading.day_figures import keep_figures
from bot.sync.reading.fingerprints import KnownReadings
from bot.sync.round_robin import RoundRobin

log = structlog.get_logger(__name__)

RECHECKED_WITHIN = timedelta(minutes=50)  # what we remember may be wrong: storage counts


class CampaignRead(msgspec.Struct, frozen=True, kw_only=True):
    """What came of reading one campaign."""

    campaign_id: CampaignId
    read_id: ReadId
    started_at: datetime
    summary: ReadSummary
    verdict: Verdict
    changed: frozenset[PatreonUserId]
    turns: int = 0  # pledges that began or ended, and of which this read was the first to tell
    error: PledgekeeperError | None = None
    lacking_since: datetime | None = None  # since when there has been no whole list; None where this is one


class Intake:
    """Reads Patreon and stores what changed."""

    def __init__(
        self,
        *,
        storage: Storage,
        client: PatreonClient,
        keeper: TokenKeeper,
        clock: Clock,
        on_page: Callable[[], None] = lambda: None,
    ) -> None:
        self._storage = storage
        self._client = client
        self._keeper = keeper
        self._clock = clock
        self._is_shared = storage.database.is_shared  # then nothing is remembered from one read to the next
        self._on_page = on_page  # told of each page of a list that was taken in
        self._known: dict[CampaignId, KnownReadings] = {}
        self._rechecks: dict[CampaignId, RoundRobin[PatreonUserId]] = {}
        # What a read may know of the one before, however old that is.
        self._pieces: dict[CampaignId, tuple[KnownPages, set[PatreonUserId]]] = {}
        self._pages: dict[CampaignId, int] = {}  # of the last read that no error ended

    def forget(self, patreon_user_id: PatreonUserId) -> None:
        """Compare this patron's next reading with storage: somebody else stored a newer one."""
        for known in self._known.values():
            known.forget(patreon_user_id)

    def forget_campaign(self, campaign_id: CampaignId) -> None:
        """Compare a campaign's next reading with storage."""
        for kept in (self._known, self._pieces, self._pages):
            kept.pop(campaign_id, None)

    def restless(self, campaign_id: CampaignId) -> frozenset[PatreonUserId]:
        """Return the patrons whose standing changes with time alone: grace, or a second look that is due."""
        known = self._known.get(campaign_id)
        return frozenset(known.restless) if known is not None else frozenset()

    def unknown_words(self, campaign_id: CampaignId) -> tuple[str, ...]:
        """Return the statuses that Patreon gave and this version does not know."""
        known = self._known.get(campaign_id)
        return tuple(sorted(known.unknown_words)) if known is not None else ()

    def pages(self, campaign_id: CampaignId) -> int:
        """Return how many pages a bulk read will have: as many as the last one; 1 where there was none."""
        return self._pages.get(campaign_id, 1)

    async def recheck(self, campaign_ids: Iterable[CampaignId]) -> frozenset[PatreonUserId]:
        """Compare a slice of what is remembered of each with what is stored, which counts; return whose turn it was.

        Of a campaign of which nothing is remembered yet, there is nothing to compare.
        """
        now, due = self._clock.now(), dict[CampaignId, list[PatreonUserId]]()
        for campaign_id in campaign_ids:
            if campaign_id in self._known:
                turns = self._rechecks.setdefault(campaign_id, RoundRobin(RECHECKED_WITHIN, begun_at=now))
                due[campaign_id] = turns.take(sorted(self._known[campaign_id].fingerprints), now)
        everybody = frozenset(patron for patrons in due.values() for patron in patrons)
        stored = await self._storage.memberships.load_people(everybody)  # of all: each is in a few, and these are many
        for campaign_id, patrons in due.items():
            known = self._known.get(campaign_id, KnownReadings())  # it may have been forgotten meanwhile
            for patron in patrons:
                records = [one for one in stored.get(patron, ()) if one.campaign_id == campaign_id]
                known.note(records)
                if not records:
                    known.forget(patron)
        return everybody

    def unread(self, campaign_id: CampaignId) -> int:
        """Return of how many patrons some value could not be read, on which roles rest."""
        known = self._known.get(campaign_id)
        return len(known.unread) if known is not None else 0

    async def read_campaign(
        self,
        campaign_id: CampaignId,
        credential_id: CredentialId,
        *,
        linked: Container[PatreonUserId],
        on_news: OnNews,
        lease: Lease | None = None,
    ) -> CampaignRead:
        """Read a campaign's whole list; an error ends the read, is returned with it, and takes nothing from anybody.

        LeaseLost where `lease` is another process's by now. Where others write too, who is linked is asked anew.
        """
        started_at = self._clock.now()
        read_id = await self._storage.reads.start(campaign_id, started_at)
        known = await self._load_known(campaign_id)
        read = BulkRead(
            storage=self._storage,
            known=known,
            campaign_id=campaign_id,
            started_at=started_at,
            linked=None if self._is_shared else linked,
            on_news=on_news,
            on_page=self._on_page,
            lease=lease,
        )
        error = await self._take(read, campaign_id, credential_id, known.pages)
        if error is None:
            self._pages[campaign_id] = max(1, read.summary.pages)
        verdict = await read.conclude()
        # Whoever was passed by is not proven absent.
        is_attributed = not verdict.unattributed and not await read.has_passed_by()
        await self._storage.reads.finish(
            read_id,
            at=self._clock.now(),
            is_complete=verdict.is_complete,
            is_believed=verdict.is_believed,
            is_attributed=is_attributed,
            anomalies=tuple(verdict.anomalies),
            summary=msgspec.structs.asdict(read.summary),
            continues=read.find_like(verdict, is_attributed=is_attributed),
            under=lease,
        )
        if verdict.proves_absence:  # neither doubted, nor cut, nor with rows that may be anybody's
            await keep_figures(self._storage, campaign_id, started_at, read.payers)
        return CampaignRead(
            campaign_id=campaign_id,
            read_id=read_id,
            started_at=started_at,
            summary=read.summary,
            verdict=verdict,
            changed=frozenset(read.changed),
            turns=read.turns,
            error=error,
            lacking_since=read.lacking_since(verdict),
        )

    async def _take(
        self, read: BulkRead, campaign_id: CampaignId, credential_id: CredentialId, known: KnownPages
    ) -> PledgekeeperError | None:
        """Take the pages in, of the size that Patreon gives for this campaign."""
        kept = await self._storage.reads.page_size(campaign_id)
        sizes = self._client.page_sizes(kept)
        error = await read.take(self._keeper.iter_pages(credential_id, campaign_id, self._client, sizes, known))
        if sizes.found() != kept:
            await self._storage.reads.save_page_size(campaign_id, sizes.found())
        return error

    async def refresh_person(self, discord_user_id: DiscordUserId, trigger: Trigger) -> None:
        """Read one linked person again who waits, by their own consent or the creators'.

        Raises our errors; nothing is lost.
        """
        link = await self._storage.links.find_discord(discord_user_id)
        if link is None:
            return
        stored = await self._storage.credentials.find_patron(link.patreon_user_id)
        if stored is None:
            await self._refresh_members(link.patreon_user_id, trigger, if_not=Mistake.NEVER_LINKED_BY_COMMAND)
            return
        try:
            await self.refresh_patron(link.patreon_user_id, stored.credential_id, trigger, Urgency.WAITING)
        except ClientRefused:
            raise  # no consent of theirs would mend that
        except (CredentialsDead, PatreonRefused):
            await self._refresh_members(link.patreon_user_id, trigger, if_not=Mistake.CONSENT_ENDED)

    async def refresh_patron(
        self, patreon_user_id: PatreonUserId, credential_id: CredentialId, trigger: Trigger, urgency: Urgency
    ) -> bool:
        """Read one patron by their own consent, which lists all their memberships; tell whether that brought news.

        Stored is a record of each campaign that lists them, or did; for all others, that nothing was told of them.
        Raises TryLater or NeedsOwner; nothing is lost then, nor where Patreon tells of somebody else.
        """
        started_at = self._clock.now()
        identity = await self._keeper.call(credential_id, self._client.fetch_identity)
        if identity.patreon_user_id != patreon_user_id:
            raise part_missing("own_identity", credential_id=credential_id)
        previous = await self._storage.memberships.load_person(patreon_user_id)
        told = {one.campaign_id for one in identity.memberships} | {one.campaign_id for one in previous}
        bound = set(await self._storage.campaigns.followed_since(told))
        known = {campaign_id: await self._known_of(campaign_id, previous) for campaign_id in bound}
        await self._storage.campaigns.save_tiers(tuple(tier for tier in identity.tiers if tier.campaign_id in bound))
        records = take_identity(
            {record.campaign_id: record for record in previous},
            identity,
            campaign_ids=bound,
            tiers=await self._storage.campaigns.tiers_by_id(bound),
            read_started_at=started_at,
        )
        has_news = any(known[record.campaign_id].is_news(record) for record in records)
        await self._storage.memberships.save(
            records, trigger=trigger if has_news else None, urgency=urgency, only_linked=True
        )
        if await self._storage.links.find_patreon(patreon_user_id) is None:
            return False  # they have unlinked meanwhile, and what their consent told goes with the link
        if identity.is_whole:
            await self._storage.links.note_read(patreon_user_id, started_at)
        for record in records:
            known[record.campaign_id].note([record])
            if record.campaign_id in self._known:
                self._known[record.campaign_id].note([record])
        return has_news

    async def _refresh_members(self, patreon_user_id: PatreonUserId, trigger: Trigger, *, if_not: Mistake) -> None:
        is_asked = False
        for record in await self._storage.memberships.load_person(patreon_user_id):
            latest = record.unproven or record.believed
            credential_id = await self._storage.campaigns.find_reader(record.campaign_id)
            if latest is not None and latest.membership_id is not None and credential_id is not None:
                await self.take_member(record.campaign_id, credential_id, latest.membership_id, trigger)
                is_asked = True
        self.forget(patreon_user_id)  # the next round looks at them, whatever it finds
        if not is_asked:
            raise UserMistake(if_not)

    async def take_member(
        self, campaign_id: CampaignId, credential_id: CredentialId, membership_id: MembershipId, trigger: Trigger
    ) -> None:
        """Read one member again who waits; what is seen of one person proves that person's own standing.

        Raises TryLater or NeedsOwner; that Patreon does not find a member proves nothing.
        """
        reading = await self._keeper.call(
            credential_id, lambda token: self._client.fetch_membership(token, membership_id)
        )
        if reading.campaign_id != campaign_id:
            log.warning("a member belongs to another campaign", campaign_id=campaign_id, told=reading.campaign_id)
            return
        stored = await self._storage.memberships.load_patrons(campaign_id, [reading.patreon_user_id])
        previous = stored.get(reading.patreon_user_id)
        is_wanted = previous is not None or matters(reading)
        if not is_wanted and await self._storage.links.find_patreon(reading.patreon_user_id) is None:
            return
        if is_another(previous, reading):  # only then it has to be weighed, and somebody waits
            tiers = await self._storage.campaigns.tiers_by_id([campaign_id])
            if not counts(previous, reading, tiers[campaign_id]):
                return
        record = take_reading(previous, reading)
        await self._storage.memberships.save([record], trigger=trigger, urgency=Urgency.WAITING)
        if campaign_id in self._known:  # else it is built from storage when it is needed
            self._known[campaign_id].note([record])

    async def believe_until(self, campaign_id: CampaignId, moment: datetime) -> frozenset[PatreonUserId]:
        """Believe, on an admin's word, every reading that was asked for until then; return whose."""
        known = await (self._build_known(campaign_id) if self._is_shared else self._load_known(campaign_id))
        stored = await self._storage.memberships.load_patrons(campaign_id, known.doubted)
        records = [one for one in stored.values() if one.unproven and one.unproven.read_started_at <= moment]
        believed = [believe(record) for record in records]
        await self._storage.memberships.save(believed, trigger=Trigger.BELIEVE)
        known.note(believed)
        return frozenset(record.patreon_user_id for record in records)

    def let_go(self, campaign_id: CampaignId) -> None:
        """Remember nothing of what is stored of a campaign, where other processes store it too."""
        if self._is_shared and (known := self._known.pop(campaign_id, None)) is not None:
            self._pieces[campaign_id] = known.pages, known.twofold

    async def load(self, campaign_id: CampaignId) -> None:
        """Remember how a campaign's patrons are stored; `let_go` ends it."""
        await self._load_known(campaign_id)

    async def _known_of(self, campaign_id: CampaignId, stored: Iterable[MembershipRecord]) -> KnownReadings:
        """Return what is remembered of a campaign, or of one patron there."""
        if not self._is_shared:
            return await self._load_known(campaign_id)
        known = KnownReadings()
        known.note(record for record in stored if record.campaign_id == campaign_id)
        return known

    async def _load_known(self, campaign_id: CampaignId) -> KnownReadings:
        if self._is_shared or campaign_id not in self._known:
            known = await self._build_known(campaign_id)
            if campaign_id in self._pieces:
                known.pages, known.twofold = self._pieces.pop(campaign_id)
            self._known[campaign_id] = known
        return self._known[campaign_id]

    async def _build_known(self, campaign_id: CampaignId) -> KnownReadings:
        known = KnownReadings()
        async for some in self._storage.memberships.iter_marks(campaign_id):
            for patron, mark, is_reported in some:
                if mark is not None:
                    known.note_ordinary(patron, mark, is_reported=is_reported)
            others = [patron for patron, mark, _ in some if mark is None]
            for few in portions(others):
                known.note((await self._storage.memberships.load_patrons(campaign_id, few)).values())
        return known
