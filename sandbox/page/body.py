"""What a handler is asked: JSON from a script or a form from the page, read into the same dict, and answered alike.

A refusal is `Refused`; the server turns it into 400 with {"error": ...} for a script and a notice for a person.
"""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
OPTION_PREFIX = "options."
FIELD_PREFIX = "fields."


class Refused(Exception):
    """The request is not understood or cannot be done; the text says why and what would work."""


async def read_body(request: web.Request) -> dict[str, Any]:
    """Return the body as a dict. Raises Refused for anything else than one JSON object or one form."""
    if request.content_type == JSON_TYPE:
        return _from_json(await request.read())
    if request.content_type == FORM_TYPE:
        return _from_form(await request.text())
    raise Refused(f"send Content-Type: {JSON_TYPE}, not {request.content_type}")


def _from_json(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise Refused(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused('the body must be a JSON object, e.g. {"days": 1}')
    return body


def _from_form(text: str) -> dict[str, Any]:
    """Gather `options.<name>` and `fields.<name>` into dicts and repeated `values` into a list; drop blank options."""
    body: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.startswith(OPTION_PREFIX):
            if value != "":
                body.setdefault("options", {})[name.removeprefix(OPTION_PREFIX)] = value
        elif name.startswith(FIELD_PREFIX):
            body.setdefault("fields", {})[name.removeprefix(FIELD_PREFIX)] = value
        elif name == "values":
            body.setdefault("values", []).extend([value] if value else [])
        else:
            body[name] = value
    return body


def is_form(request: web.Request) -> bool:
    """Tell whether a person's form was sent, not a script's JSON."""
    return request.content_type == FORM_TYPE


def text_of(body: dict[str, Any], name: str) -> str:
    """Return a required text; a number is as good. Raises Refused where it is missing."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Refused(f'"{name}" is missing or is no text')
    return str(value)


def number_of(body: dict[str, Any], name: str, default: float | None = None) -> float:
    """Return a number, given as one or as its text. Raises Refused where it is neither, or missing."""
    value = default if body.get(name) in (None, "") else body[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(f'"{name}" must be a number')
    try:
        return float(value)
    except ValueError:
        raise Refused(f'"{name}" must be a number, not {value!r}') from None


def flag_of(body: dict[str, Any], name: str, *, default: bool = False) -> bool:
    """Return a yes or no, given as a JSON boolean or as the page's words."""
    value = body.get(name, default)
    if isinstance(value, bool):
        return value
    if value in ("true", "on", "1", "false", "off", "0", ""):
        return value in ("true", "on", "1")
    raise Refused(f'"{name}" must be true or false')


def map_of(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object, empty where it is missing. Raises Refused for anything else."""
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise Refused(f'"{name}" must be an object of names and values')
    return value


def list_of(body: dict[str, Any], name: str) -> list[str]:
    """Return a list of texts, empty where it is missing."""
    value = body.get(name) or []
    if not isinstance(value, list):
        raise Refused(f'"{name}" must be a list')
    return [str(one) for one in value]
