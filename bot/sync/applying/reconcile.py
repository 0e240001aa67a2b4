"""Makes roles follow facts: whoever is queued is looked at, settled, planned and written when their turn comes.

One worker for each guild takes one person at a time, so writes on one person never run side by side, and Discord's own
per-guild limit sets the pace. Knows nothing of Patreon: new facts arrive as `mark`, `consider` or `follow`.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.domain.changes import Outcome, RoleChange, Trigger, Urgency
from bot.domain.errors import Later, Mistake, TryLater, UserMistake
from bot.domain.model import DiscordUserId, GuildId, PatreonUserId, RoleId
from bot.domain.plan import CHANGES, WRITES, Action, PersonPlan, told_to_team
from bot.domain.planned import GuildPlan, PlannedPerson
from bot.domain.role_news import RoleNews, gather_news
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.due import Due
from bot.sync.applying.apply import Applier, unwritten_roles
from bot.sync.applying.bulk_planner import BulkPlanner
from bot.sync.applying.elsewhere import Elsewhere
from bot.sync.applying.planning import Planning, Unplannable
from bot.sync.applying.queue import PeopleQueue, Turn
from bot.sync.applying.refusals import TELL_AFTER, Refusals
from bot.sync.applying.troubles import Troubles

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0
CLOSE_SECONDS = 3.0  # so that the whole process ends within ten
UNSEEN_PATIENCE = timedelta(seconds=10)  # an event follows its write within a second, or was lost
REST_STEP_SECONDS = 0.5
SILENT_TURNS = 3  # so many in a row that Discord gave no answer to, and we slow down
LONGEST_LULL_SECONDS = 5.0
TWO_FACTOR_SECONDS = 600.0  # between two tries, where rounds are rarer
COME_AGAIN = frozenset(Outcome) - {Outcome.DONE, Outcome.GONE, Outcome.REFUSED}  # looked at anew in a turn of its own


class Reconciler:
    """The one way from facts to roles."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        planning: Planning,
        applier: Applier,
        troubles: Troubles,
        elsewhere: Elsewhere,
        clock: Clock,
        on_follow: Callable[[PatreonUserId], None],
        on_turn: Callable[[Trigger, tuple[RoleChange, ...]], None],
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._planning = planning
        self._applier = applier
        self._troubles = troubles
        self._elsewhere = elsewhere
        self._clock = clock
        self._on_follow = on_follow  # told before a linked person is planned who waits
        self._on_turn = on_turn  # told after each turn
        self._queues: dict[GuildId, PeopleQueue] = {}
        self._workers: dict[GuildId, asyncio.Task[None]] = {}
        self._served: set[tuple[GuildId, DiscordUserId]] = set()  # whose turn it is now
        self._coming: set[tuple[GuildId, DiscordUserId]] = set()  # whose next turn begins in a few seconds
        self._later: set[asyncio.TimerHandle] = set()
        self._refusals = Refusals()
        self._next_tries: dict[tuple[GuildId, DiscordUserId | None], asyncio.TimerHandle] = {}
        self._said_away: dict[tuple[GuildId, DiscordUserId], datetime] = {}
        self._bulk = BulkPlanner(
            storage=storage,
            observer=observer,
            planning=planning,
            applier=applier,
            troubles=troubles,
            mark=self.mark,
            soon=self._soon,
        )

    # --- what others call -------------------------------------------------------------------------------------

    @property
    def hears_members(self) -> bool:
        """Tell whether Discord tells of what people do; else each round must look at everyone anew."""
        return self._observer.hears_members

    def backlog(self) -> tuple[int, float]:
        """Return how many people stand in the queues, and for how many seconds the first of them has."""
        queues = self._queues.values()
        return sum(map(len, queues)), max((queue.oldest_seconds() for queue in queues), default=0.0)

    def mark(
        self,
        guild_id: GuildId,
        discord_user_ids: Iterable[DiscordUserId],
        *,
        trigger: Trigger,
        urgency: Urgency = Urgency.WAITING,
    ) -> list[asyncio.Future[frozenset[RoleId]]]:
        """Queue people; each future tells, when that person's turn is over, which roles it wrote."""
        queue = self._queue(guild_id)
        return [queue.put(person, urgency=urgency, trigger=trigger) for person in discord_user_ids]

    async def follow(self, discord_user_id: DiscordUserId, *, trigger: Trigger) -> tuple[RoleNews, ...]:
        """Plan and write one person who waits, in each guild that they are tied to; say what became of each role.

        One guild out of sight stops no other; its DiscordAway is raised when all the others are done. While none is
        in sight, DiscordAway too: that is not the same as no role. Whoever was not seen is looked at again soon.
        Servers of other processes are waited for.
        """
        if not self._observer.is_connected:
            self._bulk.postpone_person(discord_user_id, trigger)
            raise DiscordAway(Later.NOT_CONNECTED)
        link = await self._storage.links.find_discord(discord_user_id)
        if link is not None:
            self._on_follow(link.patreon_user_id)
        theirs = await self._planning.find_guilds(discord_user_id)
        in_sight = [guild_id for guild_id in self._observer.guild_ids() if guild_id in theirs]
        guild_ids = [guild_id for guild_id in in_sight if await self.has_business(guild_id)]
        following = [self._follow_in(guild_id, discord_user_id, trigger) for guild_id in guild_ids]
        told = await asyncio.gather(
            *following,
            self._elsewhere.follow(discord_user_id, theirs, in_sight=in_sight),
            return_exceptions=True,
        )
        for one in told:
            if isinstance(one, BaseException):
                raise one
        return tuple(news for one in told if not isinstance(one, BaseException) for news in one)

    async def consider(
        self,
        guild_id: GuildId,
        discord_user_ids: Iterable[DiscordUserId] | None,
        *,
        trigger: Trigger,
        are_all: bool = False,
        waiting: Collection[Due] | None = None,
    ) -> frozenset[DiscordUserId]:
        """Plan these people (None: all; `are_all`: who calls knows that they are) in memory, queue those with changes.

        Returns whom. `waiting`: who waits there, where who calls has read that before.

        Raises DiscordAway; whoever was not seen is considered again soon.
        """
        drawn = await self._bulk.consider(guild_id, discord_user_ids, trigger, are_all=are_all, waiting=waiting)
        return drawn.changing

    def is_planning(self, guild_id: GuildId) -> bool:
        """Tell whether people of a guild are being considered now."""
        return self._bulk.is_planning(guild_id)

    def plans_all_since(self, guild_id: GuildId, moment: float) -> bool:
        """Tell whether a plan of everybody in a guild has begun since a moment (monotonic), and has not failed."""
        return self._bulk.plans_all_since(guild_id, moment)

    async def bring_in_line(self, guild_id: GuildId, *, trigger: Trigger) -> GuildPlan:
        """Plan everyone, trusting no memory, and let refused roles be tried again. Raises DiscordAway as `consider`."""
        self._refusals.wake(guild_id)
        drawn = await self._bulk.bring_in_line(guild_id, trigger)
        return msgspec.structs.replace(drawn, refused=self._refusals.refused(guild_id))

    def catch_up(self) -> None:
        """Plan, now that Discord is there, whom it did not show when they were to be planned."""
        self._bulk.catch_up()

    async def look_again(self, guild_ids: Collection[GuildId]) -> None:
        """Look anew at everyone whose last write has not been seen for a while, and let them be planned."""
        before = self._clock.now() - UNSEEN_PATIENCE
        open_intents = await self._storage.ledger.open_intents(guild_ids)
        people = {(one.guild_id, one.discord_user_id) for one in open_intents if one.since < before}
        for (guild_id, person), at in list(self._said_away.items()):
            if guild_id in guild_ids and at < before:
                del self._said_away[guild_id, person]
                people.add((guild_id, person))
        for guild_id, person in sorted(people):
            self._observer.forget(guild_id, person)
            self.mark(guild_id, [person], trigger=Trigger.LOOK, urgency=Urgency.BULK_GRANT)

    def stands(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool:
        """Tell whether somebody stands in a queue, has their turn, or comes again soon."""
        one = guild_id, discord_user_id
        is_queued = guild_id in self._queues and discord_user_id in self._queues[guild_id]
        return is_queued or one in self._served or one in self._coming

    def try_again(self, guild_id: GuildId) -> bool:
        """Let a guild that asks for two-factor authentication be tried once more; tell whether this one did ask.

        Whoever calls lets everyone be considered then.
        """
        return self._applier.try_again(guild_id)

    def forget_left(self) -> None:
        """Take it that guilds which are not shown any more have no trouble."""
        if self._observer.is_connected:
            self._troubles.forget_all_but(self._observer.guild_ids())

    async def preview(self, guild_id: GuildId) -> GuildPlan:
        """Return what a sync would change now, or cannot. Writes nothing. Raises DiscordAway."""
        drawn = await self._planning.plan_guild(guild_id, None)
        shown = tuple(one for one in drawn.plans if one.is_of_note)
        return msgspec.structs.replace(drawn, plans=shown, refused=self._refusals.refused(guild_id))

    async def explain(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> PlannedPerson:
        """Return one person's plan as it stands. Writes nothing. Raises DiscordAway."""
        return await self._planning.plan_one(guild_id, discord_user_id)

    async def explain_to_team(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> PlannedPerson:
        """Return what a server's team may learn of one person's plan.

        What ties someone to another server is nobody's business here. Raises DiscordAway, and UserMistake for somebody
        who is not a member and whose roles here are not ours.
        """
        seen = await self._planning.look(guild_id, discord_user_id)
        if seen.person.member is None and not seen.person.grants and not seen.person.comps:
            raise UserMistake(Mistake.STRANGER)
        planned = await self._planning.plan_seen(seen)
        return msgspec.structs.replace(planned, plan=told_to_team(planned.plan))

    async def forget_role(self, guild_id: GuildId, role_id: RoleId) -> None:
        """Take it that a role was deleted."""
        await self._applier.forget_role(guild_id, role_id, trigger=Trigger.ROLE_DELETED)

    async def follow_leaving(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> None:
        """Let somebody who left be planned where a hook is to be told; for their roles nothing follows."""
        if await self._storage.hooks.wants(guild_id):
            self.mark(guild_id, [discord_user_id], trigger=Trigger.MEMBER_CHANGED, urgency=Urgency.LOOK)

    async def is_relevant(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool:
        """Tell whether anything ties this person to us."""
        if await self._storage.ledger.load_member(guild_id, discord_user_id):
            return True
        if await self._storage.comps.load_member(guild_id, discord_user_id):
            return True
        return await self._storage.links.find_discord(discord_user_id) is not None

    async def close(self) -> None:
        """Let the writes under way end, start no other."""
        for handle in (*self._later, *self._next_tries.values()):
            handle.cancel()
        await self._bulk.close()
        for queue in self._queues.values():
            queue.close()
        if self._workers:
            _, stuck = await asyncio.wait(self._workers.values(), timeout=CLOSE_SECONDS)
            for worker in stuck:
                worker.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)

    # --- one guild's worker -----------------------------------------------------------------------------------

    def _queue(self, guild_id: GuildId) -> PeopleQueue:
        if guild_id not in self._queues:
            self._queues[guild_id] = PeopleQueue()
            self._workers[guild_id] = asyncio.create_task(self._work(guild_id), name=f"roles of guild {guild_id}")
        return self._queues[guild_id]

    async def _work(self, guild_id: GuildId) -> None:
        queue, silent_turns = self._queues[guild_id], 0
        while (turn := await queue.get()) is not None:
            outcomes = await self._take_turn(guild_id, queue, turn)
            if self._applier.is_banned:
                await self._sit_out(guild_id, queue)
            elif outcomes:
                silent_turns = silent_turns + 1 if outcomes == {Outcome.UNKNOWN} else 0
            if silent_turns >= SILENT_TURNS:
                await asyncio.sleep(min(2.0 ** (silent_turns - SILENT_TURNS), LONGEST_LULL_SECONDS))

    async def _take_turn(self, guild_id: GuildId, queue: PeopleQueue, turn: Turn) -> set[Outcome]:
        """Plan and write one person, letting those who are more urgent go first between two writes."""
        changes: list[RoleChange] = []
        person = guild_id, turn.discord_user_id
        self._served.add(person)
        try:
            due = await self._storage.due.find(*person)  # before the facts are read
            while await self._serve(guild_id, queue, turn, changes):
                while not self._applier.is_banned and (first := queue.get_before(turn.urgency)) is not None:
                    await self._take_turn(guild_id, queue, first)
            if due is not None and turn.discord_user_id not in queue:  # else the row is for the next turn
                await self._storage.due.end([due])
        except TryLater as error:
            log.info("a person is planned again later", guild_id=guild_id, why=str(error))
            self._again_later(guild_id, turn)
        except Exception:
            log.exception("a person could not be planned", guild_id=guild_id)
            self._again_later(guild_id, turn)
        self._served.discard(person)
        self._on_turn(turn.trigger, tuple(changes))
        if not turn.done.done():
            written = {one.decision.role_id for one in changes if one.outcome is Outcome.DONE}
            turn.done.set_result(frozenset(written))
        return {change.outcome for change in changes}

    async def _sit_out(self, guild_id: GuildId, queue: PeopleQueue) -> None:
        """Write nothing while Discord lets nobody through; whoever waits is told so, and keeps their place."""
        queue.rest()
        try:
            await self._troubles.tell_ban(guild_id)
        except TryLater as error:
            log.warning("a ban could not be told of", guild_id=guild_id, why=str(error))
        except Exception:  # the worker must live on
            log.exception("a ban could not be told of", guild_id=guild_id)
        while self._applier.is_banned and not queue.is_closed:  # noqa: ASYNC110  time passes, no event tells
            await asyncio.sleep(REST_STEP_SECONDS)
        queue.go_on()

    def _again_later(self, guild_id: GuildId, turn: Turn) -> None:
        if self._observer.is_connected and guild_id not in self._observer.guild_ids():
            return  # we are no longer there; should we come back, everyone is planned

        def put_back() -> None:
            self._coming.discard((guild_id, turn.discord_user_id))
            self.mark(guild_id, [turn.discord_user_id], trigger=turn.trigger, urgency=turn.urgency)

        self._coming.add((guild_id, turn.discord_user_id))
        self._soon(put_back)

    def _soon(self, act: Callable[[], None]) -> None:
        def run() -> None:
            self._later.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(RETRY_SECONDS, run)
        self._later.add(handle)

    def _try_after(self, seconds: float, guild_id: GuildId, turn: Turn, *, is_whole_guild: bool) -> None:
        """Queue a person again after a refusal, in place of an earlier such wish for them, or for the whole guild."""
        key = guild_id, None if is_whole_guild else turn.discord_user_id

        def put_back() -> None:
            del self._next_tries[key]
            if is_whole_guild:
                self._applier.try_again(guild_id)
            self.mark(guild_id, [turn.discord_user_id], trigger=turn.trigger, urgency=turn.urgency)

        if key in self._next_tries:
            self._next_tries[key].cancel()
        self._next_tries[key] = asyncio.get_running_loop().call_later(seconds, put_back)

    async def _serve(self, guild_id: GuildId, queue: PeopleQueue, turn: Turn, changes: list[RoleChange]) -> bool:
        """Plan the person from the facts as they are now, and write; tell whether they gave way to somebody else."""
        person = turn.discord_user_id
        await self._observer.look(guild_id, [person], along=queue.waiting())  # in one call
        seen = await self._planning.look(guild_id, person)
        await self._planning.record_seen(seen)
        planned = await self._planning.plan_seen(seen)
        await self._planning.record_plan(planned)
        plan = planned.plan
        if turn.urgency is Urgency.LOOK:
            self._bulk.queue_changes(guild_id, plan, turn.trigger)
            return False
        if not plan.is_change:
            await self._mind(guild_id, turn, (), plan)
            return False
        changing = {one.role_id for one in plan.decisions if one.action in CHANGES}
        if turn.urgency is not Urgency.WAITING and changing <= self._refusals.resting((guild_id, person)):
            return False
        made = await self._applier.apply(
            planned,
            trigger=turn.trigger,
            # While Discord takes no writes nobody else could go on, either.
            gives_way=lambda action: not self._applier.is_banned and queue.has_before(_place(turn, action)),
        )
        changes += made
        outcomes = {change.outcome for change in made}
        await self._mind(guild_id, turn, made, plan)
        if not outcomes.isdisjoint(COME_AGAIN):
            return False
        made_of = {change.decision.role_id for change in made}
        left = {one.action for one in plan.decisions if one.action in WRITES and one.role_id not in made_of}
        if left == {Action.REVOKE}:
            self.mark(guild_id, [person], trigger=turn.trigger, urgency=Urgency.BULK_REVOKE)
            return False
        return bool(left)

    async def _mind(self, guild_id: GuildId, turn: Turn, made: Sequence[RoleChange], plan: PersonPlan) -> None:
        """Do what follows from the outcomes of one person's writes: when they come again, and what admins are told."""
        person, outcomes = turn.discord_user_id, {change.outcome for change in made}
        if Outcome.UNKNOWN in outcomes:
            self._again_later(guild_id, turn)
        if Outcome.REJECTED in outcomes:
            await self._rest(guild_id, turn, unwritten_roles(made, plan))
        elif self._refusals.end((guild_id, person)):
            await self._troubles.over_rejected(guild_id, person)
        if Outcome.NEEDS_2FA in outcomes:
            await self._troubles.tell_2fa(guild_id)
            self._try_after(TWO_FACTOR_SECONDS, guild_id, turn, is_whole_guild=True)
        if Outcome.AWAY in outcomes:
            self._said_away[guild_id, person] = self._clock.now()
        if Outcome.BANNED in outcomes:
            self.mark(guild_id, [person], trigger=turn.trigger, urgency=turn.urgency)
        elif Outcome.DONE in outcomes and await self._troubles.note_write(guild_id):
            await self.consider(guild_id, None, trigger=turn.trigger)  # all whom it kept from their roles

    async def _rest(self, guild_id: GuildId, turn: Turn, role_ids: Iterable[RoleId]) -> None:
        """Let somebody whose write was refused wait for the next try, longer each time; nobody else does."""
        count, seconds = self._refusals.note((guild_id, turn.discord_user_id), role_ids)
        self._try_after(seconds, guild_id, turn, is_whole_guild=False)
        if count == TELL_AFTER:
            await self._troubles.tell_rejected(guild_id, turn.discord_user_id)

    async def _follow_in(self, guild_id: GuildId, person: DiscordUserId, trigger: Trigger) -> tuple[RoleNews, ...]:
        if not self._observer.hears_members:  # they may have joined, or been given a role, since the last look
            self._observer.forget(guild_id, person)
        (written,) = await asyncio.gather(*self.mark(guild_id, [person], trigger=trigger))
        planned = await self.explain(guild_id, person)
        if planned.plan.is_unplanned:
            raise Unplannable(Later.UNPLANNED)
        look = self._observer.look_guild(guild_id)
        return gather_news(
            planned.plan, planned.guild, guild_name=look.name if look is not None else "", written=written
        )

    async def has_business(self, guild_id: GuildId) -> bool:
        """Tell whether a guild has rules, roles by us, or comps."""
        if await self._storage.rules.list_guild(guild_id) or await self._storage.ledger.has_any(guild_id):
            return True
        return await self._storage.comps.has_any(guild_id)


def _place(turn: Turn, action: Action) -> Urgency:
    """Tell where a write of this turn stands: what is taken in a bulk change comes after all that is given."""
    return turn.urgency if action is Action.GRANT or turn.urgency is Urgency.WAITING else Urgency.BULK_REVOKE
