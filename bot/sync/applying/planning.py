"""From facts and a look at Discord to plans, of one person or of a guild, with every rail applied.

The `plan_` verbs write nothing. Whoever applies a plan calls the `record_` verbs too: first for what was seen (settled
ledger rows, and writes that turned out to have happened), then for what the plan means for the holds.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence

import msgspec
import structlog

from bot.discord.member_presence import MemberPresence
from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.domain.errors import TryLater
from bot.domain.ledger import Settlement, carried_out, settle, settled
from bot.domain.member_answer import MemberAnswer
from bot.domain.member_changes import MemberChanges
from bot.domain.model import DiscordUserId, GrantState, GuildId, HandEdits, RoleId, RoleRule
from bot.domain.notices import ChangeFound, HandEditsFought, PeopleUnplanned, Solved, Topic
from bot.domain.plan import (
    Decision,
    GuildFacts,
    PersonFacts,
    PersonPlan,
    ended_comps,
    plan_person,
    told_to_team,
)
from bot.domain.planned import GuildPlan, PlannedPerson, Presence
from bot.domain.safeguards import facts_mark, lost_by, rein_in
from bot.runtime.unhurried import portions, unhurried
from bot.storage import Storage
from bot.sync.applying.audit_role_changes import done_action, found_entries, is_taken_again, seen_entries
from bot.sync.applying.facts import FactBook, with_member
from bot.sync.applying.flapping import Flapping
from bot.sync.applying.holds import Holds

log = structlog.get_logger(__name__)


PORTION = 400  # people: what is known of them is some kilobytes each, and a statement takes so many ids at a time


class Unplannable(TryLater):
    """A defect of ours: what is known of one person makes the planner fail; their roles stay as they are."""


class PersonSeen(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What is stored of a person beside what Discord shows of them, and what that says of the ledger's rows."""

    guild: GuildFacts
    person: PersonFacts
    settlement: Settlement

    @property
    def settled(self) -> PersonFacts:
        """The person's facts with the rows as they are after the look."""
        if self.settlement.is_empty:
            return self.person
        return msgspec.structs.replace(self.person, grants=settled(self.person.grants, self.settlement))


class Planning:
    """Plans with everything that bears on them."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        facts: FactBook,
        holds: Holds,
        notifier: Notifier,
        presence: MemberPresence,
    ) -> None:
        self._storage = storage
        self._notifier = notifier
        self._flapping = Flapping()
        self._observer = observer
        self._presence = presence
        self._facts = facts
        self._holds = holds

    async def plan_guild(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId] | None, *, are_all: bool = False
    ) -> GuildPlan:
        """Plan these people (None: everyone, looked at anew where no event tells of them). Raises DiscordAway.

        Returned is each plan that says something: of all others, every role is as it should be.
        """
        guild = await self._facts.guild(guild_id)
        return await self._plan(guild, discord_user_ids, are_all=are_all)

    async def plan_imagined(self, guild: GuildFacts) -> GuildPlan:
        """Plan everyone as if these were the guild's facts. Raises DiscordAway."""
        return await self._plan(guild, None)

    async def _plan(
        self, guild: GuildFacts, discord_user_ids: Iterable[DiscordUserId] | None, *, are_all: bool = False
    ) -> GuildPlan:
        people = None if discord_user_ids is None else frozenset(discord_user_ids)
        unsettled: set[DiscordUserId] = set()
        changes = await self._watch_members(guild, None if are_all else people)
        is_asked_about = await self._is_asked_about(guild.guild_id)
        presence: dict[DiscordUserId, bool] = {}

        async def planned() -> AsyncIterator[tuple[PersonFacts, PersonPlan]]:
            async for person in self.see(guild, people):
                seen = self._compare(guild, person)
                after = seen.settled
                plan = try_plan(seen.guild, after)
                if seen.settlement.is_empty:
                    _note_member(changes, after, plan)
                else:  # what was seen to have happened is told first, in a turn of their own
                    unsettled.add(person.discord_user_id)
                    _skip_member(changes, person)
                if is_asked_about:
                    presence.update(_presence_of(after, plan))
                yield after, plan

        plans, holds = await self._holds.rein_in(
            guild, planned(), keeps=lambda plan: plan.is_of_note or plan.discord_user_id in unsettled
        )
        return GuildPlan(
            guild=guild,
            plans=plans,
            holds=holds,
            is_of_everyone=people is None or are_all,
            unsettled=frozenset(unsettled),
            members=() if changes is None else changes.conclude(),
            presence=presence,
        )

    async def see(
        self, guild: GuildFacts, discord_user_ids: Iterable[DiscordUserId] | None = None
    ) -> AsyncIterator[PersonFacts]:
        """Yield what is known of these people (None: of everyone tied to the guild), and what Discord shows of them.

        However many they are, the facts of `PORTION` are in memory at a time. Raises DiscordAway.
        """
        wanted = None if discord_user_ids is None else frozenset(discord_user_ids)
        if wanted is None or len(wanted) > PORTION:
            tied = await self._storage.links.people_of(guild.guild_id)
            wanted = tied if wanted is None else tied & wanted
            is_fresh = discord_user_ids is None and not self._observer.hears_members
            await self._observer.look(guild.guild_id, wanted, is_fresh=is_fresh)  # all at once: the fewest calls
        in_order = sorted(wanted)
        for some in portions(in_order, PORTION):
            people = await self._facts.people(guild, some)
            members = await self._observer.look(guild.guild_id, people)
            async for id_, person in unhurried(people.items()):
                yield with_member(person, members[id_])

    async def see_each(
        self, guild_id: GuildId, discord_user_ids: Collection[DiscordUserId]
    ) -> tuple[GuildFacts, dict[DiscordUserId, PersonFacts]]:
        """Return what is known of each of these people, strangers too, with the rows as they are after a look.

        Writes nothing. Raises DiscordAway.
        """
        guild, asked = await self._facts.guild(guild_id), frozenset(discord_user_ids)
        known = await self._facts.people(guild, asked, with_strangers=True)
        unlinked, _ = await self._storage.links.find_opt_outs(asked - known.keys(), ())
        members = await self._observer.look(guild_id, asked)
        found = {}
        for id_ in sorted(asked):
            person = known.get(id_) or PersonFacts(discord_user_id=id_, has_unlinked=id_ in unlinked)
            found[id_] = self._compare(guild, with_member(person, members[id_])).settled
        return guild, found

    async def find_guilds(self, discord_user_id: DiscordUserId) -> frozenset[GuildId]:
        """Return the guilds where there may be something to plan for a person."""
        return await self._storage.links.guilds_of([discord_user_id])

    async def look(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> PersonSeen:
        """Gather what is stored of one person, and look at them. Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        person = await self._facts.person(guild, discord_user_id)
        members = await self._observer.look(guild_id, [discord_user_id])
        return self._compare(guild, with_member(person, members[discord_user_id]))

    async def plan_seen(self, seen: PersonSeen) -> PlannedPerson:
        """Plan one person from a look at them."""
        guild, person = seen.guild, seen.settled
        changes = await self._watch_members(guild, [person.discord_user_id])
        wished = try_plan(guild, person)
        _note_member(changes, person, wished)
        plan, holds = await self._holds.rein_in_one(guild, person, wished)
        is_asked_about = await self._is_asked_about(guild.guild_id)
        counted = await self._holds.counted(guild.guild_id, plan) if plan.is_change else frozenset[RoleId]()
        ended = () if plan.is_unplanned else ended_comps(plan, person, guild.now)
        return PlannedPerson(
            guild=guild,
            plan=plan,
            counted=counted,
            holds=holds,
            ended_comps=ended,
            members=() if changes is None else changes.conclude(),
            presence=_presence_of(person, wished) if is_asked_about else {},
        )

    async def plan_one(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> PlannedPerson:
        """Plan one person as they are now. Raises DiscordAway."""
        return await self.plan_seen(await self.look(guild_id, discord_user_id))

    async def plan_for_team(self, guild: GuildFacts, people: Iterable[PersonFacts]) -> dict[DiscordUserId, PersonPlan]:
        """Plan people as they are now, for the server's team to read; what the brake would hold yet is not worked out.

        Writes nothing.
        """
        held = await self._storage.holds.load_guild(guild.guild_id)
        plans: dict[DiscordUserId, PersonPlan] = {}
        async for person in unhurried(people):
            after, id_ = self._compare(guild, person).settled, person.discord_user_id
            items = held.get(id_)
            mark = facts_mark(after) if items else ""
            plans[id_] = told_to_team(rein_in(try_plan(guild, after), guild.settings, items=items, mark=mark))
        return plans

    async def list_entitled(self, guild_id: GuildId) -> tuple[MemberAnswer, ...]:
        """Return how everyone stands whom something entitles now. Writes nothing. Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        changes = MemberChanges(guild, {})
        async for person in self.see(guild):
            changes.take(self._compare(guild, person).settled)
        return changes.conclude()

    async def record_seen(self, seen: PersonSeen) -> None:
        """Store what a look says of the person's ledger rows, and tell of what it shows to have happened."""
        guild, person, settlement = seen.guild, seen.person, seen.settlement
        unrecorded = [
            intent
            for intent in carried_out(person.grants, settlement, person.member)
            if intent.role_id in guild.roles and not await self._storage.audit.is_done(intent, done_action(intent))
        ]
        entries = seen_entries(guild, person, settlement)
        run_id = await self._storage.audit.add(*entries, *found_entries(guild, person, unrecorded))
        if any(map(is_taken_again, entries)) and self._flapping.note(guild.guild_id, person.discord_user_id, guild.now):
            log.warning("somebody keeps taking a role away that we enforce", guild_id=guild.guild_id)
            await self._notifier.tell_changes(guild.guild_id, [HandEditsFought(discord_user_id=person.discord_user_id)])
        found = [
            ChangeFound(
                discord_user_id=person.discord_user_id,
                role=guild.roles[intent.role_id],
                is_given=intent.state is GrantState.GRANTING,
                run_id=run_id,
            )
            for intent in unrecorded
        ]
        await self._notifier.tell_changes(guild.guild_id, found)
        settled_rows = [(person.grants[one.role_id], one) for one in settlement.put]
        await self._storage.ledger.replace(
            [*settled_rows, *((person.grants[role_id], None) for role_id in settlement.drop)]
        )

    async def record_plan(self, planned: PlannedPerson | GuildPlan) -> None:
        """Open and close holds as a plan says, and tell of those whose roles could not be worked out.

        A server's hooks are told who stands otherwise than they were told before, once the API can be asked about them.
        Of one person, the comps that ended and on which nothing rests any more are forgotten.
        """
        guild_id, holds = planned.guild.guild_id, planned.holds
        if holds.outdated and await self._storage.rules.list_guild(guild_id) != planned.guild.rules:
            # The plan is older than the rules: so may it be than what an admin approved who changed them.
            holds = msgspec.structs.replace(holds, outdated=())
        await self._holds.record(guild_id, holds)
        if planned.presence:
            await self._presence.note(guild_id, planned.presence)
        if planned.members:
            await self._storage.hooks.tell_members(guild_id, planned.members, at=planned.guild.now)
        if isinstance(planned, GuildPlan):
            if planned.unplanned or planned.is_of_everyone:
                await self._tell_unplanned(guild_id, planned.unplanned)
            return
        if planned.plan.is_unplanned:
            await self._tell_unplanned(guild_id, [planned.plan.discord_user_id])
        if planned.ended_comps:
            await self._storage.comps.drop(planned.ended_comps)

    async def approve_loss(self, guild_id: GuildId, removed: Collection[RoleRule]) -> None:
        """Take what only the end of these rules takes from people as wanted by the admin who ended them.

        A role that no rule names any more needs no such word. Raises DiscordAway.
        """
        guild = await self._facts.guild(guild_id)
        await self._approve(guild, since=(*guild.rules, *removed))

    async def approve_edit(self, guild_id: GuildId, earlier: RoleRule) -> None:
        """Take what a rule no longer gives that once was `earlier` as wanted by the admin. Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        await self._approve(
            guild, since=tuple(earlier if one.rule_id == earlier.rule_id else one for one in guild.rules)
        )

    async def disown_loss(self, guild_id: GuildId, ending: Collection[RoleRule]) -> None:
        """Let people keep what the end of these rules would take: as if a person had given it. Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        after = msgspec.structs.replace(guild, rules=tuple(one for one in guild.rules if one not in ending))
        for person, decision in await self._lost(guild, after):
            await self._storage.ledger.drop(guild_id, person.discord_user_id, decision.role_id)

    async def _approve(self, guild: GuildFacts, *, since: tuple[RoleRule, ...]) -> None:
        """Take what people lost since these were the rules as wanted by an admin."""
        lost = await self._lost(msgspec.structs.replace(guild, rules=since), guild)
        await self._holds.approve(guild, [(person, one) for person, one in lost if one.claim.rule is not None])

    async def _lost(self, before: GuildFacts, after: GuildFacts) -> list[tuple[PersonFacts, Decision]]:
        return [
            (person, decision)
            async for person in self.see(before)
            for decision in lost_by(try_plan(before, person), try_plan(after, person))
        ]

    def _compare(self, guild: GuildFacts, person: PersonFacts) -> PersonSeen:
        """Compare a person's ledger rows with what was seen of them and of the guild's roles.

        Hand edits are respected while somebody keeps taking a role away.
        """
        if self._flapping.is_on(guild.guild_id, person.discord_user_id, guild.now):
            settings = msgspec.structs.replace(guild.settings, hand_edits=HandEdits.RESPECT)
            guild = msgspec.structs.replace(guild, settings=settings)
        settlement = settle(
            person.grants.values(),
            person.member,
            hand_edits=guild.settings.hand_edits,
            now=guild.now,
            existing=guild.roles,
        )
        return PersonSeen(guild=guild, person=person, settlement=settlement)

    async def _watch_members(self, guild: GuildFacts, people: Collection[DiscordUserId] | None) -> MemberChanges | None:
        """Begin to compare these people (None: everyone) with what hooks were told of them; None without hooks."""
        if not await self._storage.hooks.wants(guild.guild_id):
            return None
        return MemberChanges(guild, await self._storage.hooks.load_told(guild.guild_id, people))

    async def _is_asked_about(self, guild_id: GuildId) -> bool:
        """Tell whether other programs may ask who is in a server."""
        return guild_id in await self._storage.api_tokens.guilds()

    async def _tell_unplanned(self, guild_id: GuildId, people: Sequence[DiscordUserId]) -> None:
        if people:
            await self._notifier.tell_admin(guild_id, PeopleUnplanned(discord_user_ids=tuple(people)))
        else:
            await self._notifier.over(guild_id, Solved(topic=Topic.UNPLANNED))


def _note_member(changes: MemberChanges | None, person: PersonFacts, plan: PersonPlan) -> None:
    if plan.is_unplanned:
        _skip_member(changes, person)
    elif changes is not None:
        changes.take(person)


def _skip_member(changes: MemberChanges | None, person: PersonFacts) -> None:
    if changes is not None:
        changes.skip(person.discord_user_id)


def _presence_of(person: PersonFacts, plan: PersonPlan) -> Presence:
    """Tell whether the API answers of somebody: they are in the server, and tied to it."""
    if plan.is_unplanned:
        return {}
    is_tied = plan.is_known_here or bool(person.grants or person.comps or person.returned)
    return {person.discord_user_id: is_tied and person.member is not None}


def try_plan(guild: GuildFacts, person: PersonFacts) -> PersonPlan:
    """Plan one person; where that fails, return a plan that changes nothing and says so: it stops nobody else."""
    try:
        return plan_person(guild, person)
    except Exception:
        log.exception("a person could not be planned", guild_id=guild.guild_id, discord_user_id=person.discord_user_id)
        return PersonPlan(
            discord_user_id=person.discord_user_id,
            decisions=(),
            link=person.link,
            has_unlinked=person.has_unlinked,
            is_unplanned=True,
        )
