"""Why a role was changed, as Discord's own audit log shows it beside our name. Plain text, in the server's language."""

from collections.abc import Mapping

from bot.domain.changes import Trigger
from bot.texts.renderer import N_, Renderer, Text

_REASONS: Mapping[Trigger, str] = {
    # Translators: What led to a change of roles. These stand in Discord's audit log, too.
    Trigger.INTERVAL: N_("Regular check of Patreon"),
    Trigger.START: N_("Check after connecting to Discord"),
    Trigger.LINK: N_("The patron linked their Patreon account"),
    Trigger.UNLINK: N_("The Patreon account was unlinked"),
    Trigger.MOVE: N_("The Patreon account moved to another Discord account"),
    Trigger.CONSENT: N_("Check with the patron's own access"),
    Trigger.REPORT: N_("Discord account that Patreon reports"),
    Trigger.WEBHOOK: N_("Patreon reported a membership change"),
    Trigger.JOIN: N_("The member joined the server"),
    Trigger.MEMBER_CHANGED: N_("The member's roles changed"),
    Trigger.ROLES_CHANGED: N_("The server's roles changed"),
    Trigger.RULE_ADDED: N_("A rule was added"),
    Trigger.RULE_REMOVED: N_("A rule was removed"),
    Trigger.RULE_EDITED: N_("A rule was changed"),
    Trigger.GROUP: N_("An admin changed a group of roles"),
    Trigger.MEMBERSHIP: N_("The member checked Patreon with /membership"),
    Trigger.ADOPT: N_("An admin adopted the role"),
    Trigger.API: N_("An admin changed who may use the API"),
    Trigger.COMP: N_("An admin gave a role without a pledge, or ended that"),
    Trigger.COMP_ENDED: N_("A role given without a pledge has ended"),
    Trigger.BELIEVE: N_("An admin accepted Patreon's member list"),
    Trigger.CONNECT: N_("A Patreon campaign was connected"),
    Trigger.DISCONNECT: N_("A Patreon campaign was disconnected"),
    Trigger.HOLDS: N_("An admin answered a hold"),
    Trigger.HOOKS: N_("An admin changed a webhook"),
    Trigger.RESTORE: N_("An admin restored the role"),
    Trigger.SETTINGS: N_("An admin changed the settings"),
    Trigger.SYNC: N_("An admin started a sync"),
    Trigger.UNDO: N_("An admin undid a run"),
}
_OTHER = N_("Check of this member")


def say_change_reason(r: Renderer, trigger: Trigger) -> Text:
    """Say what led to the change."""
    message = _REASONS.get(trigger, _OTHER)
    return r.say(message)
