"""Rounds, one at a time: each reads every bound campaign once (`campaign_round.py`).

One for a guild is followed by a plan of all in it. Where several processes share a database their rounds share the
campaigns: in each interval whoever comes first reads one, and looks often enough to see when it is time.

Knows not how a role is written, nor whose turn it is without news (`resync.py`).
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import NoReturn

import msgspec
import structlog

from bot.discord.holder import DiscordAway
from bot.domain.changes import Trigger
from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId, GuildId, PatreonUserId
from bot.domain.round_report import RoundReport
from bot.runtime.health import HealthBoard
from bot.runtime.memory import give_back
from bot.storage import Storage
from bot.storage.campaigns import Binding
from bot.sync.applying.reconcile import Reconciler
from bot.sync.campaign_round import CampaignRounds, Round
from bot.sync.reading.campaigns import HomeCampaign

log = structlog.get_logger(__name__)

SHARED_LOOKS = 10  # so often in an interval a process asks what is to be read, where others read too
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.2, 5.0


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which campaigns a round reads: all, those of a guild, or one. With `interval`, those not read for so long."""

    guild_id: GuildId | None = None
    campaign_id: CampaignId | None = None
    interval: timedelta | None = None

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
        campaigns: CampaignRounds,
        reconciler: Reconciler,
        health: HealthBoard,
    ) -> None:
        self._storage = storage
        self._home = home
        self._campaigns = campaigns
        self._reconciler = reconciler
        self._health = health
        self._running: asyncio.Task[RoundReport] | None = None
        self._scope = Scope()  # of the round under way
        self._is_shared = storage.database.is_shared
        self._told_at = -math.inf  # when a round had the last word (monotonic)
        self._failed_at = -math.inf  # when the campaigns themselves could not be read
        self._troubles = 0  # of the last round

    async def keep_running(self, interval_seconds: float, *, until_ready: Callable[[], Awaitable[object]]) -> NoReturn:
        """Run a whole round each interval until cancelled; before each, wait for `until_ready`.

        Where others read too: each time that a campaign is due.
        """
        interval, pause = None, interval_seconds
        if self._is_shared:
            interval = timedelta(seconds=interval_seconds)
            pause = min(max(interval_seconds / SHARED_LOOKS, SHORTEST_LOOK_SECONDS), LONGEST_LOOK_SECONDS)
        while True:
            await until_ready()
            began = time.monotonic()
            try:
                await self.run(trigger=Trigger.INTERVAL, asks_patrons=False, interval=interval)
            except Exception as error:  # the next one may do better, and not before its time
                log.exception("a round failed")
                self._health.failed("sync", repr(error))
            await asyncio.sleep(max(began + pause - time.monotonic(), 0))

    async def run(
        self,
        *,
        trigger: Trigger,
        guild_id: GuildId | None = None,
        asks_patrons: bool = True,
        interval: timedelta | None = None,
    ) -> RoundReport:
        """Read all campaigns, or those of one guild and then plan everyone there.

        Whoever asks during such a round gets its report. `asks_patrons`: where a campaign is read through its patrons'
        own consent, all of them are asked now, whoever's turn it is. `interval` leaves out what any process has read
        so lately.
        """
        scope = Scope(guild_id=guild_id, interval=interval)
        while self._running is not None and not self._running.done():
            if self._scope.covers(scope):
                return await self._for_guild(await asyncio.shield(self._running), guild_id, trigger)
            await asyncio.wait({self._running})
        return await self._for_guild(await self._begin(trigger, scope, asks_patrons=asks_patrons), guild_id, trigger)

    async def read_anew(self, campaign_id: CampaignId, *, trigger: Trigger) -> RoundReport:
        """Read and plan one campaign in a round that begins after now: one under way may have passed the news by."""
        await self._ended()
        return await self._begin(trigger, Scope(campaign_id=campaign_id), asks_patrons=True)

    async def close(self) -> None:
        """Break off a round under way; nothing is lost."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

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
        if asks_patrons or self._is_shared:  # somebody waits for it; else it ends with each slice of everybody
            self._storage.forget_kept()
        errors = await self._refresh_home(scope)
        guilds = _by_campaign(await self._storage.campaigns.bindings(), scope)
        linked = frozenset[PatreonUserId]() if self._is_shared else await self._storage.links.linked_patrons()
        under_way = Round(trigger=trigger, asks_patrons=asks_patrons, linked=linked, interval=scope.interval)
        await self._campaigns.begin(guilds.keys(), under_way)
        for campaign_id, bindings in guilds.items():
            await self._campaigns.run(campaign_id, bindings, under_way)
        await self._campaigns.conclude(under_way)
        round_report = RoundReport(
            campaigns=tuple(under_way.reports),
            queued=sum(map(len, under_way.queued.values())),
            people=under_way.queued,
            seconds=time.monotonic() - started,
            errors=tuple(errors),
        )
        if scope.interval is not None and not round_report.campaigns and not round_report.errors:
            if time.monotonic() - self._told_at >= scope.interval.total_seconds():  # others read all of them
                self._conclude(round_report, trigger)
            return round_report
        self._conclude(round_report, trigger)
        await asyncio.to_thread(give_back)  # a page of members is a megabyte
        return round_report

    def _conclude(self, report: RoundReport, trigger: Trigger) -> None:
        self._told_at = time.monotonic()
        troubles = [*report.errors, *(one.error for one in report.campaigns if one.error is not None)]
        if report.is_ok:
            self._health.ok("sync")
        else:
            self._health.failed("sync", "; ".join(map(str, troubles)))
        changed = sum(one.changed for one in report.campaigns)
        is_asked_for, is_other = trigger is not Trigger.INTERVAL, len(troubles) != self._troubles
        self._troubles = len(troubles)
        log.log(
            logging.INFO if changed or report.queued or is_asked_for or is_other else logging.DEBUG,
            "round",
            trigger=str(trigger),
            patrons=sum(one.patrons for one in report.campaigns),
            changed=changed,
            queued=report.queued,
            troubles=len(troubles),
            seconds=round(report.seconds, 3),
        )

    async def _refresh_home(self, scope: Scope) -> list[PledgekeeperError]:
        """Read the campaigns themselves; what failed is tried once in an interval."""
        began = time.monotonic()
        if scope.interval is not None and began - self._failed_at < scope.interval.total_seconds():
            return []
        try:
            await self._home.refresh()
        except PledgekeeperError as error:
            self._failed_at = began
            return [error]
        return []

    async def forget_campaign(self, campaign_id: CampaignId) -> None:
        """Forget what was read of a campaign that no guild follows any more, once a round under way has ended."""
        await self._ended()
        if not await self._storage.campaigns.guilds_of(campaign_id):
            await self._campaigns.forget(campaign_id)


def _by_campaign(bindings: Iterable[Binding], scope: Scope) -> dict[CampaignId, list[Binding]]:
    """Group the bindings, so that one read serves every guild; only the campaigns that are asked for."""
    grouped: dict[CampaignId, list[Binding]] = {}
    for binding in bindings:
        if scope.campaign_id in {None, binding.campaign_id}:
            grouped.setdefault(binding.campaign_id, []).append(binding)
    if scope.guild_id is None:
        return grouped
    return {id_: group for id_, group in grouped.items() if any(one.guild_id == scope.guild_id for one in group)}
