"""Undo of a run: first what it would do to whom, then, on an admin's word, the facts from which the plans follow.

Nothing is written to Discord here, and nothing is ever undone without that word.
"""

import contextlib
from collections import defaultdict

import msgspec

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction, AuditEntry, AuditRow, RunUndone
from bot.domain.changes import Trigger
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId, RunId
from bot.domain.safeguards import rein_in
from bot.domain.undo import NetChange, UndoDraft, Undoing, UndoKind, conclude, judge, net_changes
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.admin.rulebook import Rulebook
from bot.sync.admin.trail import Trail
from bot.sync.applying.planning import Planning, try_plan
from bot.sync.applying.reconcile import Reconciler


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What was undone, and the number of the run that does it; None where nothing was left to undo."""

    draft: UndoDraft
    run_id: RunId | None


class Undo:
    """Takes runs back."""

    def __init__(
        self,
        *,
        storage: Storage,
        planning: Planning,
        reconciler: Reconciler,
        rulebook: Rulebook,
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._planning = planning
        self._reconciler = reconciler
        self._rulebook = rulebook
        self._trail = trail
        self._clock = clock

    async def draft(self, guild_id: GuildId, run_id: RunId, caller: Powers) -> UndoDraft:
        """Find out what an undo would do now. Raises DiscordAway.

        UserMistake where there is no such run, or where it is about a role that is not the caller's to give and take.
        """
        run = await self._trail.run(guild_id, run_id)
        rows = await self._storage.audit.of_run(run)
        changes = net_changes(rows)
        self._rulebook.check_rank(guild_id, {one.role_id for one in changes}, caller)
        theirs = defaultdict[DiscordUserId, list[NetChange]](list)
        for change in changes:
            theirs[change.discord_user_id].append(change)
        guild, people = await self._planning.see_each(guild_id, theirs.keys())
        later = await self._later(guild_id, rows, changes)
        undoings: list[Undoing] = []
        for person_id, its in theirs.items():
            person = after = people[person_id]
            judged = []
            for change in its:
                undoing, after = judge(change, later[change.audit_id], guild=guild, person=after)
                judged.append(undoing)
            plan = rein_in(try_plan(guild, after), guild.settings)
            undoings += [conclude(one, plan, guild=guild, person=person) for one in judged]
        return UndoDraft(run=run, undoings=tuple(undoings))

    async def undo(self, guild_id: GuildId, run_id: RunId, caller: Powers, *, by: DiscordUserId) -> Undone:
        """Undo what can be undone by now, and let these people be planned. Raises as `draft` does."""
        draft = await self.draft(guild_id, run_id, caller)
        if not draft.possible:
            return Undone(draft=draft, run_id=None)
        rows = {
            kind: [one.grant for one in draft.possible if one.change.kind is kind and one.grant] for kind in UndoKind
        }
        undo_id = await self._storage.holds.undo(
            AuditEntry(
                at=self._clock.now(),
                guild_id=guild_id,
                action=AuditAction.UNDO,
                reason=RunUndone(run_id=run_id, roles=len(draft.possible), by=by),
                trigger=Trigger.UNDO,
            ),
            returned=[one.item for one in draft.possible if one.item is not None],
            withdrawn=rows[UndoKind.TAKE_BACK],
            disowned=rows[UndoKind.DISOWN],
        )
        if undo_id is None:  # another admin was quicker
            return Undone(draft=await self.draft(guild_id, run_id, caller), run_id=None)
        people = {one.change.discord_user_id for one in draft.possible}
        with contextlib.suppress(TryLater):  # the facts stand; the next round plans them
            await self._reconciler.consider(guild_id, people, trigger=Trigger.UNDO)
        return Undone(draft=draft, run_id=undo_id)

    async def _later(
        self, guild_id: GuildId, rows: tuple[AuditRow, ...], changes: tuple[NetChange, ...]
    ) -> dict[int, list[AuditRow]]:
        """Return what was written down of each of these roles of people after the run's last entry on it."""
        found: dict[int, list[AuditRow]] = {change.audit_id: [] for change in changes}
        if not changes:
            return found
        since = await self._storage.audit.since(
            guild_id, rows[0].audit_id, {change.discord_user_id for change in changes}
        )
        of_pair = {(change.discord_user_id, change.role_id): change.audit_id for change in changes}
        for row in since:
            entry = row.entry
            if entry.discord_user_id is None or entry.role_id is None:
                continue
            audit_id = of_pair.get((entry.discord_user_id, entry.role_id))
            if audit_id is not None and row.audit_id > audit_id:
                found[audit_id].append(row)
        return found
