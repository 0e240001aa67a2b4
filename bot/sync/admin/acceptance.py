"""Believing a read on an admin's word: which reads wait for that, what they say, and what follows.

What such a read showed is believed at once. Whom it did not list is taken as gone by the next complete read: that one
is compared with the read believed here, and differs no more.
"""

import contextlib
from collections.abc import Collection

import msgspec

from bot.discord.notifier import Notifier
from bot.domain.audit_entry import AuditAction, AuditEntry, ReadBelieved
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.evidence import Anomaly, DoubtedRead, PastRead, ReadSummary
from bot.domain.model import CampaignId, DiscordUserId, GuildId, ReadId
from bot.domain.notices import ListAcceptedElsewhere
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.reads import Read
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reading.intake import Intake
from bot.sync.reported_links import ReportedLinks


class Acceptance:
    """Takes an admin's word on reads."""

    def __init__(
        self,
        *,
        storage: Storage,
        intake: Intake,
        reported_links: ReportedLinks,
        reconciler: Reconciler,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._intake = intake
        self._reported_links = reported_links
        self._reconciler = reconciler
        self._notifier = notifier
        self._clock = clock

    async def doubts(self, guild_id: GuildId) -> tuple[DoubtedRead, ...]:
        """Return the newest read of each bound campaign that waits for a word. Raises UserMistake where none does."""
        found: list[DoubtedRead] = []
        for campaign_id in await self._storage.campaigns.campaigns_of(guild_id):
            waiting = await self._waiting(campaign_id)
            if waiting:
                found.append(await self._doubt(waiting[-1]))
        if not found:
            raise UserMistake(Mistake.NOTHING_TO_ACCEPT)
        return tuple(found)

    async def believe(
        self, guild_id: GuildId, read_ids: Collection[ReadId], *, by: DiscordUserId
    ) -> tuple[DoubtedRead, ...]:
        """Believe these reads, those that still wait, and plan whomever they show. Raises UserMistake."""
        wanted: list[Read] = []
        for campaign_id in await self._storage.campaigns.campaigns_of(guild_id):
            wanted += [read for read in await self._waiting(campaign_id) if read.read_id in read_ids]
        if not wanted:
            raise UserMistake(Mistake.LIST_ANSWERED)
        doubts = [await self._doubt(read) for read in wanted]
        for read, doubt in zip(wanted, doubts, strict=True):
            await self._believe(read)
            await self._storage.audit.add(self._entry(guild_id, doubt, by))
            for binding in await self._storage.campaigns.guilds_of(read.campaign_id):
                if binding != guild_id:
                    await self._notifier.tell_news(binding, ListAcceptedElsewhere(campaign=doubt.campaign))
        return tuple(doubts)

    async def _believe(self, read: Read) -> None:
        await self._storage.reads.believe(read.read_id)
        patrons = await self._intake.believe_until(read.campaign_id, read.finished_at or read.started_at)
        relinked = await self._reported_links.follow(patrons)
        people = relinked | await self._storage.links.find_people(patrons)
        followers = await self._storage.campaigns.guilds_of(read.campaign_id)
        if relinked:  # a link counts everywhere
            followers = tuple(sorted({*followers, *await self._storage.links.guilds_of(relinked)}))
        for guild_id in followers:
            with contextlib.suppress(TryLater):  # the next round plans everybody anyway
                await self._reconciler.consider(guild_id, people, trigger=Trigger.BELIEVE)

    async def _waiting(self, campaign_id: CampaignId) -> tuple[Read, ...]:
        later = await self._storage.reads.since_believed(campaign_id)
        return tuple(read for read in later if read.is_complete and not read.is_believed)

    async def _doubt(self, read: Read) -> DoubtedRead:
        campaign = await self._storage.campaigns.load(read.campaign_id)
        believed = await self._storage.reads.last_believed(read.campaign_id)
        return DoubtedRead(
            read_id=read.read_id,
            campaign_id=read.campaign_id,
            campaign=campaign.name if campaign is not None else read.campaign_id,
            anomalies=tuple(Anomaly(word) for word in read.anomalies),
            shown=_past(read),
            believed=None if believed is None else _past(believed),
        )

    def _entry(self, guild_id: GuildId, doubt: DoubtedRead, by: DiscordUserId) -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(),
            guild_id=guild_id,
            action=AuditAction.BELIEVE,
            reason=ReadBelieved(campaign_id=doubt.campaign_id, campaign_name=doubt.campaign, by=by),
            trigger=Trigger.BELIEVE,
            read_id=doubt.read_id,
        )


def _past(read: Read) -> PastRead:
    return PastRead(started_at=read.started_at, summary=msgspec.convert(read.summary, ReadSummary))
