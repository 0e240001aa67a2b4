"""What a person's plan says, in a message: to the person, and with what only a server's team may know. Pure."""

import msgspec

from bot.domain.plan import Bond, PersonPlan
from bot.sync.applying.guarded import UNPLANNABLE
from bot.sync.applying.planning import Explanation
from bot.texts.blocks import Reader
from bot.texts.decisions import say_absence, say_decision, say_origin, say_source, say_standing
from bot.texts.linking import plain
from bot.texts.names import Names
from bot.texts.oddities import say_oddities

NO_CAMPAIGN = "This server follows no Patreon campaign yet."
NO_RULES = "This server gives no role for a pledge yet."


def explanation_text(explanation: Explanation, reader: Reader) -> str:
    """Say how the accounts are joined, and each role with the fact that decided it."""
    plan = explanation.plan
    if plan.link is not None:
        link = msgspec.structs.replace(plan.link, patreon_name=plain(plan.link.patreon_name))
        plan = msgspec.structs.replace(plan, link=link)
    return "\n".join([f"{say_origin(plan, explanation.names)}.", *_facts(explanation, reader)])


def nameless_text(explanation: Explanation) -> str:
    """Say the same of someone whose link touches nothing here, and nothing of the link itself."""
    plan = explanation.plan
    if plan.link is not None and plan.link.ended_at is not None:  # it was the business of another server
        decisions = tuple(msgspec.structs.replace(one, bond=Bond.NONE) for one in plan.decisions)
        plan = msgspec.structs.replace(plan, link=None, decisions=decisions)
        return explanation_text(msgspec.structs.replace(explanation, plan=plan), Reader.TEAM)
    return "\n".join(_facts(explanation, Reader.TEAM))


def _facts(explanation: Explanation, reader: Reader) -> list[str]:
    if explanation.plan.is_unplanned:
        return [f"{UNPLANNABLE[:1].upper()}{UNPLANNABLE[1:]}."]
    roles = [f"- {say_decision(decision, explanation.names, reader)}" for decision in explanation.plan.decisions]
    return [*_standings(explanation.plan, explanation.names, reader), *(roles or [NO_RULES])]


def _standings(plan: PersonPlan, names: Names, reader: Reader) -> list[str]:
    """Say what Patreon says of someone linked, campaign by campaign."""
    if plan.link is None or plan.link.ended_at is not None:
        return []
    lines, listed = [], set()
    for one in plan.standings:
        if one.reading is not None:
            campaign_id = one.reading.campaign_id
            gone_since = plan.gone_since.get(campaign_id)
            source = say_source(one, names, gone_since=gone_since)
            lines.append(f"Patreon says: {say_standing(one, names, gone_since=gone_since)} ({source}).")
            if reader is Reader.TEAM:
                lines += [f"{oddity}." for oddity in say_oddities(one, names)]
            listed.add(campaign_id)
    for campaign_id in names.campaigns:
        if campaign_id not in listed:
            absence = say_absence(campaign_id, names, gone_since=plan.gone_since.get(campaign_id), reader=reader)
            lines.append(f"{absence[:1].upper()}{absence[1:]}.")
    return lines or [NO_CAMPAIGN]
