"""What one person is told about their roles after a turn: how each stands now, and why. Pure.

In a server that another process shows, that follows from what is stored: the ledger's row, and the newest write of the
audit, which is *fresh* for a minute.

    ledger       audit                  status
    HELD         a fresh grant          GIVEN
    HELD         any other              KEPT
    GRANTING     a fresh grant, done    GIVEN, though not seen yet
    GRANTING     any other              WAITING
    REVOKING     a fresh revoke, done   REMOVED, though not seen yet
    REVOKING     any other              STAYS
    SUPPRESSED   any                    MISSING
    none         a fresh revoke, done   REMOVED
    none         a fresh grant          WAITING: Discord did not take it
    none         any other              nothing is said

What the audit never told of has no name, so nothing is said of it.
"""

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome
from bot.domain.model import Grant, GrantState, GuildId, RoleId
from bot.domain.plan import Action, Decision, GuildFacts, PersonPlan
from bot.domain.reasons import OldText, RoleReason, reason_of
from bot.domain.rules import Wanted

FRESH = timedelta(minutes=1)


class RoleStatus(enum.StrEnum):
    """How a role stands for the person who is told."""

    GIVEN = "given"  # just now
    KEPT = "kept"
    REMOVED = "removed"  # just now
    STAYS = "stays"  # it is to go, and is still there
    MISSING = "missing"
    WAITING = "waiting"  # it is to come


class RoleNews(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one role of one person; the names are those of that moment, for a page shows it later."""

    guild_id: GuildId
    guild_name: str
    role_name: str
    status: RoleStatus
    reason: RoleReason | OldText


def gather_news(
    plan: PersonPlan, guild: GuildFacts, *, guild_name: str, written: Iterable[RoleId]
) -> tuple[RoleNews, ...]:
    """Say of each role how it stands now; `written` are the roles that this very turn wrote."""
    fresh = frozenset(written)
    return tuple(
        RoleNews(
            guild_id=guild.guild_id,
            guild_name=guild_name,
            role_name=guild.roles.get(decision.role_id, ""),
            status=_status(decision, is_fresh=decision.role_id in fresh),
            reason=reason_of(decision, guild),
        )
        for decision in plan.decisions
        if decision.action is not Action.AWAY
    )


def stored_news(
    guild_id: GuildId,
    grants: Mapping[RoleId, Grant],
    entries: Iterable[AuditEntry],
    *,
    guild_name: str,
    now: datetime,
) -> tuple[RoleNews, ...]:
    """Say of each role how it stands by what is stored; `entries` are the person's in that guild, the newest first."""
    newest: dict[RoleId, tuple[AuditEntry, RoleReason]] = {}
    for entry in entries:
        reason = entry.reason
        if entry.role_id is not None and entry.action in _WRITTEN and isinstance(reason, RoleReason):
            newest.setdefault(entry.role_id, (entry, reason))
    told = []
    for role_id, (entry, reason) in sorted(newest.items()):
        grant = grants.get(role_id)
        status = _stored_status(None if grant is None else grant.state, entry, is_fresh=entry.at >= now - FRESH)
        if status in {RoleStatus.GIVEN, RoleStatus.KEPT}:
            why = msgspec.structs.replace(reason, action=Action.KEEP, has_role=True)  # as it is planned by now
        else:
            why = reason
        if status is not None:
            told.append(
                RoleNews(guild_id=guild_id, guild_name=guild_name, role_name=why.role, status=status, reason=why)
            )
    return tuple(told)


_WRITTEN = frozenset({AuditAction.GRANT, AuditAction.REVOKE})


def _stored_status(state: GrantState | None, entry: AuditEntry, *, is_fresh: bool) -> RoleStatus | None:
    is_grant, is_done = entry.action is AuditAction.GRANT, entry.outcome is Outcome.DONE
    match state:
        case GrantState.HELD:
            return RoleStatus.GIVEN if is_fresh and is_grant else RoleStatus.KEPT
        case GrantState.GRANTING:
            return RoleStatus.GIVEN if is_fresh and is_grant and is_done else RoleStatus.WAITING
        case GrantState.REVOKING | GrantState.WITHDRAWING:
            return RoleStatus.REMOVED if is_fresh and not is_grant and is_done else RoleStatus.STAYS
        case GrantState.SUPPRESSED | GrantState.WITHDRAWN:
            return RoleStatus.MISSING
        case None:
            if not is_fresh or (is_grant and is_done) or (not is_grant and not is_done):
                return None
            return RoleStatus.WAITING if is_grant else RoleStatus.REMOVED
        case _:
            assert_never(state)


def _status(decision: Decision, *, is_fresh: bool) -> RoleStatus:
    status = _standing_status(decision)
    if is_fresh and status is not RoleStatus.WAITING:
        return RoleStatus.GIVEN if status is RoleStatus.KEPT else RoleStatus.REMOVED
    return RoleStatus.STAYS if _stays(decision) else status


def _standing_status(decision: Decision) -> RoleStatus:
    match decision.action:
        case Action.KEEP | Action.EARNED_AGAIN | Action.LEAVE | Action.SPARE | Action.LINGER:
            return RoleStatus.KEPT
        case Action.GRANT | Action.SCREENING:
            return RoleStatus.WAITING
        case Action.UNPROVEN | Action.NONE:  # what is done about it is nothing, whoever gave it
            return RoleStatus.KEPT if decision.has_role else RoleStatus.MISSING
        case Action.REVOKE | Action.FORGET | Action.AWAY | Action.SUPPRESSED | Action.BLOCKED | Action.HELD_BACK:
            return RoleStatus.MISSING
        case _:
            assert_never(decision.action)


def _stays(decision: Decision) -> bool:
    """Tell whether it is to go and is still there: Discord refuses, or something holds it back."""
    is_held = decision.action in {Action.BLOCKED, Action.HELD_BACK} and decision.claim.wanted is Wanted.NO
    return decision.action is Action.REVOKE or is_held
