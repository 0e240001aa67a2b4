"""Roles by an admin's word alone: to a guest or a winner, for a reason and until a day. For the planner they are facts.

An admin may give what they could hand out by hand and a rule could give: the same is refused. A role that somebody took
away by hand is given again, for the admin says so now.
"""

import contextlib

import msgspec

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction, AuditEntry, CompChange, CompChanged
from bot.domain.changes import Trigger
from bot.domain.comps import Comp, NamedComp, read_reason, read_until
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.domain.reasons import RoleReason, reason_of
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.reconcile import Reconciler


class CompRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `/patreon comp add`, as typed."""

    discord_user_id: DiscordUserId
    role_id: RoleId
    until: str
    reason: str


class GivenComp(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the comp, the one in whose place it came, and what becomes of the role now."""

    named: NamedComp
    before: Comp | None = None
    now: RoleReason | None = None  # None: Discord doesn't show it at the moment


class CompEditor:
    """Gives, lists and ends comps."""

    def __init__(self, *, storage: Storage, rulebook: Rulebook, reconciler: Reconciler, clock: Clock) -> None:
        self._storage = storage
        self._rulebook = rulebook
        self._reconciler = reconciler
        self._clock = clock

    async def give(self, guild_id: GuildId, wish: CompRequest, caller: Powers, *, by: DiscordUserId) -> GivenComp:
        """Give somebody a role, or change what was said of it. Raises UserMistake."""
        now = self._clock.now()
        comp = Comp(
            guild_id=guild_id,
            discord_user_id=wish.discord_user_id,
            role_id=wish.role_id,
            reason=read_reason(wish.reason),
            given_by=by,
            given_at=now,
            until=read_until(wish.until, now=now),
        )
        await self._rulebook.check_role(guild_id, comp.role_id, caller)
        before = await self._storage.comps.give(comp)
        await self._note(comp, CompChange.GIVEN if before is None else CompChange.CHANGED, by=by)
        await self._storage.ledger.restore(guild_id, comp.discord_user_id, comp.role_id)
        becomes = await self._find_reason(comp)
        self._reconciler.mark(guild_id, [comp.discord_user_id], trigger=Trigger.COMP)
        return GivenComp(named=self._named(comp), before=before, now=becomes)

    async def remove(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId, caller: Powers, *, by: DiscordUserId
    ) -> GivenComp:
        """End a comp now. Raises UserMistake where none runs, or where the role is not the caller's to take."""
        self._rulebook.check_rank(guild_id, [role_id], caller)
        comp = await self._storage.comps.remove(guild_id, discord_user_id, role_id, at=self._clock.now())
        if comp is None:
            raise UserMistake(Mistake.COMP_UNKNOWN)
        await self._note(comp, CompChange.ENDED, by=by)
        becomes = await self._find_reason(comp)
        self._reconciler.mark(guild_id, [discord_user_id], trigger=Trigger.COMP)
        return GivenComp(named=self._named(comp), now=becomes)

    async def list(self, guild_id: GuildId) -> tuple[NamedComp, ...]:
        """Return the comps that run in a guild."""
        comps = await self._storage.comps.list_running(guild_id, self._clock.now())
        return tuple(map(self._named, comps))

    async def _find_reason(self, comp: Comp) -> RoleReason | None:
        """Return what becomes of the role."""
        with contextlib.suppress(TryLater):  # the fact stands; it is planned as soon as Discord shows them
            planned = await self._reconciler.explain(comp.guild_id, comp.discord_user_id)
            for decision in planned.plan.decisions:
                if decision.role_id == comp.role_id:
                    return reason_of(decision, planned.guild)
        return None

    def _named(self, comp: Comp) -> NamedComp:
        return NamedComp(comp=comp, role=self._rulebook.role_name(comp.guild_id, comp.role_id))

    async def _note(self, comp: Comp, change: CompChange, *, by: DiscordUserId) -> None:
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=comp.guild_id,
                discord_user_id=comp.discord_user_id,
                role_id=comp.role_id,
                action=AuditAction.COMP,
                reason=CompChanged(change=change, reason=comp.reason, until=comp.until, by=by),
                trigger=Trigger.COMP,
            )
        )
