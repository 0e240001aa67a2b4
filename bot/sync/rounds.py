"""One round: read every bound campaign once, and let whoever changed be planned in every guild that follows it.

A whole round plans a slice of everybody too (`resync.py`); one for a guild is followed by a plan of all in it.

Knows not how a role is written.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Container, Iterable
from typing import NoReturn

import msgspec
import structlog

from bot.discord.holder import DiscordAway
from bot.domain.changes import Trigger
from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId, DiscordUserId, GuildId, PatreonUserId
from bot.domain.round_report import ReadReport, RoundReport
from bot.runtime.health import HealthBoard
from bot.storage import Storage
from bot.storage.campaigns import Binding
from bot.sync.applying.reconcile import Reconciler
from bot.sync.consents import Consents
from bot.sync.declines import Declines
from bot.sync.reading.campaigns import HomeCampaign
from bot.sync.reading.intake import CampaignRead, Intake
from bot.sync.reading.read_news import ReadNews
from bot.sync.reported_links import ReportedLinks
from bot.sync.resync import Resync

log = structlog.get_logger(__name__)

RESYNC_SECONDS = 1.0  # for so long a round waits for its slice of everybody to be planned


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which campaigns a round reads: all, those of a guild, or one."""

    guild_id: GuildId | None = None
    campaign_id: CampaignId | None = None

    def covers(self, other: "Scope") -> bool:
        """Tell whether a round of this scope reads what one of the other would."""
        return self in (Scope(), other)


class Rounds:
    """Runs rounds, one at a time."""

    def __init__(
        self,
        *,
        storage: Storage,
        home: HomeCampaign,
        intake: Intake,
        consents: Consents,
        reconciler: Reconciler,
        resync: Resync,
        reported_links: ReportedLinks,
        declines: Declines,
        news: ReadNews,
        health: HealthBoard,
        on_read: Iterable[Callable[[CampaignRead], None]],
    ) -> None:
        self._storage = storage
        self._home = home
        self._intake = intake
        self._consents = consents
        self._reconciler = reconciler
        self._resync = resync
        self._reported_links = reported_links
        self._declines = declines
        self._news = news
        self._health = health
        self._on_read = tuple(on_read)  # told of each bulk read
        self._running: asyncio.Task[RoundReport] | None = None
        self._resyncing: asyncio.Task[dict[GuildId, frozenset[DiscordUserId]]] | None = None
        self._scope = Scope()  # of the round under way
        self._queued: dict[GuildId, frozenset[DiscordUserId]] = {}  # by the round under way
        self._settles = True  # whether the next list of it is the first
        self._linked: Container[PatreonUserId] = frozenset()  # as of now, for the reads of the round under way

    async def keep_running(self, interval_seconds: float, *, until_ready: Callable[[], Awaitable[object]]) -> NoReturn:
        """Run a whole round each interval until cancelled; before each, wait for `until_ready`."""
        while True:
            await until_ready()
            began = time.monotonic()
            try:
                await self.run(trigger=Trigger.INTERVAL, asks_patrons=False)
            except Exception as error:  # the next one may do better, and not before its time
                log.exception("a round failed")
                self._health.failed("sync", repr(error))
            await asyncio.sleep(max(began + interval_seconds - time.monotonic(), 0))

    async def run(self, *, trigger: Trigger, guild_id: GuildId | None = None, asks_patrons: bool = True) -> RoundReport:
        """Read and plan all campaigns, or those of one guild and then everyone there.

        Whoever asks during such a round gets its report. `asks_patrons`: where a campaign is read through its patrons'
        own consent, all of them are asked now, whoever's turn it is.
        """
        scope = Scope(guild_id=guild_id)
        while self._running is not None and not self._running.done():
            if self._scope.covers(scope):
                return await self._for_guild(await asyncio.shield(self._running), guild_id, trigger)
            await asyncio.wait({self._running})
        return await self._for_guild(await self._begin(trigger, scope, asks_patrons=asks_patrons), guild_id, trigger)

    async def read_anew(self, campaign_id: CampaignId, *, trigger: Trigger) -> RoundReport:
        """Read and plan one campaign in a round that begins after now: one under way may have passed the news by."""
        await self._ended()
        return await self._begin(trigger, Scope(campaign_id=campaign_id), asks_patrons=True)

    async def run_anew(self, *, trigger: Trigger, guild_id: GuildId) -> RoundReport:
        """Read and plan what a guild follows, in a round that begins after now."""
        await self._ended()
        return await self.run(trigger=trigger, guild_id=guild_id)

    async def close(self) -> None:
        """Break off a round under way; nothing is lost."""
        tasks = [task for task in (self._running, self._resyncing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _for_guild(self, report: RoundReport, guild_id: GuildId | None, trigger: Trigger) -> RoundReport:
        """Leave out what is another guild's (its campaigns, the troubles of the home's settings), and plan everyone."""
        if guild_id is None:
            return report
        followed = set(await self._storage.campaigns.campaigns_of(guild_id))
        campaigns = tuple(one for one in report.campaigns if one.campaign_id in followed)
        errors = report.errors if guild_id == self._home.guild_id else ()
        plan = None
        try:
            plan = await self._reconciler.bring_in_line(guild_id, trigger=trigger)
        except DiscordAway as error:
            errors = (*errors, error)
        people = report.people.get(guild_id, frozenset()) | (frozenset() if plan is None else plan.changing)
        return msgspec.structs.replace(report, campaigns=campaigns, errors=errors, queued=len(people), plan=plan)

    async def _ended(self) -> None:
        """Wait until no round is under way."""
        while self._running is not None and not self._running.done():
            await asyncio.wait({self._running})

    async def _begin(self, trigger: Trigger, scope: Scope, *, asks_patrons: bool) -> RoundReport:
        self._scope = scope
        self._running = asyncio.create_task(self._run(trigger, scope, asks_patrons=asks_patrons), name="round")
        return await asyncio.shield(self._running)

    async def _run(self, trigger: Trigger, scope: Scope, *, asks_patrons: bool) -> RoundReport:
        started = time.monotonic()
        self._storage.forget_kept()
        self._queued = await self._go_on(trigger) if scope == Scope() else {}
        errors = await self._refresh_home()
        guilds = _by_campaign(await self._storage.campaigns.bindings(), scope)
        self._linked = await self._storage.links.linked_patrons()
        reports: list[ReadReport] = []
        for campaign_id, bindings in guilds.items():
            self._settles = all(one.is_by_consents for one in reports)
            reports.append(await self._run_campaign(campaign_id, bindings, trigger, asks_patrons=asks_patrons))
        round_report = RoundReport(
            campaigns=tuple(reports),
            queued=sum(map(len, self._queued.values())),
            people=self._queued,
            seconds=time.monotonic() - started,
            errors=tuple(errors),
        )
        self._conclude(round_report, trigger)
        return round_report

    async def _go_on(self, trigger: Trigger) -> dict[GuildId, frozenset[DiscordUserId]]:
        """Take a slice of everybody; where Discord takes its time, as after a start, the round goes on meanwhile."""
        if self._resyncing is None or self._resyncing.done():
            self._resyncing = asyncio.create_task(self._resync.go_on(trigger=trigger), name="resync")
        await asyncio.wait({self._resyncing}, timeout=RESYNC_SECONDS)
        return dict(self._resyncing.result()) if self._resyncing.done() else {}

    def _conclude(self, report: RoundReport, trigger: Trigger) -> None:
        troubles = [*report.errors, *(one.error for one in report.campaigns if one.error is not None)]
        if report.is_ok:
            self._health.ok("sync")
        else:
            self._health.failed("sync", "; ".join(map(str, troubles)))
        log.info(
            "round",
            trigger=str(trigger),
            patrons=sum(one.patrons for one in report.campaigns),
            changed=sum(one.changed for one in report.campaigns),
            queued=report.queued,
            troubles=len(troubles),
            seconds=round(report.seconds, 3),
        )

    async def _refresh_home(self) -> list[PledgekeeperError]:
        try:
            await self._home.refresh()
        except PledgekeeperError as error:
            return [error]
        return []

    async def _run_campaign(
        self, campaign_id: CampaignId, bindings: list[Binding], trigger: Trigger, *, asks_patrons: bool
    ) -> ReadReport:
        campaign = await self._storage.campaigns.load(campaign_id)
        name = campaign.name if campaign is not None else campaign_id
        guild_ids = [binding.guild_id for binding in bindings]
        credential_id = await self._storage.campaigns.find_reader(campaign_id)
        if credential_id is None:
            return await self._run_by_consents(campaign_id, name, bindings, trigger, asks_patrons=asks_patrons)

        async def on_news(patrons: frozenset[PatreonUserId]) -> None:
            people = await self._storage.links.find_people(patrons)
            for guild_id in guild_ids if people else ():
                await self._consider(guild_id, people, trigger)

        rechecked = await self._intake.recheck(campaign_id)
        read = await self._intake.read_campaign(campaign_id, credential_id, linked=self._linked, on_news=on_news)
        for note in self._on_read:
            note(read)
        relinked = await self._reported_links.follow(read.changed | rechecked, of=guild_ids, settles=self._settles)
        if relinked:
            await self._consider_elsewhere(relinked, guild_ids, trigger)
        patrons = read.changed | self._intake.restless(campaign_id)
        people = relinked | await self._storage.links.find_people(patrons)
        for guild_id in guild_ids:
            await self._consider(guild_id, people, trigger)
            await self._reconciler.look_again(guild_id)
            words, unread = self._intake.unknown_words(campaign_id), self._intake.unread(campaign_id)
            await self._news.tell(guild_id, name, read, unknown_words=words, unread=unread)
        await self._declines.tell(campaign_id, patrons)
        return _report_read(name, read)

    async def _run_by_consents(
        self, campaign_id: CampaignId, name: str, bindings: list[Binding], trigger: Trigger, *, asks_patrons: bool
    ) -> ReadReport:
        """Plan what the patrons' own readings brought."""
        is_dead = any(binding.credential_id is not None for binding in bindings)
        if asks_patrons:
            await self._consents.read_all()
        restless = self._intake.restless(campaign_id)
        ended = await self._consents.list_ended(campaign_id)
        people = await self._storage.links.find_people(restless)
        for guild_id in [binding.guild_id for binding in bindings]:
            await self._consider(guild_id, people, trigger)
            await self._reconciler.look_again(guild_id)
            await self._news.tell_of_consents(guild_id, campaign_id, name, is_dead=is_dead, ended=ended)
        await self._declines.tell(campaign_id, restless)
        await self._declines.tell_of_ended(campaign_id)
        patrons = await self._consents.count_readers(campaign_id)
        return _report_consents(name, campaign_id, patrons, is_token_dead=is_dead, error=self._consents.trouble)

    async def _consider_elsewhere(
        self, people: Collection[DiscordUserId], but: Collection[GuildId], trigger: Trigger
    ) -> None:
        """Let people be planned in the other guilds too, where anything ties them: a link counts everywhere."""
        for guild_id in sorted(await self._storage.links.guilds_of(people) - set(but)):
            await self._consider(guild_id, people, trigger)

    async def forget_campaign(self, campaign_id: CampaignId) -> None:
        """Forget what was read of a campaign that no guild follows any more, once a round under way has ended."""
        await self._ended()
        if not await self._storage.campaigns.guilds_of(campaign_id):
            self._intake.forget_campaign(campaign_id)
            await self._storage.reads.forget_campaign(campaign_id)  # first: a read says that whoever has no row is none
            await self._storage.memberships.forget_campaign(campaign_id)

    async def _consider(self, guild_id: GuildId, people: Collection[DiscordUserId], trigger: Trigger) -> None:
        if not people:
            return
        with contextlib.suppress(DiscordAway):  # they are considered again when the guild is seen
            queued = await self._reconciler.consider(guild_id, people, trigger=trigger)
            self._queued[guild_id] = self._queued.get(guild_id, frozenset()) | queued


def _by_campaign(bindings: Iterable[Binding], scope: Scope) -> dict[CampaignId, list[Binding]]:
    """Group the bindings, so that one read serves every guild; only the campaigns that are asked for."""
    grouped: dict[CampaignId, list[Binding]] = {}
    for binding in bindings:
        if scope.campaign_id in {None, binding.campaign_id}:
            grouped.setdefault(binding.campaign_id, []).append(binding)
    if scope.guild_id is None:
        return grouped
    return {id_: group for id_, group in grouped.items() if any(one.guild_id == scope.guild_id for one in group)}


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
