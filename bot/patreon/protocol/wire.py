r"""JSON:API as Patreon really sends it: decoded into typed structs, and mended where a value is not as promised.

Pure. The rule for every struct read here: each field has a default, and the default means "we were not told".
The well-formed answer takes the fast road (msgspec, typed). An answer with one bad value takes the slow road, where
only that value becomes its default: one patron's odd record must not hide the others. What is no JSON is an error.

What the slow road makes of a value:

    of another type, out of range, too long      its default; its name is put into the struct's `unread`, if it has one
    damaged text that people are shown (Text)    mended: U+FFFD for each damaged sign; cut where it is endless
    any other damaged text: an id, a cursor, …   its default, for half an id is another one's
    nested without end                           null

A byte order mark before the JSON is passed over (RFC 8259, 8.1, lets whoever reads do so).

Damaged is a lone surrogate (`"\ud83d"`, which other services pass on when they cut a name: msgspec #714), a byte that
is no UTF-8, and NUL, which PostgreSQL stores in no text.
"""

import json
import re
import types
from codecs import BOM_UTF8
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qs, urlsplit

import msgspec

from bot.domain.errors import PatreonCode, PatreonUnreadable
from bot.domain.model import DiscordUserId, RoleId

MAX_STORED_INTEGER = 2**63 - 1  # BIGINT: what a database can keep
MAX_CENTS = 2**31 - 1  # INTEGER, as which a tier's price is kept
MAX_ID_CHARACTERS = 64  # Patreon's ids are numbers and UUIDs
MAX_TEXT_CHARACTERS = 1000
EARLIEST = datetime(2013, 1, 1, tzinfo=UTC)  # Patreon began in that year's May
CLOCK_SLACK = timedelta(days=2)
LONGEST_YEARS_AHEAD = 10
MAX_DEPTH = 64  # of nested values; Patreon's documents have some eight

MAX_WORD_CHARACTERS = 40
UNREAD = "unread"  # the field that names what of its struct was sent and could not be read

SHOWN = msgspec.Meta(max_length=MAX_TEXT_CHARACTERS, extra={"is": "shown"})

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Cents = Annotated[int, msgspec.Meta(ge=0, le=MAX_CENTS)]
Id = Annotated[str, msgspec.Meta(max_length=MAX_ID_CHARACTERS)]
Text = Annotated[str, SHOWN]
T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

_NUL = b"\\u0000"  # as JSON writes it; msgspec takes it for a sign like any other
UNFIT = (ValueError, RecursionError)  # msgspec's errors, and that of a byte which is no UTF-8, are ValueErrors
_DAMAGE = re.compile("[\\x00\\ud800-\\udfff]")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{\]}]', re.DOTALL)


class Ref(msgspec.Struct, gc=False):
    """A resource's name: its type and id."""

    id: Id = ""
    type: str = ""


class ToOne(msgspec.Struct, gc=False):
    """A relation to at most one resource; Patreon sends `{"data": null}` for none."""

    data: Ref | None = None


class ToMany(msgspec.Struct):
    """A relation to many; `{"data": null}` has been seen for none here too (patreon-api.ts #144)."""

    data: list[Ref] | None = None


class SocialAccount(msgspec.Struct, gc=False):
    """An account elsewhere that a user joined to Patreon."""

    user_id: Id | None = None


class SocialConnections(msgspec.Struct, gc=False):
    """`social_connections`; the map may be missing, null or empty."""

    discord: SocialAccount | None = None


class PageLinks(msgspec.Struct, gc=False):
    """Top-level links; of `next` only the cursor is used, never the address."""

    next: str | None = None


def decode(body: bytes, decoder: msgspec.json.Decoder[S]) -> S:
    """Decode `body` as the decoder's struct, mending what does not fit. Raises PatreonUnreadable for no JSON."""
    try:
        return decode_as_promised(body, decoder)
    except UNFIT:
        pass
    mended: S = _mended_struct(parse(body), decoder.type)
    return mended


def decode_as_promised(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode `body` where nothing in it has to be mended. Raises one of UNFIT."""
    if _NUL in body:
        raise ValueError("NUL")
    return decoder.decode(body)


def looks_like_json(body: bytes) -> bool:
    """Tell whether a body begins as Patreon's JSON does; that of a challenge page or an empty one does not."""
    return body.removeprefix(BOM_UTF8).lstrip()[:1] in (b"{", b"[")


def parse(body: bytes) -> object:
    """Return any JSON as plain data, damaged text as it came. Raises PatreonUnreadable for no JSON."""
    text = body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
    try:
        try:
            return _LENIENT.decode(text)
        except RecursionError:
            return _LENIENT.decode(_flattened(text))
    except (ValueError, RecursionError):
        raise PatreonUnreadable(PatreonCode.NO_JSON, size=len(body)) from None


def part_missing(part: str, **facts: str | int) -> PatreonUnreadable:
    """Return the error for a document without something that it must have."""
    return PatreonUnreadable(PatreonCode.PART_MISSING, part=part, **facts)


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_ID_CHARACTERS else None  # Python refuses one of thousands of digits


def _nothing(_: str) -> None:
    """Infinity and NaN are no numbers (RFC 8259, 6)."""


_LENIENT = json.JSONDecoder(strict=False, parse_int=_integer, parse_constant=_nothing)


def _flattened(text: str) -> str:
    """Return the same JSON with null for whatever is nested deeper than any document of Patreon's."""
    kept: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in {"[", "{"}:
            depth += 1
            if depth == MAX_DEPTH:
                kept += (text[start : token.start()], "null")
        elif token[0] in {"]", "}"}:
            if depth == MAX_DEPTH:
                start = token.end()
            depth -= 1
    return "".join([*kept, text[start:]])


def _read_or_mended(value: object, kind: type[S]) -> S:
    """Return one of a list; only one that is odd is looked at value by value, which takes fifty times as long."""
    try:
        written = msgspec.json.encode(value)  # raises for damaged text
        if _NUL not in written:
            read: S = _strict(kind).decode(written)
            return read
    except (ValueError, OverflowError, RecursionError):
        pass
    return _mended_struct(value, kind)


@cache
def _strict(kind: type[S]) -> msgspec.json.Decoder[S]:
    return msgspec.json.Decoder(kind)


def _mended_struct(value: object, kind: type[S]) -> S:
    """Return `value` as `kind`; each field that cannot be read keeps its default."""
    told = value if isinstance(value, dict) else {}
    fields: dict[str, Any] = {}
    unread: list[str] = []
    for field in _fields(kind):
        if field.encode_name not in told or field.name == UNREAD:
            continue
        try:
            fields[field.name] = _mended(told[field.encode_name], field.type)
        except (msgspec.ValidationError, UnicodeError):  # the latter for damaged keys of what should be no object
            unread.append(field.name)
    if unread and UNREAD in kind.__struct_fields__:
        fields[UNREAD] = tuple(unread)
    return kind(**fields)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)  # costs more than the mending, uncached


def _mended(value: object, kind: Any) -> object:
    """Return `value` as `kind`, a field's annotation. Raises msgspec.ValidationError where nothing can be saved."""
    alternatives = get_args(kind) if isinstance(kind, types.UnionType) or get_origin(kind) is Union else (kind,)
    options = [_bare(option) for option in alternatives]
    for option in options:
        if isinstance(value, dict) and _is_struct(option):
            return _mended_struct(value, option)
        (item_kind,) = get_args(option) if get_origin(option) is list else (None,)
        if isinstance(value, list) and _is_struct(item_kind):
            return [_read_or_mended(item, item_kind) for item in value]
    if Moment in alternatives and isinstance(value, str):
        return moment(value)
    if str in options and isinstance(value, int) and not isinstance(value, bool):
        return _mended_text(str(value), kind, is_shown=Text in alternatives)
    if isinstance(value, str):
        return _mended_text(value, kind, is_shown=Text in alternatives)
    return msgspec.convert(value, kind, strict=False)


def _mended_text(text: str, kind: Any, *, is_shown: bool) -> object:
    if is_shown:
        return _DAMAGE.sub("\N{REPLACEMENT CHARACTER}", text[:MAX_TEXT_CHARACTERS])
    if _DAMAGE.search(text):
        raise msgspec.ValidationError("damaged")
    return msgspec.convert(text, kind, strict=False)


def _bare(option: Any) -> Any:
    """Return a type without what is annotated; a NewType is what it stands for."""
    bare = option.__origin__ if get_origin(option) is Annotated else option
    return getattr(bare, "__supertype__", bare)


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def moment(text: str) -> datetime | None:
    """Return an ISO 8601 date as an aware datetime, UTC where it names no zone; None where it is no date."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def past(told: datetime | None, *, now: datetime) -> datetime | None:
    """Return when something began or happened; a time before Patreon was there, or after `now`, is no fact."""
    if told is None or EARLIEST <= told <= now:
        return told
    return told if EARLIEST <= told <= now + CLOCK_SLACK else None


def ahead(told: datetime | None, *, now: datetime) -> datetime | None:
    """Return when something is to happen, or was; a time out of all bounds is no fact."""
    return told if told is not None and EARLIEST.year <= told.year <= now.year + LONGEST_YEARS_AHEAD else None


def target(relation: ToOne | None, kind: str) -> str:
    """Return the id that a relation points at; empty where it points nowhere, or at something of another kind."""
    ref = relation.data if relation is not None else None
    return ref.id if ref is not None and ref.type in {kind, ""} else ""


def discord_account(connections: SocialConnections | None) -> DiscordUserId | None:
    """Return the Discord user that the connections name, where they name one."""
    if connections is None or connections.discord is None:
        return None
    number = _snowflake(connections.discord.user_id or "")
    return None if number is None else DiscordUserId(number)


def discord_roles(told: Iterable[str] | None) -> tuple[RoleId, ...]:
    """Return the Discord roles that Patreon's own bot gives for a tier."""
    numbers = (_snowflake(one) for one in told or ())
    return tuple(sorted({RoleId(number) for number in numbers if number is not None}))


def _snowflake(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):  # it fits 63 bits
        return None
    number = int(text)
    return number if 0 < number <= MAX_STORED_INTEGER else None


def cursor_in(links: PageLinks | None) -> str | None:
    """Return the page cursor named in the `next` link.

    The link itself is never followed: v1's drops our `include` and `fields` (Patreon's developer forum, "pledges
    pagination does not maintain parameters"), and an address from an answer must not choose where our token goes.
    """
    try:
        query = parse_qs(urlsplit((links and links.next) or "").query, errors="strict")
    except ValueError:
        return None
    # A cursor holds no blank: it is an ISO date whose "+00:00" was not escaped.
    cursor = query.get("page[cursor]", [""])[0].replace(" ", "+")
    return None if _DAMAGE.search(cursor) else cursor or None
