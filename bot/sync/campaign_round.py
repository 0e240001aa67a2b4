"""One campaign's part of a round: read it, and let whoever changed be planned in every guild that follows it.

A campaign whose creator's token works is read as a whole; any other by its patrons' own consents. Knows no interval.
"""

import contextlib
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.domain.changes import Trigger
from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId, CredentialId, DiscordUserId, GuildId, PatreonUserId
from bot.domain.round_report import ReadReport
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.campaigns import Binding
from bot.storage.leases import Lease, LeaseLost
from bot.storage.turns import Turns
from bot.sync.after_restore import AfterRestore
from bot.sync.applying.reconcile import Reconciler
from bot.sync.consents import Consents
from bot.sync.declines import Declines
from bot.sync.reading.intake import CampaignRead, Intake
from bot.sync.reading.read_news import ReadNews
from bot.sync.reported_links import ReportedLinks

log = structlog.get_logger(__name__)

OTHERS_SECONDS = 600.0  # so long whoever asks waits for another process that reads a campaign
CLOCKS_APART = timedelta(seconds=10)  # a read that seems to be yet to come by more than that is from before a leap


@dataclass(kw_only=True)
class Round:
    """A round under way: what it goes by, and whom it has queued in which guild."""

    trigger: Trigger
    asks_patrons: bool
    linked: Container[PatreonUserId]  # as of its start
    interval: timedelta | None = None  # leaves out what any process has read so lately; None: somebody asked for it now
    due: Collection[CampaignId] | None = None  # what that leaves; None: all
    readers: Mapping[CampaignId, CredentialId] = field(default_factory=dict)  # as of its start, too
    rechecked: frozenset[PatreonUserId] = frozenset()  # whose turn it is to be compared with what is stored
    queued: dict[GuildId, frozenset[DiscordUserId]] = field(default_factory=dict)
    reports: list[ReadReport] = field(default_factory=list)

    @property
    def has_read_no_list(self) -> bool:
        """Tell whether no campaign's whole list has been read in it yet."""
        return all(one.is_by_consents for one in self.reports)


class CampaignRounds:
    """Runs one campaign after the other, as a round says."""

    def __init__(
        self,
        *,
        storage: Storage,
        intake: Intake,
        consents: Consents,
        reconciler: Reconciler,
        reported_links: ReportedLinks,
        declines: Declines,
        news: ReadNews,
        after_restore: AfterRestore,
        observer: Observer,
        turns: Turns,
        clock: Clock,
        on_read: Iterable[Callable[[CampaignRead], None]],
    ) -> None:
        self._storage = storage
        self._intake = intake
        self._consents = consents
        self._reconciler = reconciler
        self._reported_links = reported_links
        self._declines = declines
        self._news = news
        self._after_restore = after_restore
        self._observer = observer
        self._turns = turns
        self._clock = clock
        self._looked_at: dict[CampaignId, datetime] = {}  # when one was last read by consents
        self._on_read = tuple(on_read)  # told of each bulk read

    async def begin(self, campaign_ids: Collection[CampaignId], within: Round) -> None:
        """Do at once for all campaigns what costs a statement each: some of what is remembered is compared."""
        within.rechecked = await self._intake.recheck(campaign_ids)
        within.readers = await self._storage.campaigns.find_readers()
        if within.interval is not None:
            within.due = await self._find_due(campaign_ids, within)
        to_read = list(campaign_ids if within.due is None else within.due)
        await self._storage.campaigns.load_all(to_read)
        if not self._turns.is_shared:
            await self._storage.figures.newest_of(to_read)

    async def conclude(self, within: Round) -> None:
        """Do at once, when all campaigns are read, what nobody waits for."""
        if within.rechecked:
            relinked = await self._reported_links.follow(within.rechecked, of=(), settles=False)
            await self._consider_elsewhere(relinked, (), within)

    async def run(self, campaign_id: CampaignId, bindings: list[Binding], within: Round) -> None:
        """Read a campaign, plan whoever changed where it is followed, tell admins, and add to the round's reports.

        One process at a time does: in each interval the first, and whoever is asked to waits for the one at work.
        """
        if within.due is not None and campaign_id not in within.due:
            return
        campaign = await self._storage.campaigns.load(campaign_id)
        name = campaign.name if campaign is not None else campaign_id
        patience = OTHERS_SECONDS if within.interval is None else 0.0
        async with self._turns.take(f"campaign:{campaign_id}", patience=patience) as turn:
            try:
                if turn is None:
                    raise LeaseLost(f"campaign:{campaign_id}")  # noqa: TRY301  as where it is lost halfway
                if within.interval is None or await self._find_due([campaign_id], within):
                    report = await turn.carry_out(self._run(campaign_id, name, bindings, within, turn.lease))
                    within.reports.append(report)
            except LeaseLost as lost:
                log.debug("another process reads a campaign", campaign_id=campaign_id)
                if within.interval is None:
                    within.reports.append(_report_failed(campaign_id, name, lost))
            finally:
                self._intake.let_go(campaign_id)

    async def _run(
        self, campaign_id: CampaignId, name: str, bindings: list[Binding], within: Round, lease: Lease | None
    ) -> ReadReport:
        credential_id = within.readers.get(campaign_id)
        guild_ids = [binding.guild_id for binding in bindings]
        await self._after_restore.tell(guild_ids)
        if credential_id is None:
            return await self._run_by_consents(campaign_id, name, bindings, within)
        return await self._run_list(campaign_id, name, guild_ids, credential_id, within, lease=lease)

    async def _find_due(self, campaign_ids: Collection[CampaignId], within: Round) -> frozenset[CampaignId]:
        """Return those whose last read, by whatever process, began an interval ago."""
        assert within.interval is not None  # noqa: S101  who asks has one
        by_list = within.readers.keys() & campaign_ids
        starts = await self._storage.reads.newest_starts(by_list) if by_list else {}
        starts |= {one: self._looked_at[one] for one in set(campaign_ids) - by_list if one in self._looked_at}
        now = self._clock.now()
        return frozenset(
            one
            for one in campaign_ids
            if one not in starts or not -CLOCKS_APART < now - starts[one] < within.interval  # set back, or due
        )

    async def _run_list(
        self,
        campaign_id: CampaignId,
        name: str,
        guild_ids: list[GuildId],
        credential_id: CredentialId,
        within: Round,
        *,
        lease: Lease | None,
    ) -> ReadReport:
        """Plan what the campaign's whole list brought."""

        async def on_news(patrons: frozenset[PatreonUserId]) -> None:
            people = await self._storage.links.find_people(patrons)
            for guild_id in guild_ids if people else ():
                await self._consider(guild_id, people, within)

        read = await self._intake.read_campaign(
            campaign_id, credential_id, linked=within.linked, on_news=on_news, lease=lease
        )
        for note in self._on_read:
            note(read)
        if read.verdict.proves_absence:
            await self._after_restore.note_read(campaign_id, guild_ids)
        relinked = await self._reported_links.follow(read.changed, of=guild_ids, settles=within.has_read_no_list)
        await self._consider_elsewhere(relinked, guild_ids, within)
        patrons = read.changed | self._intake.restless(campaign_id)
        people = relinked | await self._storage.links.find_people(patrons)
        for guild_id in guild_ids:
            await self._consider(guild_id, people, within)
            words, unread = self._intake.unknown_words(campaign_id), self._intake.unread(campaign_id)
            await self._news.tell(guild_id, name, read, unknown_words=words, unread=unread)
        await self._declines.tell(campaign_id, patrons)
        return _report_read(name, read)

    async def forget(self, campaign_id: CampaignId) -> None:
        """Forget what was read of a campaign, once no process reads it any more."""
        async with self._turns.take(f"campaign:{campaign_id}", patience=OTHERS_SECONDS):
            await self._forget(campaign_id)

    async def _forget(self, campaign_id: CampaignId) -> None:
        self._intake.forget_campaign(campaign_id)
        await self._storage.reads.forget_campaign(campaign_id)  # first: a read says that whoever has no row is none
        await self._storage.memberships.forget_campaign(campaign_id)
        await self._storage.figures.forget_campaign(campaign_id)

    async def _run_by_consents(
        self, campaign_id: CampaignId, name: str, bindings: list[Binding], within: Round
    ) -> ReadReport:
        """Plan what the patrons' own readings brought."""
        self._looked_at[campaign_id] = self._clock.now()
        is_dead = any(binding.credential_id is not None for binding in bindings)
        if within.asks_patrons:
            await self._consents.read_all()
        if self._turns.is_shared:
            await self._intake.load(campaign_id)
        restless = self._intake.restless(campaign_id)
        ended = await self._consents.list_ended(campaign_id)
        people = await self._storage.links.find_people(restless)
        for guild_id in [binding.guild_id for binding in bindings]:
            await self._consider(guild_id, people, within)
            await self._news.tell_of_consents(guild_id, campaign_id, name, is_dead=is_dead, ended=ended)
        await self._declines.tell(campaign_id, restless)
        await self._declines.tell_of_ended(campaign_id)
        patrons = await self._consents.count_readers(campaign_id)
        return _report_consents(name, campaign_id, patrons, is_token_dead=is_dead, error=self._consents.trouble)

    async def _consider_elsewhere(
        self, people: Collection[DiscordUserId], but: Collection[GuildId], within: Round
    ) -> None:
        """Let people be planned in the other guilds too, where anything ties them: a link counts everywhere."""
        if not people:
            return
        for guild_id in sorted(await self._storage.links.guilds_of(people) - set(but)):
            await self._consider(guild_id, people, within)

    async def _consider(self, guild_id: GuildId, people: Collection[DiscordUserId], within: Round) -> None:
        if not people or (self._turns.is_shared and guild_id not in self._observer.guild_ids()):
            return  # what another process plans, the fact made due
        with contextlib.suppress(DiscordAway):  # they are considered again when the guild is seen
            queued = await self._reconciler.consider(guild_id, people, trigger=within.trigger)
            within.queued[guild_id] = within.queued.get(guild_id, frozenset()) | queued


def _report_read(name: str, read: CampaignRead) -> ReadReport:
    """Report what a read of the campaign's whole list brought."""
    return ReadReport(
        campaign_id=read.campaign_id,
        name=name,
        is_complete=read.verdict.is_complete,
        patrons=read.summary.patrons,
        changed=len(read.changed),
        doubts=read.verdict.doubts,
        unattributed=read.verdict.unattributed,
        error=read.error,
    )


def _report_failed(campaign_id: CampaignId, name: str, error: PledgekeeperError) -> ReadReport:
    """Report that a campaign was not read."""
    return ReadReport(campaign_id=campaign_id, name=name, is_complete=False, patrons=0, changed=0, error=error)


def _report_consents(
    name: str, campaign_id: CampaignId, patrons: int, *, is_token_dead: bool, error: PledgekeeperError | None
) -> ReadReport:
    """Report that a campaign is read through so many patrons' own consent."""
    return ReadReport(
        campaign_id=campaign_id,
        name=name,
        is_complete=False,
        patrons=patrons,
        changed=0,
        is_by_consents=True,
        is_token_dead=is_token_dead,
        error=error,
    )
