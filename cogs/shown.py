"""What a person's plan says, in a message: the same for the person and for the admin. Pure."""

import msgspec

from bot.linking.words import plain
from bot.roles.planning import Explanation
from bot.roles.report import Names, say_decision, say_origin

NO_RULES = "This server gives no role for a pledge yet."


def harmless(names: Names) -> Names:
    """Return the names with those that strangers chose escaped."""
    return msgspec.structs.replace(
        names,
        roles={role_id: plain(name) for role_id, name in names.roles.items()},
        campaigns={campaign_id: plain(name) for campaign_id, name in names.campaigns.items()},
        tiers={
            tier_id: msgspec.structs.replace(tier, title=plain(tier.title)) for tier_id, tier in names.tiers.items()
        },
    )


def explanation_text(explanation: Explanation) -> str:
    """Say how the accounts are joined, and each role with the fact that decided it."""
    names, plan = harmless(explanation.names), explanation.plan
    if plan.link is not None:
        link = msgspec.structs.replace(plan.link, patreon_name=plain(plan.link.patreon_name))
        plan = msgspec.structs.replace(plan, link=link)
    lines = [f"- {say_decision(decision, names)}" for decision in plan.decisions]
    return "\n".join([f"{say_origin(plan, names)}.", *(lines or [NO_RULES])])
