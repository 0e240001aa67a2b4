"""What somebody's roles follow from: `/membership` to the person, `/patreon why` to the server's team.

What Patreon says stands once, with its source and its age; each role has a short line. What only the team may know is
in the card for the team alone.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from bot.domain.model import DiscordUserId
from bot.domain.oddities import find_oddities
from bot.domain.plan import GuildFacts, PersonPlan
from bot.domain.reasons import PatronFacts, patron_facts, reason_of
from bot.domain.role_news import RoleNews
from bot.texts.card import Card, Outcome
from bot.texts.decisions import Reader, role_line, say_link, say_news, say_oddity, say_patron, say_source
from bot.texts.linking import own_campaign, server_name
from bot.texts.renderer import Renderer, Text


class ServerPart(NamedTuple):
    """One server's plan of the person who asks."""

    name: str
    plan: PersonPlan
    guild: GuildFacts


def not_linked_card(r: Renderer) -> Card:
    """Say how to link, to somebody who isn't."""
    said = r.say("You haven't linked a Patreon account. Type `/link`, and you'll get your roles automatically.")
    return Card(Outcome.INFO, r.say("Your membership"), said)


def membership_card(
    r: Renderer,
    parts: Sequence[ServerPart],
    *,
    elsewhere: Sequence[RoleNews] = (),
    owned: Iterable[str],
    has_consent_ended: bool,
    is_dm: bool,
) -> Card:
    """Say to a person what Patreon says of them and how each role stands.

    `elsewhere`: how roles stand in servers that can't be seen from here.
    """
    body: list[Text] = []
    if has_consent_ended:
        body.append(
            r.say(
                "Patreon no longer accepts the access you gave me, so I can't check your membership on my own. "
                "Type `/link` to give it again. Your roles stay as they are."
            )
        )
    if names := list(owned):
        body.append(own_campaign(r, names))
    if not parts and not elsewhere:
        body.append(r.say("You aren't in any server that I can see right now."))
        return Card(Outcome.INFO, r.say("Your membership"), r.lines(body))
    if parts:
        body.insert(0, say_link(r, parts[0].plan, Reader.PATRON))
    patrons = [patron for part in parts for patron in patron_facts(part.plan, part.guild)]
    body += _standings(r, list(dict.fromkeys(patrons)), Reader.PATRON)
    if not is_dm and not any(part.guild.campaigns for part in parts):
        body.append(r.say("This server doesn't follow a Patreon campaign yet."))
    items: list[Text] = []
    for part in parts:
        items += [r.strong(part.name)] if is_dm else []
        items += _role_lines(r, part.plan, part.guild, Reader.PATRON)
    for server, roles in groupby(elsewhere, key=lambda one: one.guild_name):
        items += [r.strong(server_name(r, server)), *(say_news(r, one) for one in roles)]
    return Card(Outcome.INFO, r.say("Your membership"), r.lines(body), items=tuple(items))


def why_card(
    r: Renderer, discord_user_id: DiscordUserId, plan: PersonPlan, guild: GuildFacts, *, remarks: Iterable[Text] = ()
) -> Card:
    """Explain somebody's roles to the server's team; the plan tells no more of a link than the team may know."""
    body = team_lines(r, discord_user_id, plan, guild)
    items = _role_lines(r, plan, guild, Reader.TEAM)
    return Card(Outcome.INFO, r.say("Roles and why"), r.lines([*body, *remarks]), items=tuple(items))


def team_lines(
    r: Renderer, discord_user_id: DiscordUserId, plan: PersonPlan, guild: GuildFacts, *, says_link: bool = True
) -> list[Text]:
    """Say to the team who it is, to whom they are linked where it may know that, and what Patreon says of them."""
    lines = [r.person(discord_user_id)]
    if says_link and not plan.is_link_hidden:
        lines.append(say_link(r, plan, Reader.TEAM))
    lines += _standings(r, patron_facts(plan, guild), Reader.TEAM)
    lines += [say_oddity(r, oddity) for oddity in find_oddities(plan, guild)]
    if not guild.campaigns:
        lines.append(r.say("This server doesn't follow a Patreon campaign yet."))
    return lines


def _standings(r: Renderer, patrons: Iterable[PatronFacts], reader: Reader) -> list[Text]:
    return [r.join(say_patron(r, one, reader), say_source(r, one, reader)) for one in patrons]


def _role_lines(r: Renderer, plan: PersonPlan, guild: GuildFacts, reader: Reader) -> list[Text]:
    if plan.is_unplanned:
        return [say_unplanned(r, reader)]
    told = patron_facts(plan, guild)
    reasons = [reason_of(decision, guild) for decision in plan.decisions]
    lines = [role_line(r, one, reader, is_short=one.patron is None or one.patron in told) for one in reasons]
    return lines or [r.say("This server doesn't have roles for Patreon members yet.")]


def say_unplanned(r: Renderer, reader: Reader) -> Text:
    """Say that a defect of ours keeps somebody's roles from being worked out."""
    if reader is Reader.PATRON:
        return r.say("I couldn't work out your roles, so they stay as they are. I've told this server's team.")
    return r.say("I couldn't work out this person's roles, so they stay as they are. My log says more.")


def check_again_label(r: Renderer) -> Text:
    """Name the button below `/membership`."""
    # Translators: A button. Pressing it checks the person's membership on Patreon again.
    return r.say("Check again")


# --- `/patreon unlink`


def nothing_to_unlink_card(r: Renderer, person: DiscordUserId) -> Card:
    """Say that there is no link to end, as far as this server may know."""
    said = r.say("{person} isn't linked to a Patreon account, so there's nothing to unlink.", person=r.person(person))
    return Card(Outcome.INFO, None, said)


def unlink_question_card(r: Renderer, person: DiscordUserId, patreon_name: str) -> Card:
    """Ask whether a person's link is to be ended."""
    title = r.say("Unlink this person?")
    body = r.say(
        "{person} is linked to the Patreon account **{name}**. If you unlink them, they lose the roles I gave them in "
        "every server, and they aren't linked again until they type `/link`.",
        person=r.person(person),
        name=patreon_name,
    )
    return Card(Outcome.QUESTION, title, body)


def unlinking_text(r: Renderer, person: DiscordUserId) -> Text:
    """Say that it takes a while."""
    return r.say(
        "I'm unlinking {person}. Discord is slow to remove their roles; I'll update this message when "
        "they've been removed.",
        person=r.person(person),
    )


def unlinked_card(r: Renderer, person: DiscordUserId, patreon_name: str) -> Card:
    """Say that a link was ended."""
    said = r.say(
        "{person} is no longer linked to the Patreon account **{name}**.", person=r.person(person), name=patreon_name
    )
    return Card(Outcome.DONE, None, said)
