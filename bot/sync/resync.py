"""Lets everybody's turn come, whatever we believe of them: memory may be wrong, an event may be lost, time passes.

| what                                               | how often             | what it costs                     |
|----------------------------------------------------|-----------------------|-----------------------------------|
| everyone linked, or with a ledger row, is planned  | within ten minutes *  | no call: facts and memory         |
| what is remembered of members is asked for anew    | within an hour *      | one gateway request for a hundred |
| whose last write was not seen, is looked at        | each minute **        | one gateway request for a hundred |

* or once an interval, where intervals are longer. ** or each interval, where they are shorter.

Each minute has its slice of the first two. A small server is planned at once, a large one in portions: to plan a few
people takes nearly as many statements as to plan hundreds. Once in an interval everyone is looked at anew where there
is no members intent, and a server is tried again that asks the owner of our application for two-factor authentication.
After a start everybody's turn has come. Only people in sight are planned: of several processes each has its own.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from bot.discord.holder import DiscordAway
from bot.discord.observe import IDS_PER_LOOK, Observer
from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId, GuildId
from bot.runtime.clock import Clock
from bot.runtime.unhurried import portions
from bot.storage import Storage
from bot.storage.due import Due
from bot.sync.applying.planning import PORTION
from bot.sync.applying.reconcile import Reconciler
from bot.sync.round_robin import RoundRobin

log = structlog.get_logger(__name__)

PLANNED_WITHIN = timedelta(minutes=10)
RENEWED_WITHIN = timedelta(hours=1)
LONGEST_PAUSE = timedelta(minutes=1)  # between two slices
AT_A_TIME = 50  # guilds of which the same is read in one statement
LATE = 2  # so many slices a turn may come late: a slice takes its time, and so does the next


def pause_of(interval: timedelta) -> timedelta:
    """Return the time between two slices."""
    return min(interval, LONGEST_PAUSE)


def period_of(within: timedelta, interval: timedelta) -> timedelta:
    """Return in what time everybody's turn has to come, so that it comes within this time though slices are late."""
    return max(within, interval) - LATE * pause_of(interval)


class _Turns:
    """Whose turn comes next in one guild."""

    def __init__(self, interval: timedelta, now: datetime) -> None:
        self.planned = RoundRobin[DiscordUserId](period_of(PLANNED_WITHIN, interval), portion=PORTION)
        self.renewed = RoundRobin[DiscordUserId](
            period_of(RENEWED_WITHIN, interval), portion=IDS_PER_LOOK, begun_at=now
        )
        self.whole = RoundRobin[GuildId](interval)


class Resync:
    """Takes a slice of everybody, in every guild."""

    def __init__(
        self, *, storage: Storage, observer: Observer, reconciler: Reconciler, clock: Clock, interval_seconds: float
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._reconciler = reconciler
        self._clock = clock
        self._interval = timedelta(seconds=interval_seconds)
        self._turns: dict[GuildId, _Turns] = {}

    async def keep_going(self, *, until_ready: Callable[[], Awaitable[object]]) -> NoReturn:
        """Take a slice each minute until cancelled; before each, wait for `until_ready`."""
        while True:
            await until_ready()
            began = time.monotonic()
            try:
                await self.go_on(trigger=Trigger.INTERVAL)
                await self._reconciler.look_again(self._observer.guild_ids())
            except Exception:  # the next one may do better, and not before its time
                log.exception("a slice of everybody could not be planned")
            await asyncio.sleep(max(began + pause_of(self._interval).total_seconds() - time.monotonic(), 0))

    async def go_on(self, *, trigger: Trigger) -> dict[GuildId, frozenset[DiscordUserId]]:
        """Let those be planned whose turn has come, and return who has changes where. One guild stops no other."""
        self._storage.forget_kept()
        self._reconciler.forget_left()
        queued: dict[GuildId, frozenset[DiscordUserId]] = {}
        guild_ids = self._observer.guild_ids()
        for some in portions(guild_ids, AT_A_TIME):
            await self._storage.read_ahead(some)
            waiting = await self._storage.due.list_guilds(some)
            people = await self._storage.links.people_of_each(some)
            for guild_id in some:
                try:
                    if await self._reconciler.has_business(guild_id):
                        queued[guild_id] = await self._go_on_in(guild_id, people[guild_id], waiting[guild_id], trigger)
                except DiscordAway as error:  # they are considered again when they are seen
                    log.info("a server is looked at later", guild_id=guild_id, why=str(error))
                except Exception:
                    log.exception("a slice of a server could not be planned", guild_id=guild_id)
        return queued

    async def _go_on_in(
        self, guild_id: GuildId, ours: frozenset[DiscordUserId], waiting: Collection[Due], trigger: Trigger
    ) -> frozenset[DiscordUserId]:
        is_new, now = guild_id not in self._turns, self._clock.now()
        turns = self._turns.setdefault(guild_id, _Turns(self._interval, now))
        is_interval_over = bool(turns.whole.take([guild_id], now))
        does_try = is_interval_over and self._reconciler.try_again(guild_id)
        if not self._observer.hears_members:
            if not is_interval_over:
                return frozenset()
            return await self._reconciler.consider(guild_id, None, trigger=trigger)
        for stranger in set(self._observer.known(guild_id)) - ours:
            self._observer.forget(guild_id, stranger)
        due = set(turns.planned.take(sorted(ours), now))
        if is_new and self._reconciler.plans_all_since(guild_id, -math.inf):
            due.clear()  # the start came before us, and plans them all
        due.update(await self._renew(guild_id, turns))
        if not due and not does_try:
            return frozenset()
        are_all = does_try or due >= ours
        return await self._reconciler.consider(
            guild_id, ours if are_all else due, trigger=trigger, are_all=are_all, waiting=waiting
        )

    async def _renew(self, guild_id: GuildId, turns: _Turns) -> list[DiscordUserId]:
        """Ask for those anew whose turn has come, unless the gateway keeps us waiting; return who was asked for."""
        if self._observer.is_slowed:
            return []
        due = turns.renewed.take(self._observer.known(guild_id), self._clock.now())
        try:
            await self._observer.renew(guild_id, due)
        except DiscordAway as error:  # nothing is remembered of them now: the plan asks again
            log.info("members are looked at later", guild_id=guild_id, people=len(due), why=str(error))
        return due
