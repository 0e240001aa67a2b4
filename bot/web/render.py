"""Turns what the link flow says into HTML. Words for patrons stand here and in `pages/`; nothing here decides.

Templates escape everything; an unknown name in a template is an error. There is no script: a page that waits reloads
itself by meta refresh.
"""

import base64
import hashlib
from datetime import datetime
from pathlib import Path

import jinja2
import msgspec
from markupsafe import Markup

from bot.domain.news import RoleNews, RoleStatus
from bot.linking.connection import ConnectView
from bot.linking.outcome import Cause, PageView, Word
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import say_news_cause
from bot.texts.linking import STATUS_WORDS, TROUBLED, spoken, visible
from bot.texts.renderer import Medium, Text
from bot.texts.renderer import Renderer as Texts

PAGES = Path(__file__).parent / "pages"
STYLE = (PAGES / "style.css").read_text(encoding="utf-8").strip()
# The page's only style is named by its hash (CSP Level 3, hash-source): nothing injected could ever apply.
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

# Discord's images come from here only (Discord docs, Reference, Image Formatting).
AVATAR_HOST = "https://cdn.discordapp.com"


class Said(msgspec.Struct, frozen=True):
    """A page that only says something."""

    title: str
    lines: tuple[str, ...]
    again: bool = True  # typing the command again is the cure
    command: str = "/link"


RESULTS: dict[Word | Cause, Said] = {
    Cause.SET_UP_WRONG: Said(
        "Something is set up wrong",
        (
            "Patreon refuses this bot, so nothing was linked. It is not your fault, and trying again does not help.",
            "Please tell the server's team: the bot's log says what to mend.",
        ),
        again=False,
    ),
    Word.DENIED: Said(
        "Nothing was linked",
        ("Patreon tells us that you did not give access. That is fine: nothing was read and nothing was stored.",),
    ),
    Word.DECLINED: Said(
        "Nothing was linked",
        (
            "You answered No. What Patreon told us just now is deleted, and nobody got a role.",
            "If you were linked before, that link stays as it was.",
            "If somebody sent you that link, they may have wanted your roles for themselves. Tell the server's team.",
        ),
        again=False,
    ),
    Word.EXPIRED: Said(
        "This link has run out",
        (
            "A link works for ten minutes, and only the newest one works. This one changed nothing.",
            "If you were linked before, that link stays as it was.",
        ),
    ),
    Word.USED: Said(
        "This link was already used",
        ("Each link works once. If you are done, all is well: /membership in Discord shows where you stand.",),
    ),
    Word.UNKNOWN: Said(
        "We don't know this link",
        ("It may have been cut short on the way, or it is not from us. Nothing was linked.",),
    ),
    Word.UNAVAILABLE: Said(
        "Patreon did not answer",
        (
            "We could not read your account at Patreon, so nothing was linked. It is not your fault.",
            "This link is used up. Please wait a minute before the next try.",
        ),
    ),
}
CONNECT_RESULTS: dict[Word | Cause, Said] = {
    Cause.SET_UP_WRONG: Said(
        "Something is set up wrong",
        (
            "Patreon refuses this bot, so nothing was connected. It is not your fault, and trying again does not help.",
            "Please tell the server's team: the bot's log says what to mend.",
        ),
        again=False,
    ),
    Word.DENIED: Said(
        "Nothing was connected",
        ("Patreon tells us that you did not give access. That is fine: nothing was read and nothing was stored.",),
        again=False,
    ),
    Cause.NO_CAMPAIGN: Said(
        "There is no campaign to connect",
        (
            "The Patreon account that you signed in with has no campaign of its own. Nothing was stored.",
            "Sign in at Patreon with the account that owns the campaign, then ask the server's admin for a new link.",
        ),
        command="/patreon connect",
    ),
    Cause.NO_ACCESS: Said(
        "Nothing was connected",
        ("Patreon did not give us the right to read a campaign. Nothing was stored.",),
        command="/patreon connect",
    ),
    Cause.NO_RIGHT: Said(
        "Nothing was connected",
        (
            "Whoever asked for it can no longer manage roles in that server, so they may not decide this.",
            "What Patreon told us about you is deleted. Somebody of the server's team can ask again.",
        ),
        command="/patreon connect",
    ),
    Cause.NO_ANSWER: Said(
        "Discord did not answer",
        (
            "We could not ask whether whoever made this link may still decide it, so nothing was connected yet.",
            "Please wait a minute, then go back to the page before and press the button again.",
        ),
        again=False,
    ),
    Word.DECLINED: Said(
        "Nothing was connected",
        (
            "You answered No. What Patreon told us just now is deleted, and no server reads your campaign by it.",
            "A server that followed your campaign before stays as it was.",
            "If you were sent that link by someone you don't know, they may have been after your list of patrons.",
        ),
        again=False,
    ),
    Word.EXPIRED: Said(
        "This link has run out",
        ("A link works for ten minutes, and only the newest one works. It connected nothing and ended nothing.",),
        command="/patreon connect",
    ),
    Word.USED: Said(
        "This link was already used",
        ("Each link works once. If you already saw that your campaign is connected, all is well.",),
        command="/patreon connect",
    ),
    Word.UNKNOWN: Said(
        "We don't know this page",
        ("There is no question for you here. Please open the link from Discord again.",),
        command="/patreon connect",
    ),
    Word.UNAVAILABLE: Said(
        "Patreon did not answer",
        (
            "We could not read your campaigns at Patreon, so nothing was connected. It is not your fault.",
            "This link is used up. Please wait a minute before the next try.",
        ),
        command="/patreon connect",
    ),
}
NOT_FOUND = Said("There is no page here", ("The address may be mistyped or cut short.",))
NOT_ALLOWED = Said("This page can't be used like that", ("Please open it from the link in Discord.",))
TOO_LARGE = Said("That was too much at once", ("The request was larger than anything this page asks for.",))
BROKEN = Said("Something broke on our side", ("It is in our log. Nothing you did caused it.",))
REFUSED = Said("We can't accept that request", ("Please open the page from the link in Discord.",))

SIGNS: dict[RoleStatus, str] = {
    RoleStatus.GIVEN: "✓",
    RoleStatus.KEPT: "✓",
    RoleStatus.REMOVED: "\N{MINUS SIGN}",
    RoleStatus.STAYS: "…",
    RoleStatus.MISSING: "·",
    RoleStatus.WAITING: "…",
}


class Renderer:
    """The pages, ready to fill."""

    def __init__(self) -> None:
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_seen,
        )
        self._jinja.globals["style"] = Markup(STYLE)  # noqa: S704  our own file
        self._jinja.globals["troubled"] = TROUBLED
        self._jinja.filters |= {
            "ago": ago,
            "exact": exact,
            "day": day,
            "initial": initial,
            "spoken": spoken,
            "sign": SIGNS.__getitem__,
            "status": STATUS_WORDS.__getitem__,
            "why": _say_why,
        }

    def view(self, view: PageView) -> str:
        """Return the page for what the flow says."""
        if view.question is not None:
            avatar = allowed_avatar(view.question.avatar_url)
            return self._fill(
                "question.html", word=view.word, question=view.question, is_changed=view.is_changed, avatar=avatar
            )
        if view.linked is not None:
            return self._fill("linked.html", word=view.word, linked=view.linked)
        return self.result(view.word)

    def result(self, word: Word, cause: Cause | None = None, *, can_return: bool = False) -> str:
        """Return the page for a word that needs nothing else. `can_return`: this browser has a page of its own."""
        return self._fill("result.html", word=word, said=RESULTS[cause or word], can_return=can_return)

    def connect(self, view: ConnectView) -> str:
        """Return the page for what the connect flow says."""
        if view.question is not None:
            icon = allowed_avatar(view.question.guild_icon_url)
            return self._fill("connect.html", word=view.word, question=view.question, view=view, icon=icon)
        if view.connected is not None:
            return self._fill("connected.html", word=view.word, connected=view.connected)
        return self.connect_result(view.word, view.cause)

    def connect_result(self, word: Word, cause: Cause | None = None) -> str:
        """Return the connect flow's page for a word that needs nothing else."""
        return self._fill("result.html", word=word, said=CONNECT_RESULTS[cause or word], can_return=False)

    def plain(self, said: Said) -> str:
        """Return a page that has no part in the link flow."""
        return self._fill("result.html", word=None, said=said, can_return=False)

    def _fill(self, name: str, **values: object) -> str:
        return self._jinja.get_template(name).render(values)


def _say_why(news: RoleNews) -> Text:
    return say_news_cause(Texts(ENGLISH, Medium.PAGE), news)


def _seen(value: object) -> object:
    return visible(value) if type(value) is str else value  # Markup is ours


def allowed_avatar(url: str | None) -> str | None:
    """Return the address of a picture that the page may show, or nothing."""
    return url if url and url.startswith(AVATAR_HOST + "/") else None


def ago(then: datetime, now: datetime) -> str:
    """Say how long ago something was: "2 minutes ago"."""
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 60:
        return f"{minutes} minute{'s' if minutes > 1 else ''} ago"
    hours = minutes // 60
    return f"{hours} hour{'s' if hours > 1 else ''} ago"


def exact(moment: datetime) -> str:
    """Say when something was, to the second."""
    return f"{day(moment)}, {moment:%H:%M:%S} UTC"


def day(moment: datetime) -> str:
    """Say on which day something was."""
    return f"{moment.day} {moment:%B %Y}"


def initial(name: str) -> str:
    """Return the letter that stands in for a picture."""
    return next((char.upper() for char in name if char.isalnum()), "?")
