"""Believing a read on an admin's word: which reads wait for that, what they say, and what follows.

What such a read showed is believed at once. Whom it did not list is taken as gone by the next complete read: that one
is compared with the read believed here, and differs no more.
"""

import contextlib
from collections.abc import Collection

import msgspec

from bot.domain.audit import AuditAction, AuditEntry, ReadBelieved
from bot.domain.changes import Trigger
from bot.domain.errors import TryLater, UserMistake
from bot.domain.evidence import Anomaly, ReadSummary
from bot.domain.model import CampaignId, DiscordUserId, GuildId, PatreonUserId, ReadId
from bot.linking.ports import Crier
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.reads import Read
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reading.intake import Intake
from bot.sync.reported_links import ZeroLinks
from bot.texts.linking import plain

NOTHING_TO_BELIEVE = (
    "there is nothing to believe: no complete read of Patreon waits for your word. `/patreon sync` reads it now"
)
BELIEVED_ELSEWHERE = (
    "An admin of another server that follows **{name}** accepted Patreon's member list, which had looked wrong to me. "
    "It counts here too; the brake still holds back a mass removal"
)
OVER = "that read waits for your word no longer; `/patreon believe` shows what does"


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A complete read that is not believed, and the last one that is."""

    campaign_id: CampaignId
    name: str
    read: Read
    believed: Read | None

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """What is unbelievable about it."""
        return tuple(Anomaly(word) for word in self.read.anomalies)


class Belief:
    """Takes an admin's word on reads."""

    def __init__(
        self,
        *,
        storage: Storage,
        intake: Intake,
        zero: ZeroLinks,
        reconciler: Reconciler,
        crier: Crier,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._intake = intake
        self._zero = zero
        self._reconciler = reconciler
        self._crier = crier
        self._clock = clock

    async def doubts(self, guild_id: GuildId) -> tuple[Doubt, ...]:
        """Return the newest read of each bound campaign that waits for a word. Raises UserMistake where none does."""
        found: list[Doubt] = []
        for campaign_id in await self._storage.campaigns.campaigns_of(guild_id):
            waiting = await self._waiting(campaign_id)
            if waiting:
                found.append(await self._doubt(campaign_id, waiting[-1]))
        if not found:
            raise UserMistake(NOTHING_TO_BELIEVE)
        return tuple(found)

    async def believe(self, guild_id: GuildId, read_ids: Collection[ReadId], *, by: DiscordUserId) -> tuple[Doubt, ...]:
        """Believe these reads, those that still wait, and plan whomever they show. Raises UserMistake."""
        believed: list[Doubt] = []
        for campaign_id in await self._storage.campaigns.campaigns_of(guild_id):
            waiting = await self._waiting(campaign_id)
            believed += [await self._doubt(campaign_id, read) for read in waiting if read.read_id in read_ids]
        if not believed:
            raise UserMistake(OVER)
        for doubt in believed:
            await self._believe(doubt)
            await self._storage.audit.add(self._entry(guild_id, doubt, by))
            for binding in await self._storage.campaigns.guilds_of(doubt.campaign_id):
                if binding != guild_id:
                    await self._crier.tell_news(binding, BELIEVED_ELSEWHERE.format(name=plain(doubt.name)))
        return tuple(believed)

    async def _believe(self, doubt: Doubt) -> None:
        read = doubt.read
        await self._storage.reads.believe(read.read_id)
        patrons = await self._intake.believe_until(doubt.campaign_id, read.finished_at or read.started_at)
        relinked = await self._zero.follow(patrons)
        people = relinked.union(await self._linked(patrons))
        followers = await self._storage.campaigns.guilds_of(doubt.campaign_id)
        if relinked:  # a link counts everywhere
            followers = tuple(sorted({binding.guild_id for binding in await self._storage.campaigns.bindings()}))
        for guild_id in followers:
            with contextlib.suppress(TryLater):  # the next round plans everybody anyway
                await self._reconciler.consider(guild_id, people, trigger=Trigger.BELIEVE)

    async def _waiting(self, campaign_id: CampaignId) -> tuple[Read, ...]:
        later = await self._storage.reads.since_believed(campaign_id)
        return tuple(read for read in later if read.is_complete and not read.is_believed)

    async def _doubt(self, campaign_id: CampaignId, read: Read) -> Doubt:
        campaign = await self._storage.campaigns.load(campaign_id)
        return Doubt(
            campaign_id=campaign_id,
            name=campaign.name if campaign is not None else campaign_id,
            read=read,
            believed=await self._storage.reads.last_believed(campaign_id),
        )

    async def _linked(self, patrons: Collection[PatreonUserId]) -> list[DiscordUserId]:
        return [
            link.discord_user_id for link in await self._storage.links.list_all() if link.patreon_user_id in patrons
        ]

    def _entry(self, guild_id: GuildId, doubt: Doubt, by: DiscordUserId) -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(),
            guild_id=guild_id,
            action=AuditAction.BELIEVE,
            reason=ReadBelieved(campaign_id=doubt.campaign_id, campaign_name=doubt.name, by=by),
            trigger=Trigger.BELIEVE,
            read_id=doubt.read.read_id,
        )


def summary_of(read: Read) -> ReadSummary:
    """Return a stored read in numbers."""
    return msgspec.convert(read.summary, ReadSummary)
