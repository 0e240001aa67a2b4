"""Who may talk to the page: this machine's own scripts and the page itself, no other site in the same browser.

The page hands out tokens (invented ones) and starts processes, so a page elsewhere on the web must reach it neither
by a name that it points at 127.0.0.1 (Host is checked) nor by a form or fetch (Origin and Sec-Fetch-Site are).
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.page.body import is_form

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""same-origin, not no-referrer: with the latter, browsers send `Origin: null` with the page's own forms."""


def allowed_hosts(port: int) -> frozenset[str]:
    """Return the names under which the page answers."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})


def is_foreign(request: web.Request) -> bool:
    """Tell whether a browser says that another site sends this."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin != f"http://{request.host}":
        return True
    return site is not None and site not in ("same-origin", "none")


def is_unsigned_form(request: web.Request) -> bool:
    """Tell whether this is a form that names no sender: browsers name one with every POST, scripts can send JSON."""
    named = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    return is_form(request) and not named


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a wrong Host and a write from elsewhere."""
    socket_name = request.transport.get_extra_info("sockname") if request.transport else None
    if socket_name is None or request.host not in allowed_hosts(socket_name[1]):
        return web.json_response({"error": "this page answers to 127.0.0.1 and localhost only"}, status=403)
    if request.method != "GET" and (is_foreign(request) or is_unsigned_form(request)):
        return web.json_response({"error": "another site may not act here"}, status=403)
    return await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every answer of the page carries."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
