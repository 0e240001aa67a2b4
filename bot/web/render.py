"""Turns what a consent stands at into HTML, in a reader's language. Nothing here decides.

Templates escape everything; an unknown name in a template is an error. There is no script: a page that waits reloads
itself by meta refresh.
"""

import base64
import hashlib
from pathlib import Path

import jinja2
from markupsafe import Markup

from bot.domain.consent import Cause, Connected, Linked, Purpose, Question, View, Word
from bot.domain.role_news import RoleStatus
from bot.texts.catalogs import Language
from bot.texts.decisions import say_news_cause, say_status
from bot.texts.linking import link_notes, linked_lead, server_name
from bot.texts.pages import REFUSALS, Ending, Refusal, again, find_ending, how_long_ago
from bot.texts.renderer import Medium, Renderer, visible

TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8").strip()
# The page's only style is named by its hash (CSP Level 3, hash-source): nothing injected could ever apply.
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

# Discord's images come from here only (Discord docs, Reference, Image Formatting).
AVATAR_HOST = "https://cdn.discordapp.com"

SIGNS: dict[RoleStatus, str] = {
    RoleStatus.GIVEN: "✓",
    RoleStatus.KEPT: "✓",
    RoleStatus.REMOVED: "\N{MINUS SIGN}",
    RoleStatus.STAYS: "…",
    RoleStatus.MISSING: "·",
    RoleStatus.WAITING: "…",
}


class Pages:
    """The pages, ready to fill."""

    def __init__(self) -> None:
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_seen,
        )
        self._jinja.globals["style"] = Markup(STYLE)  # noqa: S704  our own file
        self._jinja.filters |= {"initial": initial, "picture": allowed_avatar, "sign": SIGNS.__getitem__}

    def view(self, purpose: Purpose, view: View, language: Language) -> str:
        """Return the page for how a consent stands."""
        r = Renderer(language, Medium.PAGE)
        if view.question is not None:
            return self._question(r, view, view.question)
        match view.outcome:
            case Linked() as linked:
                lead, notes = linked_lead(r, linked), link_notes(r, linked)
                return self._fill("linked.html", r, word=view.word, linked=linked, lead=lead, notes=notes)
            case Connected() as connected:
                return self._fill("connected.html", r, word=view.word, connected=connected)
            case _:
                return self.ended(purpose, view.word, view.cause, language)

    def ended(
        self, purpose: Purpose, word: Word, cause: Cause | None, language: Language, *, can_return: bool = False
    ) -> str:
        """Return the page for a word that needs nothing else. `can_return`: this browser has a page of its own."""
        ending = find_ending(purpose, word, cause)
        return self._ending(ending, language, purpose=purpose, word=word, can_return=can_return)

    def refused(self, refusal: Refusal, language: Language) -> str:
        """Return a page that has no part in a consent."""
        return self._ending(REFUSALS[refusal], language, purpose=Purpose.LINK, word=None, can_return=False)

    def _question(self, r: Renderer, view: View, question: Question) -> str:
        return self._fill(f"question_{question.purpose}.html", r, word=view.word, cause=view.cause, question=question)

    def _ending(
        self, ending: Ending, language: Language, *, purpose: Purpose, word: Word | None, can_return: bool
    ) -> str:
        r = Renderer(language, Medium.PAGE)
        return self._fill(
            "ending.html",
            r,
            word=word,
            title=r.say(ending.title),
            lines=[r.say(line) for line in ending.lines],
            again=again(r, purpose) if ending.again else None,
            can_return=can_return,
        )

    def _fill(self, name: str, r: Renderer, **values: object) -> str:
        """Fill a template; what speaks the reader's language goes in as values, for filters are shared by all."""
        return self._jinja.get_template(name).render(
            values,
            lang=r.language.tag,
            say=r.say,
            plural=r.plural,
            ago=lambda question: how_long_ago(r, question.asked_at, question.shown_at),
            moment=r.moment,
            day=r.day,
            strong_list=lambda names: r.listing([r.strong(one) for one in names]),
            server_name=lambda name: server_name(r, name),
            say_status=lambda news: say_status(r, news),
            say_cause=lambda news: say_news_cause(r, news),
        )


def _seen(value: object) -> object:
    return visible(value) if type(value) is str else value  # what is said, and Markup, is ours


def allowed_avatar(url: str | None) -> str | None:
    """Return the address of a picture that the page may show, or nothing."""
    return url if url and url.startswith(AVATAR_HOST + "/") else None


def initial(name: str) -> str:
    """Return the letter that stands in for a picture."""
    return next((char.upper() for char in name if char.isalnum()), "?")
