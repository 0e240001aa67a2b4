"""Why a role was changed, as Discord's own audit log shows it beside our name. Plain text, in the server's language."""

from collections.abc import Mapping

from bot.texts.renderer import N_, Renderer, Text

_REASONS: Mapping[str, str] = {
    "interval": N_("Regular check of Patreon"),
    "start": N_("Check after connecting to Discord"),
    "link": N_("The patron linked their Patreon account"),
    "unlink": N_("The Patreon account was unlinked"),
    "move": N_("The Patreon account moved to another Discord account"),
    "patron's consent": N_("The patron's own access was checked"),
    "webhook": N_("Patreon reported a change of the membership"),
    "join": N_("The member joined the server"),
    "member changed": N_("The member's roles changed"),
    "roles changed": N_("The server's roles changed"),
    "rule added": N_("A rule was added"),
    "rule removed": N_("A rule was removed"),
    "/membership": N_("The member checked Patreon with /membership"),
    "/patreon adopt": N_("An admin adopted the role"),
    "/patreon believe": N_("An admin accepted Patreon's member list"),
    "/patreon connect": N_("A Patreon campaign was connected"),
    "/patreon disconnect": N_("A Patreon campaign was disconnected"),
    "/patreon holds": N_("An admin answered a hold"),
    "/patreon restore": N_("An admin restored the role"),
    "/patreon settings": N_("An admin changed the settings"),
    "/patreon sync": N_("An admin started a sync"),
}
_OTHER = N_("Check of this member")


def say_change_reason(r: Renderer, trigger: str) -> Text:
    """Say what led to the change."""
    message = _REASONS.get(trigger, _OTHER)
    return r.say(message)
