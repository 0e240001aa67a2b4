"""What an undo of a run would do, role by role, and what it leaves as it is. Pure; it writes and plans nothing itself.

Of one role of one person what counts is how it was before the run, and how it is after it:

    first, last change       kind
    removed, removed         GIVE_BACK     they get it back, and keep it until their facts change
    assigned, assigned       TAKE_BACK     they lose it, and it stays away until an admin restores it
    adopted, removed         GIVE_BACK
    adopted alone            DISOWN        it is theirs by a person's hand again
    anything else            -             it is as it was before: nothing to undo

Left as it is, in this order:

    the role is deleted                                  ROLE_GONE
    a person changed it by hand since                    BY_HAND
    a later run changed it                               CHANGED_SINCE
    it is being undone already                           UNDER_WAY
    they are not in the server                           NOT_HERE
    removed, and they unlinked on purpose                UNLINKED
    what Discord shows is not what the run left          BY_HAND
    Discord, or the server's settings, stand against it  BLOCKED, with the plan's own reason
"""

import enum
from collections.abc import Iterable, Mapping

import msgspec

from bot.domain.audit_entry import AuditAction, AuditRow, Discovery, FoundReason
from bot.domain.changes import Outcome
from bot.domain.holds import HoldItem, HoldState
from bot.domain.model import AuditId, DiscordUserId, Grant, GrantState, HoldId, RoleId, RunId
from bot.domain.plan import Action, GuildFacts, PersonFacts, PersonPlan
from bot.domain.reasons import RoleReason, reason_of
from bot.domain.runs import Run
from bot.domain.safeguards import facts_mark

Pair = tuple[DiscordUserId, RoleId]


class UndoKind(enum.StrEnum):
    """What an undo does about one role of one person."""

    GIVE_BACK = "give back"
    TAKE_BACK = "take back"
    DISOWN = "disown"


class Obstacle(enum.StrEnum):
    """Why it does nothing about one."""

    ROLE_GONE = "role gone"
    BY_HAND = "by hand"
    CHANGED_SINCE = "changed since"
    UNDER_WAY = "under way"
    NOT_HERE = "not here"
    UNLINKED = "unlinked"
    BLOCKED = "blocked"


class NetChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did in the end to one role of one person."""

    discord_user_id: DiscordUserId
    role_id: RoleId
    role: str  # as it was called then
    kind: UndoKind
    audit_id: AuditId  # of its last entry


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """What an undo would do about one role of one person."""

    change: NetChange
    role: str  # as it is called, or was
    obstacle: Obstacle | None = None
    later_run: RunId | None = None  # of CHANGED_SINCE
    reason: RoleReason | None = None  # of BLOCKED
    grant: Grant | None = None  # the ledger's row, of TAKE_BACK and DISOWN
    item: HoldItem | None = None  # to be kept, of GIVE_BACK

    @property
    def is_possible(self) -> bool:
        """Tell whether anything would be done."""
        return self.obstacle is None


class UndoDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A run, and what an undo of it would do now."""

    run: Run
    undoings: tuple[Undoing, ...]

    @property
    def possible(self) -> tuple[Undoing, ...]:
        """Those of which something would be done."""
        return tuple(one for one in self.undoings if one.is_possible)


_WRITES = {AuditAction.GRANT: True, AuditAction.REVOKE: False}
_BY_HAND = frozenset({AuditAction.SUPPRESS, AuditAction.HOLD_AGAIN})
_SINCE = frozenset({AuditAction.ADOPT, AuditAction.RESTORE, AuditAction.COMP})


def net_changes(rows: Iterable[AuditRow]) -> tuple[NetChange, ...]:
    """Return what a run did in the end, from its entries, the oldest first."""
    found: dict[Pair, list[AuditRow]] = {}
    for row in rows:
        entry = row.entry
        if entry.discord_user_id is not None and entry.role_id is not None and _is_change(row):
            found.setdefault((entry.discord_user_id, entry.role_id), []).append(row)
    changes = []
    for (person, role_id), its in found.items():
        kind = _net_kind(its[0].entry.action, its[-1].entry.action)
        if kind is not None:
            names = [one.entry.reason.role for one in its if isinstance(one.entry.reason, RoleReason)]
            changes.append(
                NetChange(
                    discord_user_id=person,
                    role_id=role_id,
                    role=names[-1] if names else "",
                    kind=kind,
                    audit_id=its[-1].audit_id,
                )
            )
    return tuple(changes)


def judge(
    change: NetChange, later: Iterable[AuditRow], *, guild: GuildFacts, person: PersonFacts
) -> tuple[Undoing, PersonFacts]:
    """Tell what stands in the way by what is known, and return the facts as they would be after it.

    Whether Discord and the settings let it happen, the plan of those facts says: see `conclude`.
    """
    name = guild.roles.get(change.role_id, change.role)
    undoing = Undoing(change=change, role=name)
    if change.role_id not in guild.roles:
        return msgspec.structs.replace(undoing, obstacle=Obstacle.ROLE_GONE), person
    for row in later:
        if _is_by_hand(row):
            return msgspec.structs.replace(undoing, obstacle=Obstacle.BY_HAND), person
        if _is_change(row) or row.entry.action in _SINCE:
            since = Obstacle.CHANGED_SINCE
            return msgspec.structs.replace(undoing, obstacle=since, later_run=row.run_id), person
    obstacle = _find_obstacle(change, person)
    if obstacle is not None:
        return msgspec.structs.replace(undoing, obstacle=obstacle), person
    return _imagine(undoing, person)


def conclude(undoing: Undoing, plan: PersonPlan, *, guild: GuildFacts, person: PersonFacts) -> Undoing:
    """Return the same with what the plan of the facts after it says: that it happens, or why it does not."""
    change = undoing.change
    if not undoing.is_possible or change.kind is UndoKind.DISOWN:
        return undoing
    reasons = {one.role_id: (one.action, reason_of(one, guild)) for one in plan.decisions}
    action, reason = reasons.get(change.role_id, (Action.NONE, None))
    if reason is None or action is not (Action.GRANT if change.kind is UndoKind.GIVE_BACK else Action.REVOKE):
        return msgspec.structs.replace(undoing, obstacle=Obstacle.BLOCKED, reason=reason)
    if change.kind is UndoKind.TAKE_BACK:
        return undoing
    item = HoldItem(
        hold_id=HoldId(0),
        guild_id=guild.guild_id,
        discord_user_id=change.discord_user_id,
        role_id=change.role_id,
        state=HoldState.RETURNED,
        mark=facts_mark(person),
        reason=reason,
    )
    return msgspec.structs.replace(undoing, item=item)


def _is_change(row: AuditRow) -> bool:
    entry = row.entry
    return entry.action is AuditAction.ADOPT or (entry.action in _WRITES and entry.outcome is Outcome.DONE)


def _is_by_hand(row: AuditRow) -> bool:
    reason = row.entry.reason
    is_taken = isinstance(reason, FoundReason) and reason.found is Discovery.TAKEN_BUT_ENFORCED
    return row.entry.action in _BY_HAND or is_taken


def _net_kind(first: AuditAction, last: AuditAction) -> UndoKind | None:
    had_it = first is not AuditAction.GRANT
    has_it = last is not AuditAction.REVOKE
    if had_it and not has_it:
        return UndoKind.GIVE_BACK
    if has_it and not had_it:
        return UndoKind.TAKE_BACK
    return UndoKind.DISOWN if first is last is AuditAction.ADOPT else None


def _find_obstacle(change: NetChange, person: PersonFacts) -> Obstacle | None:
    grant, member = person.grants.get(change.role_id), person.member
    has_role = member is not None and change.role_id in member.role_ids
    is_back = change.kind is UndoKind.GIVE_BACK
    is_coming = is_back and change.role_id in person.returned and not has_role
    going = {GrantState.WITHDRAWING} if is_back else {GrantState.WITHDRAWING, GrantState.WITHDRAWN}
    is_going = grant is not None and grant.state in going
    if is_coming or is_going:
        return Obstacle.UNDER_WAY
    if member is None:
        return Obstacle.NOT_HERE
    if is_back:
        if person.has_unlinked:
            return Obstacle.UNLINKED
        is_as_left = not has_role and (grant is None or grant.state is GrantState.WITHDRAWN)
    else:
        is_as_left = has_role and grant is not None and grant.state in {GrantState.HELD, GrantState.GRANTING}
    return None if is_as_left else Obstacle.BY_HAND


def _imagine(undoing: Undoing, person: PersonFacts) -> tuple[Undoing, PersonFacts]:
    role_id, grant = undoing.change.role_id, person.grants.get(undoing.change.role_id)
    others: Mapping[RoleId, Grant] = {one: its for one, its in person.grants.items() if one != role_id}
    if undoing.change.kind is UndoKind.GIVE_BACK or grant is None:
        after = msgspec.structs.replace(person, grants=others, returned=person.returned | {role_id})
        return undoing, after
    if undoing.change.kind is UndoKind.TAKE_BACK:
        going = msgspec.structs.replace(grant, state=GrantState.WITHDRAWING)
        after = msgspec.structs.replace(person, grants={**others, role_id: going}, returned=person.returned - {role_id})
    else:
        after = msgspec.structs.replace(person, grants=others)
    return msgspec.structs.replace(undoing, grant=grant), after
