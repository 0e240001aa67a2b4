"""The embeds of a message: what Discord refuses, and how it answers those that it takes. Pure.

Limits: Discord docs, "Embed Limits" (blanks around a text are cut off and do not count), and its OpenAPI description.
An embed that shows nothing lacks a description (AntyBot/anty-support #40), a blank field its value (embedbuilder #57).
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sandbox.discord.errors import Problems
from sandbox.discord.model import Json

MOST_EMBEDS, MOST_FIELDS, MOST_TEXT = 10, 25, 6000
MOST_TITLE, MOST_DESCRIPTION, MOST_FOOTER, MOST_AUTHOR, MOST_NAME, MOST_VALUE = 256, 4096, 2048, 256, 256, 1024
MOST_URL, WHITE = 2048, 0xFFFFFF
SHOWN_PARTS = ("title", "description", "fields", "author", "footer", "image", "thumbnail")
WEB = ("http", "https")
PICTURE = (*WEB, "attachment")


def check_embeds(problems: Problems, embeds: Any) -> None:
    """Note what is wrong with the embeds of one message."""
    if not isinstance(embeds, list) or not all(isinstance(embed, dict) for embed in embeds):
        problems.bad_type("embeds", "list")
        return
    if len(embeds) > MOST_EMBEDS:
        problems.add("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_EMBEDS} or fewer in length.")
    for index, embed in enumerate(embeds):
        _check_embed(problems, f"embeds.{index}", embed)
    if sum(map(embed_size, embeds)) > MOST_TEXT:
        problems.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MOST_TEXT}")


def _check_embed(problems: Problems, path: str, embed: Json) -> None:
    if not any(not is_blank(embed.get(part)) for part in SHOWN_PARTS):
        problems.required(f"{path}.description")
    problems.text(f"{path}.title", trimmed(embed.get("title")), high=MOST_TITLE)
    problems.text(f"{path}.description", trimmed(embed.get("description")), high=MOST_DESCRIPTION)
    problems.number(f"{path}.color", embed.get("color"), 0, WHITE)
    _check_url(problems, f"{path}.url", embed.get("url"), WEB)
    _check_timestamp(problems, f"{path}.timestamp", embed.get("timestamp"))
    _check_named(problems, f"{path}.footer", embed.get("footer"), "text", MOST_FOOTER)
    _check_named(problems, f"{path}.author", embed.get("author"), "name", MOST_AUTHOR)
    for key in ("image", "thumbnail"):
        picture = embed.get(key)
        if picture is not None and _is_object(problems, f"{path}.{key}", picture):
            _check_url(problems, f"{path}.{key}.url", picture.get("url"), PICTURE)
    _check_fields(problems, f"{path}.fields", embed.get("fields") or [])


def _check_named(problems: Problems, path: str, part: Any, key: str, most: int) -> None:
    """Note what is wrong with a footer or an author."""
    if part is None or not _is_object(problems, path, part):
        return
    _check_text(problems, f"{path}.{key}", part.get(key), most)
    _check_url(problems, f"{path}.url", part.get("url"), WEB)
    _check_url(problems, f"{path}.icon_url", part.get("icon_url"), PICTURE)


def _check_fields(problems: Problems, path: str, fields: Any) -> None:
    if not isinstance(fields, list):
        problems.bad_type(path, "list")
        return
    if len(fields) > MOST_FIELDS:
        problems.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_FIELDS} or fewer in length.")
    for index, each in enumerate(fields):
        if not _is_object(problems, f"{path}.{index}", each):
            continue
        _check_text(problems, f"{path}.{index}.name", each.get("name"), MOST_NAME)
        _check_text(problems, f"{path}.{index}.value", each.get("value"), MOST_VALUE)
        if not isinstance(each.get("inline"), bool | None):
            problems.bad_type(f"{path}.{index}.inline", "boolean")


def _is_object(problems: Problems, path: str, part: Any) -> bool:
    if not isinstance(part, dict):
        problems.bad_type(path, "object")
        return False
    return True


def _check_text(problems: Problems, path: str, text: Any, most: int) -> None:
    if is_blank(text):
        problems.required(path)
    else:
        problems.text(path, trimmed(text), high=most)


def _check_url(problems: Problems, path: str, url: Any, schemes: tuple[str, ...]) -> None:
    problems.text(path, url, high=MOST_URL)
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not parts.netloc:
        problems.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    elif parts.scheme not in schemes:
        problems.add(path, "URL_TYPE_INVALID_SCHEME", f'Scheme "{parts.scheme}" must be one of {schemes}.')


def _check_timestamp(problems: Problems, path: str, moment: Any) -> None:
    if moment is not None and moment_of(moment) is None:
        problems.add(path, "DATE_TIME_TYPE_PARSE", f"Could not parse {moment}. Should be ISO8601.")


def moment_of(timestamp: Any) -> datetime | None:
    """Return the moment of an ISO 8601 timestamp, in UTC where it names no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_blank(part: Any) -> bool:
    """Tell whether a part of an embed shows nothing."""
    return not trimmed(part)


def trimmed(part: Any) -> Any:
    """Return a part of an embed without the blanks around its texts."""
    if isinstance(part, str):
        return part.strip()
    if isinstance(part, list):
        return [trimmed(each) for each in part]
    return {key: trimmed(value) for key, value in part.items()} if isinstance(part, dict) else part


def embed_size(embed: Json) -> int:
    """Return how many characters count towards the 6000 of a message."""
    fields = embed.get("fields")
    holders = [(embed, ("title", "description")), (embed.get("footer"), ("text",)), (embed.get("author"), ("name",))]
    holders += [(each, ("name", "value")) for each in (fields if isinstance(fields, list) else [])]
    texts = [holder.get(key) for holder, keys in holders if isinstance(holder, dict) for key in keys]
    return sum(len(text.strip()) for text in texts if isinstance(text, str))


def shown_embed(embed: Json) -> Json:
    """Return an embed as Discord answers it."""
    shown = {key: trimmed(value) for key, value in embed.items() if value is not None} | {"type": "rich"}
    if "fields" in shown:
        shown["fields"] = [{"inline": False} | each for each in shown["fields"]]
    moment = moment_of(shown.get("timestamp"))
    return shown | ({"timestamp": moment.isoformat()} if moment else {})
