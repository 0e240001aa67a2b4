"""Puts facts into messages, for a reader's language and for a medium. Knows no message of its own but how to join.

A message is whole English sentences with `{facts}`, **bold** and `code` in them, and is written where it is said, or in
a table under `N_` or `NN_`. It is never put together from parts: a translator sees it as it stands there.

    r.say("**{role}** is yours until {until}.", role=role.name, until=ends_at)
    r.plural("{count} person waits.", "{count} people wait.", len(waiting))

What becomes of a fact:

| fact | in the text |
|---|---|
| `Text` of the same medium | as it is |
| `str` | `name`: a stranger's text, escaped, 100 signs at most |
| `int` | a number as the language writes it; an id never goes in as one (`person`, `channel`, `id`) |
| `datetime` | `moment` |
| `timedelta` | `duration` |
| anything else, and a `Text` of another medium | TypeError: an enum or None was meant to be said in words |

A fact's own marks are always escaped, a message's never. In a page's attributes stands what was said as PLAIN.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Literal, NamedTuple

import markupsafe
from babel.dates import format_date, format_skeleton, format_timedelta, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from bot.texts.catalogs import Language

NAME_LENGTH = 100  # as long as Discord lets the name of a server or a role be
NAMELESS = "—"
SMALLEST_ID = 10**15  # Discord's ids are larger (Discord docs, Reference, Snowflakes); no count of ours is

Fact = str | int | datetime | timedelta


class Text(str):
    """Words that are ready for a medium. Renderers make them; `str` methods give a `str`, which is a name again."""

    __slots__ = ()


class _DiscordText(Text):
    __slots__ = ()


class _PageText(Text):
    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


class _PlainText(Text):
    __slots__ = ()


class Medium(Enum):
    """Where a text is shown."""

    DISCORD = "discord"  # a message, in Discord's Markdown
    PAGE = "page"  # HTML
    PLAIN = "plain"  # a terminal, a file, a reason in Discord's audit log, a choice or a button: nothing is marked up


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a message that stands in a table, for the extraction; `say` translates it later."""
    return message


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - as N_
    """Mark a message with a plural that stands in a table: `r.plural(*TABLE[code], count)` says it."""
    return one, many


# Translators: The end of a list that is cut short: "Ada, Ben and 5 more people".
MORE_PEOPLE = NN_("{count} more person", "{count} more people")
# Translators: The end of a list that is cut short: "Gold, Silver and 5 more roles".
MORE_ROLES = NN_("{count} more role", "{count} more roles")
# Translators: The end of a list that is cut short: "Gold, Silver and 5 more tiers".
MORE_TIERS = NN_("{count} more tier", "{count} more tiers")

_INVISIBLE = {"Cc", "Cf", "Cs"}  # controls, formats such as the turning of text, halves of a sign
_BLANK = str.maketrans(dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " "))  # letters that show as nothing


def visible(text: str) -> str:
    """Drop what is not seen and yet changes what is; any white space becomes one blank."""
    seen = "".join(
        sign for sign in text.translate(_BLANK) if sign.isspace() or unicodedata.category(sign) not in _INVISIBLE
    )
    return " ".join(seen.split())


# Discord docs, Markdown Text 101: marks anywhere; headings, quotes and lists at a line's beginning; addresses.
_DISCORD_MARKS = re.compile(r"[\\*_~|`\[\]<@]|:(?=//)|^[#>+-]|^\d+\.(?=\s)")


def _escape_discord(text: str) -> str:
    return _DISCORD_MARKS.sub(lambda mark: f"{mark[0][:-1]}\\{mark[0][-1]}", text)


def _escape_page(text: str) -> str:
    return str(markupsafe.escape(text))


def _as_it_is(text: str) -> str:
    return text


def _discord_code(text: str) -> str:
    return text.replace("`", "\u02cb")  # nothing can be escaped within a code span


class _Style(NamedTuple):
    """How a medium writes what a message or a fact holds."""

    text: type[Text]
    words: Callable[[str], str]  # a piece of a message
    foreign: Callable[[str], str]  # a stranger's text
    code: Callable[[str], str]  # a stranger's text within code
    line: str
    small: tuple[str, str]  # before and after small print
    marks: dict[str, tuple[str, str]]


_STYLES = {
    Medium.DISCORD: _Style(
        _DiscordText,
        _as_it_is,
        _escape_discord,
        _discord_code,
        "\n",
        ("-# ", ""),
        {"**": ("**", "**"), "`": ("`", "`")},
    ),
    Medium.PAGE: _Style(
        _PageText,
        _escape_page,
        _escape_page,
        _escape_page,
        "<br>",
        ("<small>", "</small>"),
        {"**": ("<strong>", "</strong>"), "`": ("<code>", "</code>")},
    ),
    Medium.PLAIN: _Style(_PlainText, _as_it_is, _as_it_is, _as_it_is, "\n", ("", ""), {"**": ("", ""), "`": ("", "")}),
}
_PIECES = re.compile(r"(\*\*|`|\n|\{\w+\})")
_UNITS = (
    ("duration-day", timedelta(days=1)),
    ("duration-hour", timedelta(hours=1)),
    ("duration-minute", timedelta(minutes=1)),
)


class Renderer:
    """Says things to a reader of one language in one medium."""

    def __init__(self, language: Language, medium: Medium) -> None:
        self.language = language
        self.medium = medium
        self._locale = language.locale
        self._style = _STYLES[medium]

    def say(self, message: str, /, **facts: Fact) -> Text:
        """Translate a message and put its facts in; facts that it does not ask for are let be."""
        return self._fill(self.language.translations.gettext(message), facts)

    def plural(self, one: str, many: str, count: int, /, **facts: Fact) -> Text:
        """Say the form that the language takes for a count, which is a fact too."""
        return self._fill(self.language.translations.ngettext(one, many, count), {"count": count, **facts})

    def join(self, *sentences: Text) -> Text:
        """Put sentences after one another; empty ones are left out."""
        whole, *rest = [one for one in sentences if one] or [self._text("")]
        for sentence in rest:
            # Translators: Two sentences after one another. Japanese writes no space between them.
            whole = self.say("{first} {second}", first=whole, second=sentence)
        return whole

    def lines(self, lines: Iterable[Text]) -> Text:
        """Put texts one below the other; empty ones are left out."""
        return self._text(self._style.line.join(self._part(line) for line in lines if line))

    def bullets(self, items: Iterable[Text]) -> Text:
        """Write a list with a dot before each text."""
        parts = [self._part(item) for item in items]
        if self.medium is Medium.PAGE:
            return self._text("<ul>" + "".join(f"<li>{part}</li>" for part in parts) + "</ul>")
        return self._text("\n".join(f"- {part}" for part in parts))

    def listing(
        self,
        items: Sequence[Fact],
        style: Literal["standard", "or"] = "standard",
        *,
        most: int | None = None,
        more: tuple[str, str] = MORE_PEOPLE,
    ) -> Text:
        """Write "A, B and C" as the language does, or "A, B or C"; of more than `most`, "A, B and 5 more people"."""
        shown = list(items[:most])
        if left := len(items) - len(shown):
            shown.append(self.plural(*more, left))
        return self._text(format_list([self._part(item) for item in shown], style=style, locale=self._locale))

    def name(self, text: str) -> Text:
        """Show a stranger's name as it is: it marks up nothing, mentions nobody, hides nothing and stays short."""
        return self._text(self._style.foreign(_short(text)))

    def verbatim(self, text: str) -> Text:
        """Show a text of any length that is not ours, line by line, in the same way."""
        return self._text(self._style.line.join(self._style.foreign(visible(line)) for line in text.splitlines()))

    def strong(self, fact: Fact) -> Text:
        """Write a fact in bold."""
        return self._marked("**", self._part(fact))

    def code(self, text: str) -> Text:
        """Write what somebody typed or is to type."""
        return self._marked("`", self._style.code(_short(text)))

    def small(self, fact: Fact) -> Text:
        """Write a line of its own in small print (Discord docs, Markdown Text 101: subtext)."""
        before, after = self._style.small
        return self._text(before + self._part(fact) + after)

    def id(self, number: int) -> Text:
        """Write an id, digit by digit."""
        return self._text(str(number))

    def person(self, discord_user_id: int) -> Text:
        """Name a Discord account; only Discord itself knows what it is called."""
        return self._text(f"<@{discord_user_id}>" if self.medium is Medium.DISCORD else f"@{discord_user_id}")

    def channel(self, channel_id: int) -> Text:
        """Name a channel; only Discord itself knows what it is called."""
        return self._text(f"<#{channel_id}>" if self.medium is Medium.DISCORD else f"#{channel_id}")

    def address(self, url: str) -> Text:
        """Write an address of ours or of Discord's so that it can be followed; never a stranger's."""
        return self._text(_escape_page(url) if self.medium is Medium.PAGE else url)

    def number(self, number: int) -> Text:
        """Write a number."""
        return self._words(format_decimal(number, locale=self._locale))

    def percent(self, percent: int) -> Text:
        """Write a percentage: 20 is "20 %"."""
        return self._words(format_percent(Decimal(percent) / 100, locale=self._locale))

    def money(self, cents: int, currency: str) -> Text:
        """Write an amount in hundredths of a currency (ISO 4217)."""
        amount = format_currency(Decimal(cents) / 100, visible(currency), locale=self._locale)
        return self._text(self._style.foreign(amount))

    def moment(self, at: datetime) -> Text:
        """Write a moment: in Discord as "2 minutes ago" that stays true, elsewhere as date and time in UTC."""
        if self.medium is Medium.DISCORD:
            return self._stamp(at, "R")
        pattern = str(get_datetime_format("medium", locale=self._locale)).replace("'", "")
        time = format_skeleton("Hm", _utc(at), tzinfo=UTC, locale=self._locale)
        return self._words(pattern.format(time, self._date(at)) + " UTC")

    def day(self, at: datetime) -> Text:
        """Write a moment's date: in Discord by the reader's clock, elsewhere by UTC."""
        return self._stamp(at, "D") if self.medium is Medium.DISCORD else self._words(self._date(at))

    def short_day(self, day: date) -> Text:
        """Write a day without its year, for where there is little room: "5 May"."""
        return self._words(
            format_skeleton("MMMd", datetime(day.year, day.month, day.day, tzinfo=UTC), tzinfo=UTC, locale=self._locale)
        )

    def year(self, day: date) -> Text:
        """Write a day's year alone: "2026"."""
        return self._words(
            format_skeleton("y", datetime(day.year, day.month, day.day, tzinfo=UTC), tzinfo=UTC, locale=self._locale)
        )

    def ago(self, delta: timedelta) -> Text:
        """Write how long ago something was, in whole units: "2 minutes ago". In Discord, `moment` stays true."""
        size = next((size for _, size in _UNITS if delta >= size), timedelta(seconds=1))
        whole = delta // size * size
        return self._words(format_timedelta(-whole, threshold=1, add_direction=True, locale=self._locale))

    def duration(self, delta: timedelta) -> Text:
        """Write how long something takes, in the largest unit of which it has one exactly or at least two."""
        unit, size = next(
            ((unit, size) for unit, size in _UNITS if delta == size or delta >= 2 * size),
            ("duration-second", timedelta(seconds=1)),
        )
        return self._words(format_unit(round(delta / size), unit, locale=self._locale))

    def _fill(self, message: str, facts: dict[str, Fact]) -> Text:
        parts: list[str] = []
        opened: set[str] = set()
        for piece in _PIECES.split(message):
            if piece in self._style.marks:
                parts.append(self._style.marks[piece][piece in opened])
                opened ^= {piece}
            elif piece == "\n":
                parts.append(self._style.line)
            elif _PIECES.fullmatch(piece):
                parts.append(self._part(facts[piece[1:-1]], is_code="`" in opened))
            else:
                parts.append(self._style.words(piece))
        return self._text("".join(parts))

    def _part(self, fact: object, *, is_code: bool = False) -> str:
        match fact:
            case Text() if isinstance(fact, self._style.text):
                return fact
            case Enum() | bool() | Text():
                pass
            case str():
                return self._style.code(_short(fact)) if is_code else self.name(fact)
            case int() if fact < SMALLEST_ID:
                return self.number(fact)
            case datetime():
                return self.moment(fact)
            case timedelta():
                return self.duration(fact)
        raise TypeError(f"{fact!r} is not ready for {self.medium}")

    def _text(self, ready: str) -> Text:
        return self._style.text(ready)

    def _words(self, text: str) -> Text:
        return self._text(self._style.words(text))

    def _marked(self, mark: str, ready: str) -> Text:
        before, after = self._style.marks[mark]
        return self._text(before + ready + after)

    def _stamp(self, at: datetime, style: Literal["R", "D"]) -> Text:
        # discord-api-docs, Message Formatting, Timestamps
        return self._text(f"<t:{int(_utc(at).timestamp())}:{style}>")

    def _date(self, at: datetime) -> str:
        return format_date(_utc(at), "long", locale=self._locale)


def _short(text: str) -> str:
    seen = visible(text) or NAMELESS
    return seen if len(seen) <= NAME_LENGTH else f"{seen[: NAME_LENGTH - 1]}…"


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise TypeError(f"{at!r} has no time zone")
    return at.astimezone(UTC)
