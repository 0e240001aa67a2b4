"""JSON:API as Patreon really sends it: decoded into typed structs, and mended where a value is not as the docs promise.

Pure. The rule for every struct read here: each field has a default, and the default means "we were not told".
The well-formed answer takes the fast road (msgspec, typed). An answer with one bad value takes the slow road, where
only that value becomes its default: one patron's odd record must not hide the others. What is no JSON is an error.
"""

import types
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qs, urlsplit

import msgspec

from bot.errors import PatreonUnavailable
from bot.model import DiscordUserId

MAX_STORED_INTEGER = 2**63 - 1  # BIGINT: what a database can keep

MISSING_WORD = "(no status sent)"  # stands among unknown words for a status that did not come at all
MAX_WORD_CHARACTERS = 40

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Cents = Annotated[int, msgspec.Meta(ge=-MAX_STORED_INTEGER, le=MAX_STORED_INTEGER)]
S = TypeVar("S", bound=msgspec.Struct)


class Ref(msgspec.Struct, gc=False):
    """A resource's name: its type and id."""

    id: str = ""
    type: str = ""


class ToOne(msgspec.Struct, gc=False):
    """A relation to at most one resource; Patreon sends `{"data": null}` for none."""

    data: Ref | None = None


class ToMany(msgspec.Struct):
    """A relation to many; `{"data": null}` has been seen for none here too (patreon-api.ts #144)."""

    data: list[Ref] | None = None


class Account(msgspec.Struct, gc=False):
    """An account elsewhere that a user joined to Patreon."""

    user_id: str | None = None


class SocialConnections(msgspec.Struct, gc=False):
    """`social_connections`; the map may be missing, null or empty."""

    discord: Account | None = None


class Links(msgspec.Struct, gc=False):
    """Top-level links; of `next` only the cursor is used, never the address."""

    next: str | None = None


def decode(body: bytes, decoder: msgspec.json.Decoder[S]) -> S:
    """Decode `body` as the decoder's struct, mending what does not fit. Raises PatreonUnavailable for no JSON."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        pass
    except (ValueError, RecursionError):  # broken or endlessly nested JSON; msgspec's DecodeError is a ValueError
        raise _unreadable(body) from None
    try:
        mended: S = _mended_struct(msgspec.json.decode(body), decoder.type)
    except (ValueError, RecursionError):
        raise _unreadable(body) from None
    return mended


def _unreadable(body: bytes) -> PatreonUnavailable:
    return PatreonUnavailable(f"Patreon sent {len(body)} bytes that are no readable JSON; nothing was changed")


def _mended_struct(value: object, kind: type[S]) -> S:
    """Return `value` as `kind`; each field that cannot be read keeps its default."""
    told = value if isinstance(value, dict) else {}
    fields: dict[str, Any] = {}
    for field in _fields(kind):
        if field.encode_name not in told:
            continue
        try:
            fields[field.name] = _mended(told[field.encode_name], field.type)
        except msgspec.ValidationError:
            continue
    return kind(**fields)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)  # costs more than the mending, uncached


def _mended(value: object, kind: Any) -> object:
    """Return `value` as `kind`, a field's annotation. Raises msgspec.ValidationError where nothing can be saved."""
    alternatives = get_args(kind) if isinstance(kind, types.UnionType) or get_origin(kind) is Union else (kind,)
    options = [getattr(option, "__supertype__", option) for option in alternatives]  # a NewType is what it stands for
    for option in options:
        if isinstance(value, dict) and _is_struct(option):
            return _mended_struct(value, option)
        (item_kind,) = get_args(option) if get_origin(option) is list else (None,)
        if isinstance(value, list) and _is_struct(item_kind):
            return [_mended_struct(item, item_kind) for item in value]
    if Moment in options and isinstance(value, str):
        return moment(value)
    if str in options and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return msgspec.convert(value, kind, strict=False)


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def moment(text: str) -> datetime | None:
    """Return an ISO 8601 date as an aware datetime, UTC where it names no zone; None where it is no date."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def target(relation: ToOne | None) -> str:
    """Return the id that a relation points at; empty where it points nowhere."""
    return relation.data.id if relation is not None and relation.data is not None else ""


def discord_account(connections: SocialConnections | None) -> DiscordUserId | None:
    """Return the Discord user that the connections name, where they name one."""
    if connections is None or connections.discord is None:
        return None
    user_id = connections.discord.user_id or ""
    if not (user_id.isascii() and user_id.isdecimal() and len(user_id) < 20):  # a snowflake fits 63 bits
        return None
    number = int(user_id)
    return DiscordUserId(number) if 0 < number <= MAX_STORED_INTEGER else None


def cursor_in(links: Links | None) -> str | None:
    """Return the page cursor named in the `next` link.

    The link itself is never followed: v1's drops our `include` and `fields` (Patreon's developer forum, "pledges
    pagination does not maintain parameters"), and an address from an answer must not choose where our token goes.
    """
    try:
        query = parse_qs(urlsplit((links and links.next) or "").query)
    except ValueError:
        return None
    # A cursor holds no blank: it is an ISO date whose "+00:00" was not escaped.
    return query.get("page[cursor]", [""])[0].replace(" ", "+") or None
