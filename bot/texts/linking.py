"""What the link flow says in Discord. Pure: text in Discord's markup, with every name of a stranger made harmless."""

import re
import unicodedata

from bot.domain.news import RoleNews, RoleStatus
from bot.linking.outcome import Linked
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import say_news_cause
from bot.texts.renderer import Medium, Renderer

DENIED = "No link was made: access was not given at Patreon. Type /link to try again."
DECLINED = "No link was made: the answer on the confirm page was No. A link from before stays as it was."
UNLINKED_ELSEWHERE = (
    "An admin of another server unlinked <@{person}> from Patreon, so they lose their pledge roles here too."
    " They can link again with /link"
)
UNAVAILABLE = "No link was made: Patreon did not answer. Wait a minute, then type /link again."
SET_UP_WRONG = (
    "No link was made: Patreon refuses this bot, so something is set up wrong. It is not your fault, and trying again"
    " does not help: please tell the server's team."
)
ON_THEIR_WAY = "Your roles are on their way."
TROUBLED = (
    "Your roles could not be given just now. The next check does it by itself; /membership shows where you stand."
)

STATUS_WORDS: dict[RoleStatus, str] = {
    RoleStatus.GIVEN: "is yours now",
    RoleStatus.KEPT: "stays yours",
    RoleStatus.REMOVED: "was taken away",
    RoleStatus.STAYS: "stays for now",
    RoleStatus.MISSING: "is not yours",
    RoleStatus.WAITING: "is on its way",
}
NAME_SIGNS = 100  # as long as Discord lets the name of a server or a role be
_MARKUP = re.compile(r"([\\*_~|`\[\]<@])")  # a line never begins with a name, so # and > and - do no harm


def plain(name: str) -> str:
    """Escape a name, so that it prints as it is and mentions nobody; an endless one must not take a message's room."""
    seen = visible(name)
    return escaped(seen if len(seen) <= NAME_SIGNS else f"{seen[: NAME_SIGNS - 1]}…")


def escaped(text: str) -> str:
    """Escape a text of any length in the same way (Discord docs, Markdown Text 101)."""
    return _MARKUP.sub(r"\\\1", visible(text))


def visible(name: str) -> str:
    """Drop what is not seen and yet changes what is: controls, and formats such as the turning of text (Unicode Cf)."""
    return "".join(sign for sign in " ".join(name.split()) if unicodedata.category(sign) not in {"Cc", "Cf"})


def spoken(names: tuple[str, ...]) -> str:
    """Join names as one says them: "A, B or C"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def linked_text(linked: Linked) -> str:
    """Say what the page of a confirmed link says."""
    lines = [f"You are linked to the Patreon account **{plain(linked.patreon_name)}**."]
    if linked.is_troubled:
        lines.append(TROUBLED)
    elif linked.news is None:
        lines.append(ON_THEIR_WAY)
    elif linked.news:
        lines += [_role_line(role) for role in linked.news]
    elif linked.is_member:
        lines.append("No role follows your membership at present. When the server adds one, you get it by yourself.")
    if not linked.is_member and linked.owned_names:
        lines.append(creator_text(linked.owned_names))
    elif not linked.is_member:
        of = (
            f" of {spoken(tuple(map(plain, linked.campaign_names)))}"
            if linked.campaign_names
            else " that gives roles here"
        )
        lines.append(
            f"That account has no membership{of}. If you pay with another Patreon account, sign in at Patreon with"
            " that one and type /link again."
        )
    return "\n".join(lines)


def creator_text(names: tuple[str, ...]) -> str:
    """Tell a creator why no role follows from their own campaign, and how to try it all the same."""
    return (
        f"Creators have no membership of their own campaign, so {spoken(tuple(map(plain, names)))} gives you no role."
        " You stay linked. To try it out, use another Patreon account that is a member: sign in at Patreon with that"
        " one and type /link again."
    )


def moved_text(patreon_name: str, username: str) -> str:
    """Tell the old holder that their Patreon account belongs to another Discord account now."""
    return (
        f"The Patreon account **{plain(patreon_name)}** was linked to you and is now linked to @{plain(username)}:"
        " someone signed in at Patreon and confirmed the move. The roles from that pledge went along."
        " If it was not you, change your Patreon password, then type /link here."
    )


def _role_line(role: RoleNews) -> str:
    why = f" ({say_news_cause(Renderer(ENGLISH, Medium.DISCORD), role)})"
    return f"- {plain(role.guild_name)}: **{plain(role.role_name)}** {STATUS_WORDS[role.status]}{why}"
