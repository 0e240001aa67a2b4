"""What went wrong, for the person who asked: what I couldn't do, why, and what to do now.

An admin reads what needs someone who looks after the bot; a member is told whom to turn to.
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.assignable import Block, Permission, Right
from bot.domain.errors import Fact, Later, Mistake, NeedsOwner, PledgekeeperError, TryLater, UserMistake
from bot.domain.receivers import ReceiverFault
from bot.texts import causes
from bot.texts.assignable import say_block, say_permissions, say_rights
from bot.texts.hooks import FAULTS
from bot.texts.renderer import N_, Renderer, Text

_MISTAKES: Mapping[Mistake, str] = {
    Mistake.NOT_ALLOWED: N_("You need the Manage Roles permission in this server for that."),
    Mistake.NOT_ADMINISTRATOR: N_(
        "Only the owner of this server and people with the Administrator permission can do that."
    ),
    Mistake.SERVER_UNSEEN: N_(
        "Discord isn't showing me this server right now, so I changed nothing. Try again in a minute."
    ),
    Mistake.BUTTON_OUTDATED: N_("This button has changed since I sent the message. Type the command again."),
    Mistake.PAGES_FORGOTTEN: N_("I don't have the other pages anymore. Type the command again."),
    Mistake.ROLE_GONE: N_("That role doesn't exist anymore. Choose another role."),
    Mistake.ROLE_ABOVE_YOU: N_(
        "I changed nothing: the role **{role}** isn't below your own highest role, so you can't take it from people. "
        "Ask someone who ranks above it."
    ),
    Mistake.ROLE_WITHOUT_RULE: N_(
        "No rule uses that role, so it doesn't follow pledges. Add one with `/patreon rule add` first."
    ),
    Mistake.NO_RULES: N_("This server has no rules yet, so no role follows pledges. Begin with `/patreon setup`."),
    Mistake.ROLE_NOT_SUPPRESSED: N_(
        "As far as I know, nobody removed that role from them manually. `/patreon why` explains why they "
        "have it or don't."
    ),
    Mistake.RULE_UNKNOWN: N_(
        "This server has no rule {rule_id}. `/patreon rule list` shows all rules with their numbers."
    ),
    Mistake.RULE_EXISTS: N_(
        "I changed nothing, because rule {rule_id} already says the same. `/patreon rule edit` changes how many days "
        "its role is kept."
    ),
    Mistake.NOTHING_TO_EDIT: N_("I changed nothing, because the rule already says that. Add an option to change."),
    Mistake.GROUP_UNREADABLE: N_(
        "I couldn't read `roles`. Mention each role once, the highest first: `@Gold @Silver @Bronze`. To end a group, "
        "mention one of its roles."
    ),
    Mistake.GROUP_TOO_LARGE: N_("A group can have at most {most} roles."),
    Mistake.GROUP_ROLE_WITHOUT_RULE: N_(
        "No rule uses the role **{role}**, so it can't be in a group. Add one with `/patreon rule add` first."
    ),
    Mistake.GROUP_UNKNOWN: N_(
        "That role isn't in a group. To make one, mention two roles or more, the highest first: `@Gold @Silver`."
    ),
    Mistake.RUN_UNKNOWN: N_(
        "This server has no run {run_id}. `/patreon audit` shows what I changed, with the number of each run."
    ),
    Mistake.RUN_NO_NUMBER: N_(
        "I need the run's number in `run`, for example `12`. `/patreon audit` shows what I changed, with the number of "
        "each run."
    ),
    Mistake.RULE_NO_NUMBER: N_(
        "I need the rule's number in `rule`, for example `3`. `/patreon rule list` shows all rules with their numbers."
    ),
    Mistake.OPTION_NOT_OF_KIND: N_(
        "A rule of the kind `{kind}` doesn't use `{option}`. Leave it out, or choose another kind."
    ),
    Mistake.AMOUNT_MISSING: N_("This kind of rule needs an amount. Add `amount`, for example `5.00`."),
    Mistake.AMOUNT_UNREADABLE: N_(
        "I can't use that amount. Enter more than 0 in the campaign's currency, for example `5.00`."
    ),
    Mistake.MONTHS_MISSING: N_("This kind of rule needs a number of months. Add `months`, for example `12`."),
    Mistake.MONTHS_OUT_OF_RANGE: N_(
        "I can't use that number of months. Enter a number from 1 to {most} in `months`, for example `12`."
    ),
    Mistake.KEEP_DAYS_OUT_OF_RANGE: N_(
        "I can't use that number of days. Enter a number from 0 to {most} in `keep_days`."
    ),
    Mistake.TIER_MISSING: N_("This kind of rule needs a tier. Choose one from the list in `tier`."),
    Mistake.TIER_UNKNOWN: N_("I don't know that tier. Choose one from the list in `tier`."),
    Mistake.TIER_AMBIGUOUS: N_("Several tiers have that name. Choose one from the list in `tier`."),
    Mistake.UNTIL_UNREADABLE: N_(
        "I changed nothing, because I can't use that end in `until`. Enter a day like `2027-01-31`, a number of days "
        "like `30d` (up to 3650), or `never`."
    ),
    Mistake.UNTIL_PAST: N_("I changed nothing, because `until` is already over. Enter a later day, or `never`."),
    Mistake.REASON_MISSING: N_("I changed nothing: `reason` is empty. Say in a few words why they get the role."),
    Mistake.REASON_TOO_LONG: N_("I changed nothing: `reason` can have at most {most} characters."),
    Mistake.COMP_UNKNOWN: N_(
        "I haven't been told to give that person that role. `/patreon comp list` shows everyone who has one."
    ),
    Mistake.LABEL_UNUSABLE: N_(
        "I didn't create a token: `label` needs 1 to {most} characters. Say which program will use it, for example "
        "`whitelist`."
    ),
    Mistake.TOO_MANY_TOKENS: N_(
        "I didn't create a token, because this server already has {most}. `/patreon api list` shows them, and "
        "`/patreon api revoke` ends one."
    ),
    Mistake.TOKEN_AMBIGUOUS: N_(
        "I didn't revoke a token, because several have that label. Enter the number of one of them: "
        "`/patreon api list` shows all tokens with their numbers."
    ),
    Mistake.TOKEN_UNKNOWN: N_(
        "This server has no such token. `/patreon api list` shows all tokens with their numbers."
    ),
    Mistake.NO_CAMPAIGN: N_(
        "This server isn't connected to a Patreon campaign yet. Type `/patreon connect` to get a link "
        "for the creator. If you already did, I haven't reached Patreon yet: try again in a minute."
    ),
    Mistake.CAMPAIGN_UNKNOWN: N_("This server doesn't follow that campaign. Choose one from the list in `campaign`."),
    Mistake.CAMPAIGN_AMBIGUOUS: N_("This server follows several campaigns. Choose one from the list in `campaign`."),
    Mistake.NOTHING_TO_ACCEPT: N_(
        "There's nothing to accept: Patreon's member list looks fine. `/patreon sync` reads it again now."
    ),
    Mistake.LIST_ANSWERED: N_(
        "That member list isn't waiting for an answer anymore. `/patreon believe` shows what still is."
    ),
    Mistake.SETUP_ENDED: N_(
        "This setup is over: an admin went live with it, or cancelled it. `/patreon rule list` shows this server's "
        "rules, and `/patreon setup` starts again."
    ),
    Mistake.SETUP_WITHOUT_ROLES: N_(
        "I changed nothing, because no tier has a role yet. Go back to the roles and choose one for at least one tier."
    ),
    Mistake.ROLE_NOT_MADE: N_(
        "I couldn't create the role, because I don't have the Manage Roles permission. Go to Server Settings > Roles, "
        "open my role and turn on Manage Roles. Then press the button again."
    ),
    Mistake.ROLES_FULL: N_(
        "I couldn't create the role, because this server already has {most} roles, and Discord allows no more. Choose "
        "one of them in the menu, or delete one that nobody uses."
    ),
    Mistake.LOG_CHANNEL_AND_NONE: N_(
        "I changed nothing: `log_channel` and `no_log_channel` can't be used together. Choose one."
    ),
    Mistake.LOG_CHANNEL_SHUT: N_(
        "I changed nothing, because I can't post in {channel}. I need {permissions} there. "
        "Give my role these in the channel's settings under Permissions, or choose another channel."
    ),
    Mistake.SETTING_NO_NUMBER: N_(
        "I changed nothing: `{option}` takes a whole number from {low} to {high}, for example `{low}`."
    ),
    Mistake.SETTING_NO_WORD: N_("I changed nothing: `{option}` takes {known}."),
    Mistake.SETTING_NO_SWITCH: N_("I changed nothing: `{option}` takes `True` or `False`."),
    Mistake.HOOKS_FULL: N_(
        "I didn't add a webhook, because this server already has {most}. `/patreon hooks list` shows them, and "
        "`/patreon hooks remove` removes one."
    ),
    Mistake.HOOK_EVENTS: N_(
        "I didn't add a webhook, because I don't know the event `{unknown}`. `events` takes {known}. Leave it out for "
        "all of them."
    ),
    Mistake.HOOK_NO_NUMBER: N_(
        "`hook` takes a webhook's number, like `3`. `/patreon hooks list` shows all webhooks with their numbers."
    ),
    Mistake.HOOK_UNKNOWN: N_(
        "This server has no webhook {hook_id}. `/patreon hooks list` shows all webhooks with their numbers."
    ),
    Mistake.HOOK_OFF: N_(
        "Webhook {hook_id} is off, so I sent nothing. Remove it with `/patreon hooks remove`, and add it again."
    ),
    Mistake.HOLD_ANSWERED: N_("Someone has already answered this hold. `/patreon holds` shows the open ones."),
    Mistake.STRANGER: N_("I don't know that person: they aren't in this server, and I haven't given them a role here."),
    Mistake.LIST_TOO_LONG: N_(
        "That list is too long for one file ({most} people fit). Choose a tier or a standing in `/patreon patrons` "
        "first, and download what it shows."
    ),
    Mistake.ASKED_JUST_NOW: N_("I checked Patreon for you a moment ago. You can check again {until}."),
    Mistake.NEVER_LINKED_BY_COMMAND: N_(
        "I can't check Patreon just for you, because you haven't used `/link` yet. I'll read the whole "
        "member list again soon."
    ),
    Mistake.CONSENT_ENDED: N_(
        "Patreon no longer accepts the access you gave me. Type `/link` to give it again. Your roles stay as they are."
    ),
    Mistake.TOO_MANY_LINKS: N_(
        "I didn't make a new link, because you've asked for {most} in a few minutes without using one. "
        "The newest one works until it expires. You can ask for another {until}."
    ),
}
_LATER: Mapping[Later, str] = {
    Later.NOT_CONNECTED: N_("I'm not connected to Discord right now."),
    Later.SERVER_UNSEEN: N_("Discord isn't showing me this server right now, so I changed nothing."),
    Later.MEMBERS_UNSEEN: N_("Discord didn't show me the members of this server, so I changed nothing."),
    Later.DISCORD_SILENT: N_("Discord didn't answer."),
    Later.DATABASE_AWAY: N_("I can't reach my database right now."),
    Later.UNPLANNED: N_("I couldn't work out these roles, so they stay as they are."),
    Later.CONSENTS_SILENT: N_("I couldn't check any patron with the access that they gave me."),
    Later.ELSEWHERE: N_("I'm already working on this, so I'll check again later."),
}


def say_error(r: Renderer, error: PledgekeeperError, *, is_admin: bool) -> Text:
    """Say what went wrong to whoever asked."""
    match error:
        case UserMistake():
            return say_mistake(r, error)
        case TryLater() if is_admin:
            return r.join(say_cause(r, error), r.say("Please try again in a minute."))
        case TryLater():
            return r.say("That didn't work just now, and I changed nothing. Please try again in a minute.")
        case NeedsOwner() if not is_admin:
            return r.say(
                "An admin of this server needs to fix something first. Please let one know. I changed nothing."
            )
        case _:
            return say_cause(r, error)


def say_mistake(r: Renderer, error: UserMistake) -> Text:
    """Say why a request can't be carried out, and what to do instead."""
    if error.code is Mistake.ROLE_BLOCKED:
        return _say_blocked(r, error.facts)
    if error.code is Mistake.HOOK_ADDRESS:
        return _say_receiver(r, error.facts)
    facts = {name: _said(r, name, fact) for name, fact in error.facts.items()}
    return r.say(_MISTAKES[error.code], **facts)


def say_cause(r: Renderer, error: PledgekeeperError) -> Text:
    """Say what failed, and what the owner can do about it."""
    if isinstance(error.code, Later):
        return r.say(_LATER[error.code])
    return r.join(*causes.say_cause(r, error.code, error.facts))


def say_no_campaign(r: Renderer) -> Text:
    """Say that there is nothing of Patreon's to show in this server, and how that is changed."""
    return r.say("This server doesn't follow a Patreon campaign yet. Connect one with `/patreon connect`.")


def say_nothing_changed(r: Renderer) -> Text:
    """Say that a question was answered with no."""
    return r.say("Nothing was changed.")


def say_unforeseen(r: Renderer, incident: str) -> Text:
    """Say that nobody foresaw it, with the number under which the log tells more."""
    return r.say(
        "Something went wrong on my side. Please try again. If it keeps happening, tell an admin this number: "
        "`{incident}`.",
        incident=incident,
    )


def say_outdated(r: Renderer) -> Text:
    """Say that Discord's own copy of a command is older than the command."""
    return r.say("This command has changed since your Discord loaded it. Restart Discord (Ctrl+R) and type it again.")


def say_not_found(r: Renderer, typed: str) -> Text:
    """Say that Discord knows nothing by what was typed."""
    return r.say("I couldn't find “{typed}”. Choose it from the list that Discord shows while you type.", typed=typed)


def _say_blocked(r: Renderer, facts: Mapping[str, Fact]) -> Text:
    role, block, rights = facts["role"], facts["block"], facts["rights"]
    why = say_block(r, Block(str(block)), str(role))
    if not isinstance(rights, tuple) or not rights:
        return why
    # Translators: The permissions of a role that a pledge must not buy: "It has Ban Members and Manage Server."
    return r.join(
        why, r.say("It has {rights}.", rights=say_rights(r, (one for one in rights if isinstance(one, Right))))
    )


def _say_receiver(r: Renderer, facts: Mapping[str, Fact]) -> Text:
    why = r.say(FAULTS[ReceiverFault(str(facts["fault"]))])
    return r.join(
        r.say("I didn't add a webhook, because I can't send to that address."),
        why,
        r.say("An address that works looks like `https://example.com/webhooks`."),
    )


def _said(r: Renderer, name: str, fact: Fact) -> Any:
    match name, fact:
        case "channel", int():
            return r.channel(fact)
        case (("rule_id" | "run_id" | "hook_id"), int()):
            return r.id(fact)  # as it was typed: any number
        case "permissions", tuple():
            return say_permissions(r, (Permission(str(one)) for one in fact))
        case "known", tuple():
            return r.listing([r.code(str(one)) for one in fact], "or")
        case _:
            return fact
