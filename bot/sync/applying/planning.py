"""From facts and a look at Discord to plans, of one person or of a guild, with every rail applied. Writes no role.

Where it is told to record, it stores what was seen (settled ledger rows) and what must not happen (holds), and tells of
writes that turned out to have happened.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import structlog

from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.domain.assignable import Block
from bot.domain.ledger import Settlement, carried_out, settle, settled
from bot.domain.model import CampaignId, DiscordUserId, GuildId, HandEdits, RoleId, RoleRule
from bot.domain.notices import HandEditsFought, PeopleUnplanned, Solved, Topic
from bot.domain.plan import Decision, GuildFacts, PersonFacts, PersonPlan
from bot.domain.rails import lost_by
from bot.storage import Storage
from bot.sync.applying.audit import TAKEN_BUT_ENFORCED, done_word, found_entries, found_line, seen_entries
from bot.sync.applying.facts import FactBook, seated
from bot.sync.applying.flapping import Fights
from bot.sync.applying.guarded import plan_guarded
from bot.sync.applying.holds import Holds
from bot.texts.names import Names

log = structlog.get_logger(__name__)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One person's plan with the names to say it."""

    plan: PersonPlan
    names: Names
    counted: frozenset[RoleId] = frozenset()  # revokes that count for the brake


class GuildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do now, and how old the facts are."""

    guild_id: GuildId
    plans: tuple[PersonPlan, ...]
    names: Names
    facts_at: dict[CampaignId, datetime | None]
    blocked: Mapping[RoleId, Block] = msgspec.field(default_factory=dict)  # the pledge roles that cannot be given
    on_trial: frozenset[RoleId] = frozenset()  # Discord refused them; whether it still does, the next write shows
    is_halted: bool = False  # Discord takes no write at all for a while
    unplanned: tuple[DiscordUserId, ...] = ()  # whose planning failed; their roles stay
    refused: Mapping[DiscordUserId, frozenset[RoleId]] = msgspec.field(
        default_factory=dict
    )  # at the last try, by Discord
    unsettled: frozenset[DiscordUserId] = frozenset()  # their ledger rows say something else than what was seen

    @property
    def changing(self) -> frozenset[DiscordUserId]:
        """Those whose plan changes something."""
        return frozenset(plan.discord_user_id for plan in self.plans if plan.is_change)


class Planning:
    """Plans with everything that bears on them."""

    def __init__(
        self, *, storage: Storage, observer: Observer, facts: FactBook, holds: Holds, notifier: Notifier
    ) -> None:
        self._storage = storage
        self._notifier = notifier
        self._fights = Fights()
        self._observer = observer
        self._facts = facts
        self._holds = holds

    async def plan_guild(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId] | None, *, is_recorded: bool
    ) -> GuildPlan:
        """Plan these people (None: everyone, looked at anew where no event tells of them). Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        names = await self._facts.names(guild_id)
        people = await self._facts.people(guild, discord_user_ids)
        is_fresh = discord_user_ids is None and not self._observer.hears_members
        seats = await self._observer.look(guild_id, people, is_fresh=is_fresh)
        seen = [
            self._settle(self._calm(guild, id_), seated(person, seats[id_]), names) for id_, person in people.items()
        ]
        plans = await self._holds.rein_in(
            guild_id,
            [(one, plan_guarded(self._calm(guild, one.discord_user_id), one)) for one, _ in seen],
            settings=guild.settings,
            names=names,
            is_recorded=is_recorded,
        )
        unplanned = tuple(plan.discord_user_id for plan in plans if plan.is_unplanned)
        if is_recorded and (unplanned or discord_user_ids is None):
            await self._tell_unplanned(guild_id, unplanned)
        campaign_ids = await self._storage.campaigns.campaigns_of(guild_id)
        return GuildPlan(
            guild_id=guild_id,
            plans=tuple(plans),
            names=names,
            facts_at={campaign_id: names.confirmed_at.get(campaign_id) for campaign_id in campaign_ids},
            blocked={one.role_id: guild.blocked[one.role_id] for one in guild.rules if one.role_id in guild.blocked},
            on_trial=guild.on_trial,
            unplanned=unplanned,
            unsettled=frozenset(person.discord_user_id for person, is_news in seen if is_news),
        )

    async def plan_one(
        self,
        guild_id: GuildId,
        discord_user_id: DiscordUserId,
        *,
        is_recorded: bool,
        is_markdown: bool = True,
    ) -> Explanation:
        """Plan one person. Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        names = await self._facts.names(guild_id, is_markdown=is_markdown)
        person = await self._facts.person(guild, discord_user_id)
        seats = await self._observer.look(guild_id, [discord_user_id])
        person = seated(person, seats[discord_user_id])
        guild = self._calm(guild, discord_user_id)
        if is_recorded:
            await self._record(guild, person, names)
        person, _ = self._settle(guild, person, names)
        (plan,) = await self._holds.rein_in(
            guild_id,
            [(person, plan_guarded(guild, person))],
            settings=guild.settings,
            names=names,
            is_recorded=is_recorded,
        )
        if is_recorded and plan.is_unplanned:
            await self._tell_unplanned(guild_id, [discord_user_id])
        counted = await self._holds.counted(guild_id, plan) if plan.is_change else frozenset[RoleId]()
        return Explanation(plan=plan, names=names, counted=counted)

    async def approve_loss(self, guild_id: GuildId, removed: Collection[RoleRule]) -> None:
        """Take what only the end of these rules takes from people as wanted by the admin who ended them.

        A role that no rule names any more needs no such word. Raises DiscordAway.
        """
        guild = await self._facts.guild(guild_id)
        before = msgspec.structs.replace(guild, rules=(*guild.rules, *removed))
        lost = [(person, one) for person, one in await self._lost(before, guild) if one.claim.rule is not None]
        await self._holds.approve(guild_id, lost, names=await self._facts.names(guild_id))

    async def disown_loss(self, guild_id: GuildId, ending: Collection[RoleRule]) -> None:
        """Let people keep what the end of these rules would take: as if a person had given it. Raises DiscordAway."""
        guild = await self._facts.guild(guild_id)
        after = msgspec.structs.replace(guild, rules=tuple(one for one in guild.rules if one not in ending))
        for person, decision in await self._lost(guild, after):
            await self._storage.ledger.drop(guild_id, person.discord_user_id, decision.role_id)

    async def _lost(self, before: GuildFacts, after: GuildFacts) -> list[tuple[PersonFacts, Decision]]:
        people = await self._facts.people(before)
        seats = await self._observer.look(before.guild_id, people)
        seen = [seated(person, seats[id_]) for id_, person in people.items()]
        return [
            (person, decision)
            for person in seen
            for decision in lost_by(plan_guarded(before, person), plan_guarded(after, person))
        ]

    def _calm(self, guild: GuildFacts, discord_user_id: DiscordUserId) -> GuildFacts:
        """Return the guild's facts, by which hand edits are respected while somebody keeps taking a role away."""
        if not self._fights.is_on(guild.guild_id, discord_user_id, guild.now):
            return guild
        settings = msgspec.structs.replace(guild.settings, hand_edits=HandEdits.RESPECT)
        return msgspec.structs.replace(guild, settings=settings)

    async def _tell_unplanned(self, guild_id: GuildId, people: Sequence[DiscordUserId]) -> None:
        if people:
            await self._notifier.tell_admin(guild_id, PeopleUnplanned(discord_user_ids=tuple(people)))
        else:
            await self._notifier.over(guild_id, Solved(topic=Topic.UNPLANNED))

    def _settle(self, guild: GuildFacts, person: PersonFacts, names: Names) -> tuple[PersonFacts, bool]:
        settlement = settle_seen(guild, person, names)
        grants = settled(person.grants, settlement)
        return msgspec.structs.replace(person, grants=grants), not settlement.is_empty

    async def _record(self, guild: GuildFacts, person: PersonFacts, names: Names) -> None:
        """Store what the look says of the person's ledger rows."""
        settlement = settle_seen(guild, person, names)
        unrecorded = [
            intent
            for intent in carried_out(person.grants, settlement, person.seat)
            if intent.role_id in names.roles and not await self._storage.audit.is_done(intent, done_word(intent))
        ]
        seen = seen_entries(guild, person, settlement, existing=names.roles)
        await self._storage.audit.add(*seen, *found_entries(guild, person, unrecorded))
        is_again = any(one.reason == TAKEN_BUT_ENFORCED for one in seen)
        if is_again and self._fights.note(guild.guild_id, person.discord_user_id, guild.now):
            log.warning("somebody keeps taking a role away that we enforce", guild_id=guild.guild_id)
            await self._notifier.tell_changes(guild.guild_id, [HandEditsFought(discord_user_id=person.discord_user_id)])
        await self._notifier.tell_changes(guild.guild_id, [found_line(one, names) for one in unrecorded])
        await self._storage.ledger.put(*settlement.put)
        for role_id in settlement.drop:
            await self._storage.ledger.drop(guild.guild_id, person.discord_user_id, role_id)


def settle_seen(guild: GuildFacts, person: PersonFacts, names: Names) -> Settlement:
    """Compare a person's ledger rows with what was seen of them and of the guild's roles."""
    return settle(
        person.grants.values(),
        person.seat,
        hand_edits=guild.settings.hand_edits,
        now=guild.now,
        existing=names.roles,
    )
