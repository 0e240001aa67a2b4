"""Rails on a plan: what a guild's settings keep from happening. Pure; has no say in who earns what.

mode        grants     revokes
sync        happen     happen
grant_only  happen     held back
off         held back  held back
"""

import msgspec

from bot.model import GuildSettings, Mode
from bot.roles.plan import Action, Decision, PersonPlan


def rein_in(plan: PersonPlan, settings: GuildSettings) -> PersonPlan:
    """Return the plan with what the guild's mode forbids held back."""
    if settings.mode is Mode.SYNC:
        return plan
    held_back = {Action.REVOKE} if settings.mode is Mode.GRANT_ONLY else {Action.REVOKE, Action.GRANT}
    return msgspec.structs.replace(
        plan, decisions=tuple(_held_back(decision, held_back) for decision in plan.decisions)
    )


def _held_back(decision: Decision, actions: set[Action]) -> Decision:
    if decision.action not in actions:
        return decision
    return msgspec.structs.replace(decision, action=Action.HELD_BACK)
