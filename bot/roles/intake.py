"""Takes what Patreon says in as facts: a campaign's whole list, or one person. Knows nothing of roles and of Discord.

A bulk read is compared in memory with a fingerprint of each patron's last reading, so that a read without news stores
nothing. New readings are stored unproven page by page (they may give at once), and believed when the read is judged.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import PledgekeeperError, UserMistake
from bot.model import (
    CampaignId,
    CredentialId,
    DiscordUserId,
    MembershipId,
    MembershipPage,
    MembershipRecord,
    PatreonUserId,
    ReadId,
)
from bot.patreon.client import PatreonClient
from bot.patreon.tokens import TokenKeeper
from bot.roles.evidence import PastRead, ReadSummary, Tally, Verdict, judge
from bot.roles.known import KnownReadings
from bot.roles.record import (
    believe,
    fingerprint,
    has_turned,
    matters,
    take_absence,
    take_identity,
    take_reading,
)
from bot.storage import Storage

log = structlog.get_logger(__name__)

UNASKABLE = "Patreon cannot be asked about you alone, for you never typed /link; its list is read again soon"
OnNews = Callable[[frozenset[PatreonUserId]], Awaitable[None]]


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


class _Reading(msgspec.Struct, kw_only=True):
    """One bulk read under way."""

    campaign_id: CampaignId
    started_at: datetime
    linked: frozenset[PatreonUserId]
    known: KnownReadings
    on_news: OnNews
    tally: Tally = msgspec.field(default_factory=Tally)
    changed: set[PatreonUserId] = msgspec.field(default_factory=set)
    turns: int = 0


class Intake:
    """Reads Patreon and stores what changed."""

    def __init__(self, *, storage: Storage, client: PatreonClient, keeper: TokenKeeper, clock: Clock) -> None:
        self._storage = storage
        self._client = client
        self._keeper = keeper
        self._clock = clock
        self._known: dict[CampaignId, KnownReadings] = {}

    def forget(self, patreon_user_id: PatreonUserId) -> None:
        """Compare this patron's next reading with storage: somebody else stored a newer one."""
        for known in self._known.values():
            known.forget(patreon_user_id)

    def forget_campaign(self, campaign_id: CampaignId) -> None:
        """Compare a campaign's next reading with storage."""
        self._known.pop(campaign_id, None)

    def restless(self, campaign_id: CampaignId) -> frozenset[PatreonUserId]:
        """Return the patrons whose standing changes with time alone: grace, or a second look that is due."""
        known = self._known.get(campaign_id)
        return frozenset(known.restless) if known is not None else frozenset()

    async def read_campaign(
        self,
        campaign_id: CampaignId,
        credential_id: CredentialId,
        *,
        linked: Iterable[PatreonUserId],
        on_news: OnNews,
    ) -> CampaignRead:
        """Read a campaign's whole list; an error ends the read, is returned with it, and takes nothing from anybody."""
        started_at = self._clock.now()
        read_id = await self._storage.reads.start(campaign_id, started_at)
        reading = _Reading(
            campaign_id=campaign_id,
            started_at=started_at,
            linked=frozenset(linked),
            known=await self._load_known(campaign_id),
            on_news=on_news,
        )
        error = await self._take_pages(credential_id, reading)
        verdict = await self._judge(reading)
        await self._conclude(reading, verdict)
        await self._storage.reads.finish(
            read_id,
            at=self._clock.now(),
            is_complete=verdict.is_complete,
            is_believed=verdict.proves_absence,
            anomalies=tuple(verdict.anomalies),
            summary=msgspec.structs.asdict(reading.tally.summary),
        )
        return CampaignRead(
            campaign_id=campaign_id,
            read_id=read_id,
            started_at=started_at,
            summary=reading.tally.summary,
            verdict=verdict,
            changed=frozenset(reading.changed),
            turns=reading.turns,
            error=error,
        )

    async def refresh_person(self, discord_user_id: DiscordUserId) -> None:
        """Read one linked person again, by their own consent or the creators'. Raises our errors; nothing is lost."""
        link = await self._storage.links.find_discord(discord_user_id)
        if link is None:
            return
        stored = await self._storage.credentials.find_patron(link.patreon_user_id)
        if stored is None:
            await self._refresh_members(link.patreon_user_id)
            return
        started_at = self._clock.now()
        identity = await self._keeper.call(stored.credential_id, self._client.fetch_identity)
        previous = await self._storage.memberships.load_person(link.patreon_user_id)
        bound = {binding.campaign_id for binding in await self._storage.campaigns.bindings()}
        records = take_identity(
            {record.campaign_id: record for record in previous},
            identity,
            campaign_ids=bound,
            read_started_at=started_at,
        )
        await self._storage.memberships.save(records)
        self.forget(link.patreon_user_id)

    async def _refresh_members(self, patreon_user_id: PatreonUserId) -> None:
        is_asked = False
        for record in await self._storage.memberships.load_person(patreon_user_id):
            latest = record.unproven or record.believed
            credential_id = await self._storage.campaigns.find_reader(record.campaign_id)
            if latest is not None and latest.membership_id is not None and credential_id is not None:
                await self.take_member(record.campaign_id, credential_id, latest.membership_id)
                is_asked = True
        self.forget(patreon_user_id)  # the next round looks at them, whatever it finds
        if not is_asked:
            raise UserMistake(UNASKABLE)

    async def take_member(
        self, campaign_id: CampaignId, credential_id: CredentialId, membership_id: MembershipId
    ) -> None:
        """Read one member again; what is seen of one person proves that person's own standing.

        Raises TryLater or NeedsOwner; that Patreon does not find a member proves nothing.
        """
        reading = await self._keeper.call(
            credential_id, lambda token: self._client.fetch_membership(token, membership_id)
        )
        if reading.campaign_id != campaign_id:
            log.warning("a member belongs to another campaign", campaign_id=campaign_id, told=reading.campaign_id)
            return
        previous = (await self._previous(campaign_id, [reading.patreon_user_id])).get(reading.patreon_user_id)
        is_wanted = previous is not None or matters(reading)
        if not is_wanted and await self._storage.links.find_patreon(reading.patreon_user_id) is None:
            return
        record = take_reading(previous, reading)
        await self._storage.memberships.save([record])
        if campaign_id in self._known:  # else it is built from storage when it is needed
            self._known[campaign_id].note([record])

    async def believe_until(self, campaign_id: CampaignId, moment: datetime) -> frozenset[PatreonUserId]:
        """Believe, on an admin's word, every reading that was asked for until then; return whose."""
        known = await self._load_known(campaign_id)
        stored = await self._previous(campaign_id, known.doubted)
        records = [one for one in stored.values() if one.unproven and one.unproven.read_started_at <= moment]
        await self._save(known, [believe(record) for record in records])
        return frozenset(record.patreon_user_id for record in records)

    async def _take_pages(self, credential_id: CredentialId, reading: _Reading) -> PledgekeeperError | None:
        try:
            async for page in self._keeper.iter_pages(credential_id, reading.campaign_id, self._client):
                reading.tally.see(page)
                if page.tiers:
                    await self._save_new_tiers(page)
                await self._take_page(page, reading)
        except PledgekeeperError as error:
            return error
        return None

    async def _take_page(self, page: MembershipPage, reading: _Reading) -> None:
        marks, second_looks = reading.known.fingerprints, reading.known.second_looks(reading.started_at)
        news = {
            one.patreon_user_id: one
            for one in page.memberships
            if (
                (mark := marks.get(one.patreon_user_id)) != fingerprint(one)
                and (mark is not None or matters(one) or one.patreon_user_id in reading.linked)
            )
            or one.patreon_user_id in second_looks
        }
        if not news:
            return
        previous = await self._previous(reading.campaign_id, news)
        records = [take_reading(previous.get(patron), one, is_believed=False) for patron, one in news.items()]
        await self._save(reading.known, records)
        reading.turns += sum(has_turned(previous.get(patron), one) for patron, one in news.items())
        reading.changed.update(news)
        await reading.on_news(frozenset(news))

    async def _judge(self, reading: _Reading) -> Verdict:
        believed = await self._storage.reads.last_believed(reading.campaign_id)
        later = await self._storage.reads.since_believed(reading.campaign_id)
        return judge(
            reading.tally.summary,
            started_at=reading.started_at,
            believed=None if believed is None else msgspec.convert(believed.summary, ReadSummary),
            doubted=[
                PastRead(started_at=read.started_at, summary=msgspec.convert(read.summary, ReadSummary))
                for read in later
                if read.is_complete
            ],
        )

    async def _conclude(self, reading: _Reading, verdict: Verdict) -> None:
        """Believe what the verdict allows: those seen, and those proven absent."""
        if verdict.proves_presence:
            doubted = reading.known.doubted & reading.tally.seen  # of earlier reads too: this one says the same
            stored = await self._previous(reading.campaign_id, doubted)
            await self._save(reading.known, [believe(record) for record in stored.values()])
            reading.changed.update(doubted)
        if verdict.proves_absence:
            await self._take_absent(reading)

    async def _take_absent(self, reading: _Reading) -> None:
        expected = reading.known.still_listed() | reading.linked
        absent = {patron for patron in expected - reading.tally.seen if not reading.known.is_gone(patron)}
        if not absent:
            return
        previous = await self._previous(reading.campaign_id, absent)
        records = [
            take_absence(
                previous.get(patron),
                campaign_id=reading.campaign_id,
                patreon_user_id=patron,
                read_started_at=reading.started_at,
            )
            for patron in absent
        ]
        await self._save(reading.known, records)
        reading.changed.update(absent)

    async def _previous(
        self, campaign_id: CampaignId, patrons: Iterable[PatreonUserId]
    ) -> dict[PatreonUserId, MembershipRecord]:
        stored = await self._storage.memberships.load_people(patrons)
        return {
            patron: record
            for patron, records in stored.items()
            for record in records
            if record.campaign_id == campaign_id
        }

    async def _save(self, known: KnownReadings, records: list[MembershipRecord]) -> None:
        await self._storage.memberships.save(records)
        known.note(records)

    async def _load_known(self, campaign_id: CampaignId) -> KnownReadings:
        if campaign_id not in self._known:
            known = KnownReadings()
            known.note((await self._storage.memberships.load_campaign(campaign_id)).values())
            self._known[campaign_id] = known
        return self._known[campaign_id]

    async def _save_new_tiers(self, page: MembershipPage) -> None:
        known = {tier for one in page.tiers[:1] for tier in await self._storage.campaigns.tiers(one.campaign_id)}
        await self._storage.campaigns.save_tiers(tuple(tier for tier in page.tiers if tier not in known))
