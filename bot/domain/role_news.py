"""What one person is told about their roles after a turn: how each stands now, and why. Pure."""

import enum
from collections.abc import Iterable
from typing import assert_never

import msgspec

from bot.domain.model import GuildId, RoleId
from bot.domain.plan import Action, Decision, GuildFacts, PersonPlan
from bot.domain.reasons import OldText, RoleReason, reason_of
from bot.domain.rules import Wanted


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


def _status(decision: Decision, *, is_fresh: bool) -> RoleStatus:
    status = _standing_status(decision)
    if is_fresh and status is not RoleStatus.WAITING:
        return RoleStatus.GIVEN if status is RoleStatus.KEPT else RoleStatus.REMOVED
    return RoleStatus.STAYS if _stays(decision) else status


def _standing_status(decision: Decision) -> RoleStatus:
    match decision.action:
        case Action.KEEP | Action.LEAVE:
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
