"""What a person's plan says, in a message: the same for the person and for the admin. Pure."""

import msgspec

from bot.linking.words import plain
from bot.roles.planning import Explanation
from bot.roles.report import say_decision, say_origin, say_source, say_standing

NO_MEMBERSHIP = "Patreon shows no membership of that account in a campaign that counts here."
NO_RULES = "This server gives no role for a pledge yet."


def explanation_text(explanation: Explanation) -> str:
    """Say how the accounts are joined, and each role with the fact that decided it."""
    names, plan = explanation.names, explanation.plan
    if plan.link is not None:
        link = msgspec.structs.replace(plan.link, patreon_name=plain(plan.link.patreon_name))
        plan = msgspec.structs.replace(plan, link=link)
    standings = [f"Patreon says: {say_standing(one, names)} ({say_source(one, names)})." for one in plan.standings]
    if plan.link is not None and not standings:
        standings = [NO_MEMBERSHIP]
    roles = [f"- {say_decision(decision, names)}" for decision in plan.decisions]
    return "\n".join([f"{say_origin(plan, names)}.", *standings, *(roles or [NO_RULES])])
