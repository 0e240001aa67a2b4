"""The ledger by an admin's word: roles that others gave become ours, and roles taken away by hand may come again.

Whoever holds an adopted role is treated as if we had given it: kept while it is earned, taken when it is not, with the
brake over all of it.
"""

import contextlib
from collections.abc import Collection

import msgspec

from bot.discord.observe import Observer
from bot.domain.adoption import AdoptionDraft, Fate
from bot.domain.assignable import Powers
from bot.domain.audit_entry import AdminGave, AuditAction, AuditEntry
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.ledger import GuildMember
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, RoleId
from bot.domain.plan import Action, GuildFacts, PersonFacts, is_linked
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.facts import FactBook, with_member
from bot.sync.applying.planning import try_plan
from bot.sync.applying.reconcile import Reconciler


class Adoption:
    """Puts roles into the ledger, or a hand edit out of it."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        facts: FactBook,
        reconciler: Reconciler,
        rulebook: Rulebook,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._facts = facts
        self._reconciler = reconciler
        self._rulebook = rulebook
        self._clock = clock

    async def draft(self, guild_id: GuildId, role_id: RoleId, caller: Powers) -> AdoptionDraft:
        """Find out who holds a pledge role and not by us. Raises UserMistake or DiscordAway."""
        await self._rulebook.check_role(guild_id, role_id, caller)
        guild = await self._facts.guild(guild_id)
        if all(rule.role_id != role_id for rule in guild.rules):
            raise UserMistake(Mistake.ROLE_WITHOUT_RULE)
        seen = await self._observer.find_holders(guild_id, role_id)
        holders = await self._linked_holders(guild_id, role_id) if seen is None else seen
        known = await self._facts.people(guild, holders, with_strangers=True)
        fates: dict[Fate, list[DiscordUserId]] = {fate: [] for fate in Fate}
        for holder in sorted(holders):
            person = known.get(holder) or PersonFacts(discord_user_id=holder)
            person = with_member(person, GuildMember(role_ids=frozenset({role_id})))
            fates[self.fate(guild, person, role_id)].append(holder)
        return AdoptionDraft(
            role_id=role_id,
            role_name=guild.roles.get(role_id, ""),
            holders={fate: tuple(people) for fate, people in fates.items()},
            sees_everyone=seen is not None,
        )

    async def adopt(self, guild_id: GuildId, role_id: RoleId, caller: Powers, *, by: DiscordUserId) -> AdoptionDraft:
        """Take what they hold now as given by us, and plan them. Raises UserMistake or DiscordAway."""
        draft = await self.draft(guild_id, role_id, caller)
        await self.take_over(guild_id, [(person, role_id) for person in draft.people], by=by)
        return draft

    async def take_over(
        self, guild_id: GuildId, held: Collection[tuple[DiscordUserId, RoleId]], *, by: DiscordUserId
    ) -> None:
        """Take it that we gave these roles to these people, and plan them; whether `by` may is not asked."""
        grants = [self._grant(guild_id, person, role_id) for person, role_id in held]
        await self._storage.ledger.adopt(guild_id, grants)
        entries = [self._entry(grant, AuditAction.ADOPT, by, trigger=Trigger.ADOPT) for grant in grants]
        await self._storage.audit.add(*entries)
        with contextlib.suppress(TryLater):  # the rows stand; the next round plans everybody
            await self._reconciler.consider(guild_id, {person for person, _ in held}, trigger=Trigger.ADOPT)

    async def restore(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId, *, caller: Powers, by: DiscordUserId
    ) -> None:
        """Forget that a role was taken away by hand, or by an undo, and plan the person.

        Raises UserMistake where it was not.
        """
        await self._rulebook.check_role(guild_id, role_id, caller)
        grant = await self._storage.ledger.restore(guild_id, discord_user_id, role_id)
        if grant is None:
            raise UserMistake(Mistake.ROLE_NOT_SUPPRESSED)
        await self._storage.audit.add(self._entry(grant, AuditAction.RESTORE, by, trigger=Trigger.RESTORE))
        self._reconciler.mark(guild_id, [discord_user_id], trigger=Trigger.RESTORE)

    async def _linked_holders(self, guild_id: GuildId, role_id: RoleId) -> frozenset[DiscordUserId]:
        linked = [link.discord_user_id for link in await self._storage.links.list_guild(guild_id)]
        members = await self._observer.look(guild_id, linked)
        return frozenset(one for one, member in members.items() if member is not None and role_id in member.role_ids)

    def fate(self, guild: GuildFacts, person: PersonFacts, role_id: RoleId) -> Fate:
        """Plan somebody who has a pledge role as if it were ours, and say what becomes of it."""
        if role_id in person.grants:
            return Fate.OURS
        imagined = {**person.grants, role_id: self._grant(guild.guild_id, person.discord_user_id, role_id)}
        plan = try_plan(guild, msgspec.structs.replace(person, grants=imagined))
        (action,) = (decision.action for decision in plan.decisions if decision.role_id == role_id)
        if action is Action.KEEP:
            return Fate.ENTITLED
        if action not in {Action.REVOKE, Action.SPARE}:
            return Fate.UNSURE
        return Fate.UNENTITLED if is_linked(person) else Fate.UNLINKED

    def _grant(self, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId) -> Grant:
        now = self._clock.now()
        return Grant(
            guild_id=guild_id,
            discord_user_id=discord_user_id,
            role_id=role_id,
            state=GrantState.HELD,
            since=now,
            granted_at=now,
        )

    def _entry(self, grant: Grant, action: AuditAction, by: DiscordUserId, *, trigger: Trigger) -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(),
            guild_id=grant.guild_id,
            discord_user_id=grant.discord_user_id,
            role_id=grant.role_id,
            action=action,
            reason=AdminGave(by=by),
            trigger=trigger,
        )
