"""Discord's small markup, as HTML: bold, code, links, mentions, times. Everything else is escaped.

Markup: Discord docs, "Message Formatting", and the part of Markdown that bots use.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from markupsafe import Markup, escape


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads, and when: `names` names what "@", "@&" or "#" before an id mentions; `address` finds a channel."""

    names: Callable[[str, str], str]
    now: datetime
    address: Callable[[str], str]


SPAN = re.compile(
    r"\\(?P<escaped>[^\w\s])"
    r"|`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<bold>.+?)\*\*"
    r"|\|\|(?P<spoiler>.+?)\|\|"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<url>https?://[^\s)]+)\)"
    r"|https://discord\.com/channels/(?:@me|\d+)/(?P<channel>\d+)(?:/\d+)?"
    r"|(?P<bare>https?://[^\s<>]+[^\s<>.,;:!?)])"
    r"|<t:(?P<time>-?\d{1,12})(?::(?P<style>[tTdDfFR]))?>"
    r"|<(?P<kind>@&|@!?|#)(?P<id>\d{1,20})>"
    r"|(?<![\w*])[*_](?P<italic>[^*_\n]+)[*_](?![\w*])"
)
LINES = (
    ("### ", Markup('<p class="heading">{}</p>')),
    ("## ", Markup('<p class="heading">{}</p>')),
    ("# ", Markup('<p class="heading">{}</p>')),
    ("-# ", Markup('<p class="small">{}</p>')),
    ("> ", Markup("<blockquote>{}</blockquote>")),
    ("- ", Markup("<p>• {}</p>")),
    ("* ", Markup("<p>• {}</p>")),
    ("", Markup("<p>{}</p>")),
)
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def marked_up(text: str, *, reader: Reader) -> Markup:
    """Return a message's text as HTML, one element for each line."""
    return Markup("").join(_line(line, reader) for line in text.split("\n"))


def _line(line: str, reader: Reader) -> Markup:
    if not line:
        return Markup("<br>")
    mark, element = next(known for known in LINES if line.startswith(known[0]))
    return element.format(_spans(line.removeprefix(mark), reader))


def _spans(text: str, reader: Reader) -> Markup:
    pieces, place = [], 0
    for match in SPAN.finditer(text):
        pieces += [escape(text[place : match.start()]), _span(match, reader)]
        place = match.end()
    return Markup("").join([*pieces, escape(text[place:])])


def _span(match: re.Match[str], reader: Reader) -> Markup:
    found = match.groupdict()
    if found["escaped"]:
        return escape(found["escaped"])
    if found["channel"]:
        address = reader.address(found["channel"])
        return Markup('<a href="{}" data-go>the message</a>').format(address)
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["bold"]:
        return Markup("<strong>{}</strong>").format(_spans(found["bold"], reader))
    if found["spoiler"]:
        return Markup('<span class="spoiler" title="a spoiler">{}</span>').format(_spans(found["spoiler"], reader))
    if found["italic"]:
        return Markup("<em>{}</em>").format(_spans(found["italic"], reader))
    if found["time"]:
        return _time(int(found["time"]), found["style"] or "f", reader.now)
    if found["kind"]:
        kind = found["kind"].replace("!", "")
        return Markup('<span class="mention">{}{}</span>').format(kind[0], reader.names(kind, found["id"]))
    url = found["url"] or found["bare"]
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, found["label"] or url)


def _time(seconds: int, style: str, now: datetime) -> Markup:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return escape(f"<t:{seconds}>")
    formats = {"t": "%H:%M", "T": "%H:%M:%S", "d": "%d/%m/%Y", "D": "%d %B %Y", "F": "%A %d %B %Y, %H:%M"}
    shown = ago(moment, now) if style == "R" else moment.strftime(formats.get(style, "%d %B %Y, %H:%M"))
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), shown)


def ago(moment: datetime, now: datetime) -> str:
    """Say how far a moment is from now, in its largest unit."""
    seconds = int((moment - now).total_seconds())
    for unit, length in UNITS:
        count = abs(seconds) // length
        if count:
            amount = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"in {amount}" if seconds > 0 else f"{amount} ago"
    return "now"


def safe_url(url: str | None) -> str:
    """Return a link that a browser may follow, or "#": nothing but http and https."""
    return url if url and urlsplit(url).scheme in ("http", "https") else "#"
