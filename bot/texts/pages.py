"""What our web pages say where there is no question: that a consent ended, or that a request is of no use."""

import enum
from datetime import datetime, timedelta

import msgspec

from bot.domain.consent import Cause, Purpose, Word
from bot.texts.renderer import N_, Renderer, Text


class Refusal(enum.Enum):
    """Why a request is not answered with a page of its own."""

    NOT_FOUND = "not found"
    NOT_ALLOWED = "not allowed"
    TOO_LARGE = "too large"
    BROKEN = "broken"
    LATER = "later"
    REFUSED = "refused"


class Ending(msgspec.Struct, frozen=True):
    """A page that only says something."""

    title: str
    lines: tuple[str, ...]
    again: bool = True  # typing the command again is the cure


AGAIN = {
    Purpose.LINK: N_("**To try again:** type `/link` in Discord. You'll get a new link."),
    Purpose.CONNECT: N_("**To try again:** type `/patreon connect` in Discord. You'll get a new link."),
}

LINK_ENDINGS: dict[Word | Cause, Ending] = {
    Cause.SET_UP_WRONG: Ending(
        N_("Something is set up wrong"),
        (
            N_("Patreon refuses this bot, so you weren't linked. It isn't your fault, and trying again won't help."),
            N_("Please let the server's team know: the bot's log says what to fix."),
        ),
        again=False,
    ),
    Word.DENIED: Ending(
        N_("You weren't linked"),
        (
            N_("Patreon says that you didn't allow access. That's fine: I read and stored nothing."),
            N_("If you were linked before, that link stays as it was."),
        ),
    ),
    Word.DECLINED: Ending(
        N_("You weren't linked"),
        (
            N_("You answered No. I've deleted what Patreon just told me, and nobody got a role."),
            N_("If you were linked before, that link stays as it was."),
            N_("Did someone send you that link? They may have wanted your roles. Please let the server's team know."),
        ),
        again=False,
    ),
    Word.EXPIRED: Ending(
        N_("This link has expired"),
        (
            N_("Only the newest link works, and only for a few minutes. This one changed nothing."),
            N_("If you were linked before, that link stays as it was."),
        ),
    ),
    Word.USED: Ending(
        N_("This link has already been used"),
        (
            N_(
                "Each link works once. If you've already linked, you're all set: `/membership` in Discord shows "
                "where you stand."
            ),
        ),
    ),
    Word.UNKNOWN: Ending(
        N_("I don't know this link"),
        (N_("Part of it may be missing, or it isn't from me. You weren't linked."),),
    ),
    Word.UNAVAILABLE: Ending(
        N_("Patreon didn't answer"),
        (
            N_("I couldn't read your Patreon account, so you weren't linked. It isn't your fault."),
            N_("This link can't be used again. Please wait a minute before you try again."),
        ),
    ),
}
CONNECT_ENDINGS: dict[Word | Cause, Ending] = {
    Cause.SET_UP_WRONG: Ending(
        N_("Something is set up wrong"),
        (
            N_(
                "Patreon refuses this bot, so no campaign was connected. It isn't your fault, and trying again won't"
                " help."
            ),
            N_("Please let the server's team know: the bot's log says what to fix."),
        ),
        again=False,
    ),
    Word.DENIED: Ending(
        N_("No campaign was connected"),
        (
            N_("Patreon says that you didn't allow access. That's fine: I read and stored nothing."),
            N_("If a server already followed your campaign, that stays as it was."),
        ),
        again=False,
    ),
    Cause.NO_CAMPAIGN: Ending(
        N_("There's no campaign to connect"),
        (
            N_("The Patreon account that you signed in with doesn't have a campaign. I stored nothing."),
            N_("Sign in to Patreon with the account that owns it, then ask the server's admin for a new link."),
        ),
    ),
    Cause.NO_ACCESS: Ending(
        N_("No campaign was connected"),
        (N_("Patreon didn't give me permission to read a campaign. I stored nothing."),),
    ),
    Cause.NO_RIGHT: Ending(
        N_("No campaign was connected"),
        (
            N_("The admin who asked can no longer manage roles in that server, so they can't decide this."),
            N_("I've deleted what Patreon told me about you. Someone else on the server's team can ask again."),
        ),
    ),
    Cause.NO_ANSWER: Ending(
        N_("Discord didn't answer"),
        (
            N_("I couldn't check whether the admin who asked may still decide this, so nothing was connected yet."),
            N_("Please wait a minute, then go back to the previous page and press the button again."),
        ),
        again=False,
    ),
    Word.DECLINED: Ending(
        N_("No campaign was connected"),
        (
            N_("You answered No. I've deleted what Patreon just told me, and no server got access to your campaign."),
            N_("If a server already followed your campaign, that stays as it was."),
            N_("Did someone you don't know send you that link? They may have wanted your list of patrons."),
        ),
        again=False,
    ),
    Word.EXPIRED: Ending(
        N_("This link has expired"),
        (N_("Only the newest link works, and only for a few minutes. This one changed nothing."),),
    ),
    Word.USED: Ending(
        N_("This link has already been used"),
        (N_("Each link works once. If you saw that your campaign was connected, you're all set."),),
    ),
    Word.UNKNOWN: Ending(
        N_("I don't know this page"),
        (N_("There's no question for you here. Please open the link from Discord again."),),
    ),
    Word.UNAVAILABLE: Ending(
        N_("Patreon didn't answer"),
        (
            N_("I couldn't read your campaigns on Patreon, so nothing was connected. It isn't your fault."),
            N_("This link can't be used again. Please wait a minute before you try again."),
        ),
    ),
}
ENDINGS = {Purpose.LINK: LINK_ENDINGS, Purpose.CONNECT: CONNECT_ENDINGS}

REFUSALS = {
    Refusal.NOT_FOUND: Ending(N_("Page not found"), (N_("Check the address: it may be mistyped or incomplete."),)),
    Refusal.NOT_ALLOWED: Ending(
        N_("You can't use this page like that"), (N_("Please open it from the link in Discord."),)
    ),
    Refusal.TOO_LARGE: Ending(
        N_("That was too much at once"), (N_("The request was larger than any page here needs."),)
    ),
    Refusal.BROKEN: Ending(N_("Something went wrong on my side"), (N_("It's in my log. Nothing you did caused it."),)),
    Refusal.LATER: Ending(N_("I can't do this right now"), (N_("Please load this page again in a minute."),)),
    Refusal.REFUSED: Ending(N_("I can't accept that request"), (N_("Please open the page from the link in Discord."),)),
}


def find_ending(purpose: Purpose, word: Word, cause: Cause | None) -> Ending:
    """Return what a page says of a consent that leads nowhere."""
    return ENDINGS[purpose][cause or word]


def again(r: Renderer, purpose: Purpose) -> Text:
    """Say how to try again."""
    return r.say(AGAIN[purpose])


def how_long_ago(r: Renderer, then: datetime, now: datetime) -> Text:
    """Say how long ago something was; a page that stays open counts no seconds."""
    age = now - then
    return r.say("less than a minute ago") if age < timedelta(minutes=1) else r.ago(age)
