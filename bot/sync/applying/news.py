"""What one person is told about their roles after a turn. Pure; decides nothing."""

from collections.abc import Iterable

from bot.domain.consent import RoleNews, RoleStatus
from bot.domain.model import GuildId, RoleId
from bot.domain.plan import Action, Decision, PersonPlan
from bot.domain.rules import Wanted
from bot.texts.decisions import say_reason
from bot.texts.names import Names

_STATUS: dict[Action, RoleStatus] = {
    Action.KEEP: "kept",
    Action.LEAVE: "kept",
    Action.GRANT: "waiting",
    Action.SCREENING: "waiting",
}
_AS_SEEN = frozenset({Action.UNPROVEN, Action.NONE})  # what is done about it is nothing, whoever gave it


def gather_news(
    plan: PersonPlan, names: Names, *, guild_id: GuildId, guild_name: str, written: Iterable[RoleId]
) -> tuple[RoleNews, ...]:
    """Say of each role how it stands now; `written` are the roles that this very turn wrote."""
    fresh = frozenset(written)
    return tuple(
        RoleNews(
            guild_id=guild_id,
            guild_name=guild_name,
            role_name=names.role(decision.role_id),
            status=_status(decision, is_fresh=decision.role_id in fresh),
            why=say_reason(decision, names),
        )
        for decision in plan.decisions
        if decision.action is not Action.AWAY
    )


def _status(decision: Decision, *, is_fresh: bool) -> RoleStatus:
    status = _STATUS.get(decision.action, "missing")
    if decision.action in _AS_SEEN:
        status = "kept" if decision.has_role else "missing"
    if is_fresh and status != "waiting":
        return "given" if status == "kept" else "removed"
    return "stays" if _stays(decision) else status


def _stays(decision: Decision) -> bool:
    """Tell whether it is to go and is still there: Discord refuses, or something holds it back."""
    is_held = decision.action in {Action.BLOCKED, Action.HELD_BACK} and decision.claim.wanted is Wanted.NO
    return decision.action is Action.REVOKE or is_held
