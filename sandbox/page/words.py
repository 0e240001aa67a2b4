"""Discord's small markup, as HTML: bold, code, lists, quotes, links, mentions, times. Everything else is escaped.

Markup: Discord docs, "Message Formatting", and the part of Markdown that bots use. Mentions work in the content of a
message, and in the description and the values of an embed; elsewhere in an embed they stay as they were written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from markupsafe import Markup, escape


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads, and when: `names` names what "@", "@&" or "#" before an id mentions; `address` finds a channel."""

    names: Callable[[str, str], str]
    now: datetime
    address: Callable[[str], str]
    sees_mentions: bool = True


CODE_BLOCK = re.compile(r"\n?```(?:[\w+#.-]*\n)?(?P<code>.+?)\n?```\n?", re.DOTALL)
SPAN = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)"
    r"|`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<bold>.+?)\*\*(?!\*)"
    r"|__(?P<underlined>.+?)__(?!_)"
    r"|~~(?P<struck>.+?)~~"
    r"|\|\|(?P<spoiler>.+?)\|\|"
    r"|\[(?P<label>[^\]\n]+)\]\(<?(?P<url>https?://[^\s)>]+)>?\)"
    r"|<(?P<quiet>https?://[^\s<>]+)>"
    r"|(?P<bare>https?://[^\s<>]+[^\s<>.,;:!?)])"
    r"|<t:(?P<time>-?\d{1,12})(?::(?P<style>[tTdDfFR]))?>"
    r"|<(?P<kind>@&|@!?|#)(?P<id>\d{1,20})>"
    r"|<(?P<command>/[^:<>\n]{1,100}):\d{1,20}>"
    r"|(?<![\w*])[*_](?P<italic>[^*_\n]+)[*_](?![\w*])"
)
CHANNEL_LINK = re.compile(r"https://discord\.com/channels/(?:@me|\d+)/(?P<channel>\d+)(?:/\d+)?")
LINES = (
    ("### ", Markup('<p class="heading">{}</p>')),
    ("## ", Markup('<p class="heading">{}</p>')),
    ("# ", Markup('<p class="heading">{}</p>')),
    ("-# ", Markup('<p class="small">{}</p>')),
    ("> ", Markup("<blockquote>{}</blockquote>")),
    ("- ", Markup("<p>• {}</p>")),
    ("* ", Markup("<p>• {}</p>")),
    ("  - ", Markup('<p class="inner">◦ {}</p>')),
    ("  * ", Markup('<p class="inner">◦ {}</p>')),
    ("", Markup("<p>{}</p>")),
)
WRAPPED = {
    "bold": Markup("<strong>{}</strong>"),
    "underlined": Markup("<u>{}</u>"),
    "struck": Markup("<s>{}</s>"),
    "spoiler": Markup('<span class="spoiler" title="a spoiler">{}</span>'),
    "italic": Markup("<em>{}</em>"),
}
QUOTE_OF_THE_REST = ">>> "
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def marked_up(text: str, *, reader: Reader, is_title: bool = False) -> Markup:
    """Return a text of a message as HTML, one element for each line; of a title only the words, with no mentions."""
    if is_title:
        return _spans(text, replace(reader, sees_mentions=False))
    pieces, place = [], 0
    for block in CODE_BLOCK.finditer(text):
        pieces += [_lines(text[place : block.start()], reader), Markup("<pre>{}</pre>").format(block["code"])]
        place = block.end()
    return Markup("").join([*pieces, _lines(text[place:], reader)])


def _lines(text: str, reader: Reader) -> Markup:
    if not text:
        return Markup("")
    shown: list[Markup] = []
    lines = text.split("\n")
    for place, line in enumerate(lines):
        if line.startswith(QUOTE_OF_THE_REST):
            rest = "\n".join([line.removeprefix(QUOTE_OF_THE_REST), *lines[place + 1 :]])
            shown.append(Markup("<blockquote>{}</blockquote>").format(_lines(rest, reader)))
            break
        shown.append(_line(line, reader))
    return Markup("").join(shown)


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
    for name, element in WRAPPED.items():
        if found[name]:
            return element.format(_spans(found[name], reader))
    if found["escaped"]:
        return escape(found["escaped"])
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["time"]:
        return _time(int(found["time"]), found["style"] or "f", reader.now)
    if found["kind"] or found["command"]:
        return _mention(match, reader)
    url = found["url"] or found["quiet"] or found["bare"]
    return _link(url, _spans(found["label"], reader) if found["label"] else None, reader)


def _mention(match: re.Match[str], reader: Reader) -> Markup:
    if not reader.sees_mentions:
        return escape(match[0])
    if match["command"]:
        return Markup('<span class="mention">{}</span>').format(match["command"])
    kind = match["kind"].replace("!", "")
    return Markup('<span class="mention">{}{}</span>').format(kind[0], reader.names(kind, match["id"]))


def _link(url: str, label: Markup | None, reader: Reader) -> Markup:
    """Return a link; one to a message at Discord leads to its channel on the page."""
    inside = CHANNEL_LINK.fullmatch(url)
    if inside:
        address = reader.address(inside["channel"])
        return Markup('<a href="{}" data-go>{}</a>').format(address, label or "the message")
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, label or url)


def _time(seconds: int, style: str, now: datetime) -> Markup:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return escape(f"<t:{seconds}>")
    date = f"{moment.day} %B %Y"  # Discord writes no zero before the day
    formats = {"t": "%H:%M", "T": "%H:%M:%S", "d": "%d/%m/%Y", "D": date, "F": f"%A {date}, %H:%M"}
    shown = ago(moment, now) if style == "R" else moment.strftime(formats.get(style, f"{date}, %H:%M"))
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
