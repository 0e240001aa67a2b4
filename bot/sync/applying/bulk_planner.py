"""Plans many people in memory and queues those with changes; whom Discord did not show is planned later.

A look that failed is made again within seconds; while Discord is not connected, as soon as it is. A server that we are
not in any more is not looked at: should it come back, everyone there is planned. A restart plans everyone, too.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import msgspec
import structlog

from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.plan import Action, PersonPlan
from bot.domain.planned import GuildPlan
from bot.runtime.unhurried import unhurried
from bot.storage import Storage
from bot.storage.due import Due
from bot.sync.applying.apply import Applier
from bot.sync.applying.planning import Planning
from bot.sync.applying.troubles import Troubles

log = structlog.get_logger(__name__)

MOST_LOOKED_AT = 2_000  # people, in 20 requests: more would keep those waiting who link now (120 a minute are allowed)


class Mark(Protocol):
    """Queues people of a guild."""

    def __call__(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId], *, trigger: Trigger, urgency: Urgency
    ) -> object:
        """Let them be planned and written when their turn comes."""


class Postponed(msgspec.Struct, frozen=True):
    """Whom to plan in a guild as soon as Discord shows them; None: everyone."""

    people: frozenset[DiscordUserId] | None
    trigger: Trigger


class BulkPlanner:
    """Plans many at once, in every guild."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        planning: Planning,
        applier: Applier,
        troubles: Troubles,
        mark: Mark,
        soon: Callable[[Callable[[], None]], None],
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._planning = planning
        self._applier = applier
        self._troubles = troubles
        self._mark = mark
        self._soon = soon
        # Who waits for their roles since before Discord was there, and why.
        self._unseen: dict[DiscordUserId, Trigger] = {}
        self._postponed: dict[GuildId, Postponed] = {}
        self._catching_up: set[asyncio.Task[None]] = set()
        self._under_way = Counter[GuildId]()  # plans
        self._whole: dict[GuildId, float] = {}  # when the last plan of everybody began (monotonic), unless it failed

    async def consider(
        self,
        guild_id: GuildId,
        discord_user_ids: Iterable[DiscordUserId] | None,
        trigger: Trigger,
        *,
        are_all: bool = False,
        waiting: Collection[Due] | None = None,
    ) -> GuildPlan:
        """Plan these people (None: all), and queue those with changes. Raises DiscordAway: they are planned later.

        `are_all`: who calls knows that nobody else is tied to the guild. `waiting`: who waits there, read before.
        """
        people = None if discord_user_ids is None else frozenset(discord_user_ids)
        self._under_way[guild_id] += 1
        try:
            return await self._consider(guild_id, people, trigger, are_all=are_all, waiting=waiting)
        finally:
            self._under_way[guild_id] -= 1

    async def _consider(
        self,
        guild_id: GuildId,
        people: frozenset[DiscordUserId] | None,
        trigger: Trigger,
        *,
        are_all: bool,
        waiting: Collection[Due] | None,
    ) -> GuildPlan:
        began = time.monotonic()
        if people is None or are_all:
            self._whole[guild_id] = began
        try:
            return await self._plan_and_queue(guild_id, people, trigger, are_all=are_all, waiting=waiting)
        except BaseException as error:
            if self._whole.get(guild_id) == began:
                del self._whole[guild_id]
            if isinstance(error, TryLater):
                self._postpone(guild_id, people, trigger)
            raise

    async def _plan_and_queue(
        self,
        guild_id: GuildId,
        people: frozenset[DiscordUserId] | None,
        trigger: Trigger,
        *,
        are_all: bool,
        waiting: Collection[Due] | None,
    ) -> GuildPlan:
        told = await self._troubles.told_blocked(guild_id)
        if waiting is None:
            waiting = await self._find_waiting(guild_id, None if are_all else people)  # before their facts are read
        drawn = await self._planning.plan_guild(guild_id, people, are_all=are_all)
        await self._planning.record_plan(drawn)
        async for plan in unhurried(drawn.plans):
            if plan.discord_user_id in drawn.unsettled:
                self._mark(guild_id, [plan.discord_user_id], trigger=trigger, urgency=Urgency.BULK_GRANT)
            else:
                self.queue_changes(guild_id, plan, trigger)
        await self._storage.due.end(_served(waiting, drawn, None if are_all else people))
        await self._troubles.tell_blocked(drawn, told=told)
        return drawn

    async def _find_waiting(self, guild_id: GuildId, people: frozenset[DiscordUserId] | None) -> Collection[Due]:
        if people is None:
            return await self._storage.due.list_guild(guild_id)
        return await self._storage.due.list_people(guild_id, people)

    def is_planning(self, guild_id: GuildId) -> bool:
        """Tell whether people of a guild are being planned now."""
        return self._under_way[guild_id] > 0

    def plans_all_since(self, guild_id: GuildId, moment: float) -> bool:
        """Tell whether a plan of everybody there has begun since a moment (monotonic), and has not failed."""
        return guild_id in self._whole and self._whole[guild_id] >= moment

    async def bring_in_line(self, guild_id: GuildId, trigger: Trigger) -> GuildPlan:
        """Plan everyone, trusting no memory: whom we know is looked at anew, and what was refused is tried again.

        Raises DiscordAway; they are planned later then.
        """
        self._applier.retry_refused(guild_id)
        known = self._observer.known(guild_id)
        if self._observer.hears_members and not self._observer.is_slowed and len(known) <= MOST_LOOKED_AT:
            with contextlib.suppress(DiscordAway):  # the plan asks for them again
                await self._observer.renew(guild_id, known)
        drawn = await self.consider(guild_id, None, trigger)
        return msgspec.structs.replace(drawn, is_halted=self._applier.is_banned)

    def queue_changes(self, guild_id: GuildId, plan: PersonPlan, trigger: Trigger) -> None:
        """Queue one person for what their plan changes."""
        if plan.is_change:
            urgency = Urgency.BULK_GRANT if plan.having(Action.GRANT) else Urgency.BULK_REVOKE
            self._mark(guild_id, [plan.discord_user_id], trigger=trigger, urgency=urgency)

    def postpone_person(self, discord_user_id: DiscordUserId, trigger: Trigger) -> None:
        """Remember somebody who waits while Discord is not connected."""
        self._unseen[discord_user_id] = trigger

    def catch_up(self) -> None:
        """Plan, now that Discord is there, whom it did not show when they were to be planned."""
        task = asyncio.create_task(self._catch_up(), name="planning of those not seen before")
        self._catching_up.add(task)
        task.add_done_callback(self._catching_up.discard)

    async def close(self) -> None:
        """Leave the rest to the next start."""
        for task in self._catching_up:
            task.cancel()
        await asyncio.gather(*self._catching_up, return_exceptions=True)

    async def _catch_up(self) -> None:
        if not self._observer.is_connected:
            return
        unseen, self._unseen = self._unseen, {}
        postponed, self._postponed = self._postponed, {}
        try:
            for person, trigger in unseen.items():
                theirs = await self._planning.find_guilds(person)
                for guild_id in theirs.intersection(self._observer.guild_ids()):
                    self._mark(guild_id, [person], trigger=trigger, urgency=Urgency.WAITING)
        except TryLater as error:
            log.info("people who wait are looked for later", why=str(error))
            self._unseen = unseen | self._unseen
            self._soon(self.catch_up)
        for guild_id in self._observer.guild_ids():
            if guild_id in postponed:
                await self._consider_postponed(guild_id, postponed[guild_id])

    async def _consider_postponed(self, guild_id: GuildId, postponed: Postponed) -> None:
        try:
            await self.consider(guild_id, postponed.people, postponed.trigger)
        except TryLater as error:
            log.info("a server is looked at later", guild_id=guild_id, why=str(error))
        except Exception:  # the boundary of a background task: the rounds plan everyone, a slice at a time
            log.exception("a server could not be considered", guild_id=guild_id)

    def _postpone(self, guild_id: GuildId, people: frozenset[DiscordUserId] | None, trigger: Trigger) -> None:
        before = self._postponed.get(guild_id)
        if before is not None:
            people = None if people is None or before.people is None else people | before.people
        self._postponed[guild_id] = Postponed(people, trigger)
        if before is None and self._observer.is_connected:
            self._soon(self.catch_up)


def _served(waiting: Iterable[Due], drawn: GuildPlan, people: frozenset[DiscordUserId] | None) -> list[Due]:
    """Return who waits no more after a plan of these people (None: all): those with changes do, for their turn."""
    queued = drawn.changing | drawn.unsettled
    return [
        one
        for one in waiting
        if (people is None or one.discord_user_id in people) and one.discord_user_id not in queued
    ]
