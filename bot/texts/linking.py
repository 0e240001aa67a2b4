"""What `/link` (its direct message too), unlinking, connecting and disconnecting say in Discord and on their pages."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import assert_never

import msgspec

from bot.domain.consent import Cause, Connected, ConsentOutcome, Ended, Linked, Moved, Purpose, Unlinked, Word
from bot.domain.role_news import RoleNews, RoleStatus
from bot.texts.card import Card, Field, Outcome
from bot.texts.decisions import say_news, say_status
from bot.texts.renderer import N_, Renderer, Text

# --- the message with the link


def invitation(r: Renderer, *, until: datetime, linked_to: str | None, has_rules: bool) -> Card:
    """Ask a patron to sign in. `linked_to`: the Patreon account that they have linked already."""
    fields = []
    if linked_to is not None:
        already = r.say(
            "You're linked to the Patreon account **{patreon}**. Use the button only to link a different one.",
            patreon=linked_to,
        )
        fields.append(Field(r.say("You're already linked"), already))
    if not has_rules:
        no_rules = r.say(
            "This server doesn't have any roles for patrons yet. I'll keep your link, and once it does, you'll get your"
            " roles automatically."
        )
        fields.append(Field(r.say("No roles here yet"), no_rules))
    body = r.say(
        "Press the button, sign in to Patreon and allow access. You'll then see a page that asks whether you typed"
        " `/link`: check that it shows your name, and confirm. Your roles follow right away.\n"
        "This link works once and expires {until}. **Never forward this message**: it's only for you.",
        until=until,
    )
    return Card(Outcome.QUESTION, r.say("Link your Patreon account"), body, tuple(fields))


def link_button(r: Renderer) -> Text:
    """Label the button that leads to Patreon."""
    return r.say("Sign in to Patreon")


def invitation_sent(r: Renderer, url: str) -> Card:
    """Say where the message with the link is."""
    body = r.say("I've sent you a direct message with your personal link: {message}", message=r.address(url))
    return Card(Outcome.DONE, None, body)


def invitation_here(r: Renderer, invitation: Card, *, is_closed: bool) -> Card:
    """Say below an invitation why it is in the reply. `is_closed`: they take no direct messages from us."""
    if is_closed:
        why = r.say("You don't accept direct messages from me, so your link is here.")
    else:
        why = r.say("I couldn't send you a direct message just now, so your link is here.")
    return msgspec.structs.replace(invitation, footer=why)


def connect_invitation(r: Renderer, *, until: datetime) -> Card:
    """Ask for a creator's consent."""
    body = r.say(
        "The creator presses the button, signs in to Patreon with the account that owns the campaign, "
        "and allows access. They'll then see a page that names this server and you, lists what I'll "
        "read, and asks them to confirm. I won't read anything before that.\n"
        "If you aren't the creator, send them the link behind the button. It works once and expires "
        "{until}.",
        until=until,
    )
    return Card(Outcome.QUESTION, r.say("Connect a Patreon campaign to this server"), body)


def connect_button(r: Renderer) -> Text:
    """Label the button that leads a creator to Patreon."""
    return r.say("Sign in to Patreon as the creator")


# --- how it ended

_ENDINGS: dict[tuple[Purpose, Word], str] = {
    (Purpose.LINK, Word.DENIED): N_("You didn't allow access on Patreon. Type `/link` to try again."),
    (Purpose.LINK, Word.DECLINED): N_(
        "Someone answered No on the confirmation page. If you were linked before, that link stays as it was."
    ),
    (Purpose.LINK, Word.UNAVAILABLE): N_("Patreon didn't answer. Wait a minute, then type `/link` again."),
    (Purpose.CONNECT, Word.DENIED): N_(
        "The creator didn't allow access on Patreon. Type `/patreon connect` to get a new link."
    ),
    (Purpose.CONNECT, Word.DECLINED): N_("The creator answered No on the confirmation page."),
    (Purpose.CONNECT, Word.UNAVAILABLE): N_(
        "Patreon didn't answer. Wait a minute, then type `/patreon connect` again."
    ),
}
_CAUSES: dict[tuple[Purpose, Cause], str] = {
    (Purpose.LINK, Cause.SET_UP_WRONG): N_(
        "Patreon refuses this bot, so something in its setup is wrong. It isn't your fault, and trying "
        "again won't help. Please let this server's team know."
    ),
    (Purpose.CONNECT, Cause.SET_UP_WRONG): N_(
        "Patreon refuses this bot, so something in its settings is wrong. Tell whoever runs the bot: its log says what."
    ),
    (Purpose.CONNECT, Cause.NO_CAMPAIGN): N_(
        "The Patreon account that signed in doesn't have a campaign. The creator needs to sign in to Patreon with the"
        " account that owns it. Type `/patreon connect` to get a new link."
    ),
    (Purpose.CONNECT, Cause.NO_ACCESS): N_(
        "Patreon didn't give me permission to read a campaign. Type `/patreon connect` to get a new link."
    ),
    (Purpose.CONNECT, Cause.NO_RIGHT): N_(
        "When the creator answered, you could no longer manage roles in that server. Someone who can "
        "manage them can type `/patreon connect`."
    ),
}


def ending(r: Renderer, news: Ended | ConsentOutcome) -> Card:
    """Say to whoever asked how a consent went."""
    match news:
        case Linked():
            return linked_card(r, news)
        case Connected():
            return connected_card(r, news)
        case Ended():
            return ended_card(r, news)
        case _:
            assert_never(news)


def ended_card(r: Renderer, ended: Ended) -> Card:
    """Say why nothing came of it."""
    title = r.say("You weren't linked") if ended.purpose is Purpose.LINK else r.say("No campaign was connected")
    by_cause = None if ended.cause is None else _CAUSES.get((ended.purpose, ended.cause))
    body = r.say(by_cause or _ENDINGS[ended.purpose, ended.word])
    return Card(Outcome.PROBLEM, title, body)


def connected_card(r: Renderer, connected: Connected) -> Card:
    """Say what was connected, and what comes next."""
    campaigns = r.listing([r.strong(name) for name in connected.campaign_names])
    body = r.say(
        "Connected {campaigns}. I'm reading the member list now.\n"
        "Next, type `/patreon setup` to choose which tier gets which role.",
        campaigns=campaigns,
    )
    return Card(Outcome.DONE, r.say("Campaign connected"), body)


def linked_card(r: Renderer, linked: Linked) -> Card:
    """Say what came of a link."""
    roles = tuple(Field(server, r.lines(lines)) for server, lines in _by_server(r, linked.news or ()))
    notes = link_notes(r, linked)
    is_done = linked.news is not None and not linked.is_troubled and linked.is_member
    return Card(
        Outcome.DONE if is_done else Outcome.WAITING, r.say("You're linked"), linked_lead(r, linked), (*roles, *notes)
    )


def linked_lead(r: Renderer, linked: Linked) -> Text:
    """Say which two accounts are linked."""
    return r.say(
        "The Discord account **@{username}** is linked to the Patreon account **{patreon}**.",
        username=linked.username,
        patreon=linked.patreon_name,
    )


def link_notes(r: Renderer, linked: Linked) -> tuple[Field, ...]:
    """Say what else there is to know: why roles are missing, and what the patron can do."""
    notes = []
    if linked.news is None:
        notes.append(Field(r.say("Your roles"), r.say("Your roles are on their way.")))
    elif linked.is_troubled:
        troubled = r.say(
            "I couldn't assign your roles just now. I'll try again automatically; `/membership` shows where you stand."
        )
        notes.append(Field(r.say("Your roles"), troubled))
    elif not linked.news and linked.is_member:
        notes.append(Field(r.say("No roles yet"), _no_role(r, linked.guild_name)))
    if not linked.is_member:
        notes.append(
            Field(r.say("This is your own campaign"), own_campaign(r, linked.owned_names))
            if linked.owned_names
            else Field(r.say("No membership found"), _no_membership(r, linked.campaign_names))
        )
    return tuple(notes)


def _no_role(r: Renderer, guild_name: str) -> Text:
    if not guild_name:
        return r.say("No server has a role for your membership yet. When one adds it, you'll get it automatically.")
    return r.say(
        "**{server}** doesn't have a role for your membership yet. When it adds one, you'll get it automatically.",
        server=guild_name,
    )


def own_campaign(r: Renderer, names: Iterable[str]) -> Text:
    """Tell a creator why no role follows from their own campaign, and how to try it all the same."""
    return r.say(
        "Creators aren't members of their own campaign, so you don't get roles for {campaigns}. You stay linked.\n"
        "Want to try it out? Use another Patreon account that is a member: sign in to Patreon with that one, then type"
        " `/link` again.",
        campaigns=r.listing([r.strong(name) for name in names], "or"),
    )


def _no_membership(r: Renderer, campaign_names: tuple[str, ...]) -> Text:
    if campaign_names:
        campaigns = r.listing([r.strong(name) for name in campaign_names], "or")
        what = r.say("This Patreon account isn't a member of {campaigns}.", campaigns=campaigns)
    else:
        what = r.say("This Patreon account isn't a member of any campaign that gives roles here.")
    then = r.say("You stay linked: if you join later, you'll get your roles automatically.")
    other = r.say("Do you pay with another Patreon account? Sign in to Patreon with that one, then type `/link` again.")
    return r.lines([r.join(what, then), other])


# --- the roles of a person


def _by_server(r: Renderer, news: Iterable[RoleNews]) -> list[tuple[Text, list[Text]]]:
    servers = groupby(news, key=lambda one: one.guild_name)
    return [(server_name(r, server), [say_news(r, one) for one in roles]) for server, roles in servers]


def server_name(r: Renderer, name: str) -> Text:
    """Name a server, or those whose names aren't known here."""
    # Translators: A heading. Below it are roles in servers that the bot can't name.
    return r.name(name) if name else r.say("Other servers")


# --- to an old holder, and unlinking


def moved_away(r: Renderer, moved: Moved) -> Card:
    """Tell the old holder that their Patreon account belongs to another Discord account now."""
    body = r.say(
        "The Patreon account **{patreon}** was linked to you. It's now linked to **@{username}**: "
        "someone signed in to Patreon and confirmed the move. The roles for that pledge moved too.\n"
        "Wasn't that you? Change your Patreon password, then type `/link` here.",
        patreon=moved.patreon_name,
        username=moved.username,
    )
    return Card(Outcome.PROBLEM, r.say("Your Patreon account was linked to someone else"), body)


def unlink_question(r: Renderer, patreon_name: str) -> Card:
    """Ask a patron whether they mean it."""
    body = r.say(
        "You'll lose the roles I gave you for your pledge in every server, and I'll forget your Patreon data. Your"
        " pledge itself continues. You can link again with `/link` at any time."
    )
    return Card(Outcome.QUESTION, r.say("Unlink the Patreon account {patreon}?", patreon=patreon_name), body)


def unlink_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Unlink"), r.say("Leave it as it is")


def unlinking(r: Renderer) -> Text:
    """Say that Discord takes its time."""
    return r.say(
        "I'm unlinking you. Discord is slow to remove your roles; I'll update this message when they've been removed."
    )


def not_linked(r: Renderer) -> Card:
    """Say that there is nothing to unlink."""
    body = r.say("You haven't linked a Patreon account, so there's nothing to unlink. Type `/link` to link one.")
    return Card(Outcome.INFO, None, body)


def unlinked_card(r: Renderer, unlinked: Unlinked) -> Card:
    """Say what became of a link and of the roles."""
    if unlinked.patreon_name is None:
        return not_linked(r)
    body = r.say(
        "You're no longer linked to the Patreon account **{patreon}**. You can link again with `/link` at any time.",
        patreon=unlinked.patreon_name,
    )
    if unlinked.news is None:
        later = r.say("Discord isn't answering right now. I'll remove your pledge roles as soon as it does.")
        return Card(Outcome.WAITING, r.say("Unlinked"), r.lines([body, later]))
    shown = [one for one in unlinked.news if one.status is not RoleStatus.MISSING]
    lines = {
        server: [say_news(r, one) if one.status is RoleStatus.STAYS else say_status(r, one) for one in roles]
        for server, roles in groupby(shown, key=lambda one: one.guild_name)
    }
    fields = tuple(Field(server_name(r, server), r.lines(said)) for server, said in lines.items())
    return Card(Outcome.DONE, r.say("Unlinked"), body, fields)


# --- disconnecting


def disconnect_question(
    r: Renderer, name: str, *, rules: int, people: int, keeps_roles: bool, has_shared: bool
) -> Card:
    """Ask an admin whether they mean it. `has_shared`: another rule names some of its roles too."""
    removed = r.plural("This removes {count} rule.", "This removes {count} rules.", rules)
    holders = (
        r.plural("{count} person has a role because of it.", "{count} people have a role because of it.", people)
        if people
        else r.say("Nobody has a role because of it.")
    )
    later = r.say("You can connect the campaign again at any time with `/patreon connect`.")
    fate = disconnect_fate(r, keeps_roles=keeps_roles, has_shared=has_shared)
    unused = r.say("It has no rules here, so nobody's roles change.")
    body = r.lines([r.join(removed, holders), fate, later] if rules else [unused, later])
    return Card(Outcome.QUESTION, r.say("Disconnect the campaign {campaign}?", campaign=name), body)


def disconnect_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Disconnect"), r.say("Leave it as it is")


def disconnected_card(r: Renderer, name: str, *, keeps_roles: bool, has_shared: bool) -> Card:
    """Say what was ended."""
    body = r.say("This server no longer follows the campaign **{campaign}**.", campaign=name)
    fate = disconnect_fate(r, keeps_roles=keeps_roles, has_shared=has_shared)
    return Card(Outcome.DONE, r.say("Campaign disconnected"), r.lines([body, fate]))


def disconnect_fate(r: Renderer, *, keeps_roles: bool, has_shared: bool) -> Text:
    """Say what becomes of the roles."""
    if keeps_roles:
        fate = r.say(
            "Everyone keeps the roles they got through it. I'll treat those roles as assigned manually and "
            "won't remove them."
        )
        shared = r.say(
            "Roles that another rule also assigns still follow that rule, and anyone who would lose one keeps it."
        )
    else:
        fate = r.say("I'll remove the roles that people got through it.")
        shared = r.say("Roles that another rule also assigns still follow that rule.")
    return r.join(fate, shared) if has_shared else fate
