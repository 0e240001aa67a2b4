"""What a request's query asks for: include, fields by type, page, sort. Refuses what Patreon cannot read."""

import re
from collections.abc import Mapping

from aiohttp import web

from sandbox.patreon.errors import bad_request
from sandbox.patreon.jsonapi import Selection

PAGE_SIZE_PARAMETERS = ("page[count]", "page[size]")
_FIELDS = re.compile(r"fields\[([^\]]+)\]")


def check_brackets(request: web.Request) -> None:
    """Refuse brackets that were not written as %5B and %5D (Patreon docs, v1 usage; forum 1036)."""
    if "[" in request.rel_url.raw_query_string or "[" in request.raw_path:
        raise bad_request("Square brackets in a query must be percent-encoded.")


def names(text: str) -> tuple[str, ...]:
    """Split a comma list, spaces and empty parts dropped."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_selection(request: web.Request) -> Selection:
    """Read include and fields[…]."""
    check_brackets(request)
    fields = {}
    for key, value in request.query.items():
        match = _FIELDS.fullmatch(key)
        if match:
            fields[match[1]] = names(value)
    return Selection(names(request.query.get("include", "")), fields)


def read_selection_v1(request: web.Request, *, default: str, relations: Mapping[str, tuple[str, ...]]) -> Selection:
    """Read API v1's include: a default unless switched off; `x` brings its own `relations`, `x.null` does not."""
    selection = read_selection(request)
    if "include" in request.query:
        asked = selection.include
    else:
        switched_off = request.query.get("json-api-use-default-includes") == "false"
        asked = () if switched_off else names(default)
    include: list[str] = []
    for path in asked:
        place, _, last = path.rpartition(".")
        if last == "null":
            include += [place] if place else []
        else:
            include += [path, *(f"{path}.{relation}" for relation in relations.get(last, ()))]
    return Selection(tuple(include), selection.fields)


def asked_rows(request: web.Request) -> int | None:
    """Return how many rows on a page a request asks for, where it names a number."""
    asked = (request.query.get(parameter, "") for parameter in PAGE_SIZE_PARAMETERS)
    return next((int(text) for text in asked if text.isdecimal() and len(text) < 10), None)


def read_page_size(request: web.Request, *, default: int, most: int) -> int:
    """Read page[count], or page[size] which some clients send; more than the most is cut down in silence."""
    for parameter in PAGE_SIZE_PARAMETERS:
        text = request.query.get(parameter)
        if text is None:
            continue
        if not text.isdecimal() or int(text) < 1:
            raise bad_request(f"'{text}' is not a page size.", parameter)
        return min(int(text), most)
    return default
