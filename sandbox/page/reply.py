"""One act, two askers: JSON for a script, the page again for a person who sent a plain form."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from sandbox.page.address import SHOWN
from sandbox.page.body import is_form


def reply(request: web.Request, answer: dict[str, Any], *, notice: str = "") -> web.Response:
    """Answer a script with `answer`; send a person back to the page as it was, with a notice."""
    if not is_form(request):
        return web.json_response(answer)
    if wants_json(request):
        return web.json_response(answer | {"notice": notice})
    return see_other(page_address(request, notice=notice))


def refuse(request: web.Request, reason: str) -> web.Response:
    """Answer that something cannot be done, and why."""
    if wants_json(request):
        return web.json_response({"error": reason}, status=400)
    return see_other(page_address(request, problem=reason))


def see_other(address: str) -> web.Response:
    """Send a browser on after a form, so that a reload does not act twice."""
    return web.Response(status=303, headers={"Location": address})


def wants_json(request: web.Request) -> bool:
    """Tell whether the asker reads JSON: a script, or the page's own script, which says so."""
    return not is_form(request) or "application/json" in request.headers.get("Accept", "")


def page_address(request: web.Request, **said: str) -> str:
    """Return the page's address as the asker had it, with what is to be said to them."""
    before = dict(parse_qsl(urlsplit(request.headers.get("Referer", "")).query))
    query = {name: before[name] for name in SHOWN if name in before} | {k: v for k, v in said.items() if v}
    return "/?" + urlencode(query)
