"""What the pages of consent share: the browser's cookie, language and form, and where it is sent on to.

Knows requests and cookies, and nothing of what is consented to.
"""

import asyncio
from urllib.parse import SplitResult, parse_qs, urlsplit

from aiohttp import web
from multidict import CIMultiDictProxy

from bot.domain.model import Secret
from bot.texts.catalogs import ENGLISH, Language, choose, from_accept_language

COOKIE_SECONDS = 3600  # longer than what it opens, so that "expired" and "never ours" stay different pages
FORM_SECONDS = 10.0  # a browser sends a form at once; whoever dawdles holds a connection
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_SECRET_CHARACTERS = 512  # our states and cookies have 43, Patreon's codes some 30
MAX_FIELDS = 64  # a creator's campaigns, and one token


class Visits:
    """One kind of question, asked in browsers at our public address; each kind has a cookie of its own."""

    def __init__(self, *, public_url: str, cookie_name: str) -> None:
        public = urlsplit(public_url)
        self._origin = origin_of(public)
        self._base = public.path.rstrip("/")
        self._is_https = public.scheme == "https"
        # A __Host- cookie can be set by this very host over https only (RFC 6265bis, 4.1.3.2).
        self._cookie_name = f"__Host-{cookie_name}" if self._is_https else cookie_name

    def see(self, path: str) -> web.Response:
        """Send the browser on to one of our pages."""
        return web.Response(status=303, headers={"Location": self._base + path})

    def cookie(self, request: web.Request) -> Secret | None:
        """Return the browser's cookie."""
        return to_secret(request.cookies.get(self._cookie_name))

    def give_cookie(self, response: web.Response, cookie: Secret) -> None:
        """Let the browser keep a cookie; no script and no other site gets it."""
        response.set_cookie(
            self._cookie_name,
            cookie.reveal(),
            max_age=COOKIE_SECONDS,
            httponly=True,
            secure=self._is_https,
            samesite="Lax",
        )

    def take_cookie(self, response: web.Response) -> None:
        """Let the browser forget its cookie."""
        response.del_cookie(self._cookie_name, secure=self._is_https, httponly=True, samesite="Lax")

    def is_from_our_page(self, request: web.Request) -> bool:
        """Tell whether a browser sent this form from our own page, as far as it says."""
        return is_from_our_page(request.headers, self._origin)


def origin_of(address: SplitResult) -> str:
    """Return the origin of an address as browsers write it (HTML, "serialization of an origin")."""
    host = address.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = address.port
    return f"{address.scheme}://{host}" + ("" if port in {None, DEFAULT_PORTS.get(address.scheme)} else f":{port}")


def is_from_our_page(headers: CIMultiDictProxy[str], origin: str) -> bool:
    """Tell whether a browser sent this form from a page at `origin`, as far as it says.

    Under our no-referrer policy a browser names its Origin as "null" even to the same site (Fetch, "append a request
    `Origin` header"); then Sec-Fetch-Site tells, and the form's token, which no other site can know.
    """
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    return headers.get("Origin", "null") in ("null", origin)


async def read_form(request: web.Request) -> dict[str, list[str]]:
    """Return the fields of a form; none where it is not one of ours."""
    try:
        async with asyncio.timeout(FORM_SECONDS):
            body = (await request.read()).decode("latin-1")
        return parse_qs(body, max_num_fields=MAX_FIELDS)
    except (ValueError, TimeoutError, ConnectionError):
        return {}


def read_token(form: dict[str, list[str]]) -> Secret | None:
    """Return the token of a form of ours."""
    return to_secret(form.get("token", [None])[0])


def to_secret(text: str | None) -> Secret | None:
    """Keep a text from being seen; an empty one is none, and so is one longer than any service gives."""
    return Secret(text) if text and len(text) <= MAX_SECRET_CHARACTERS else None


def language_of(request: web.BaseRequest, locale: str = "en") -> Language:
    """Return the language of a page: its reader's, and that of who asked only where their browser names none of ours.

    Otherwise whoever forwards a link would choose the language of its warning.
    """
    named = ",".join(request.headers.getall("Accept-Language", ()))
    return from_accept_language(named) or choose([locale]) or ENGLISH


def to_page(html: str, status: int = 200) -> web.Response:
    """Answer with a page, which depends on its reader's language."""
    return web.Response(text=html, status=status, content_type="text/html", headers={"Vary": "Accept-Language"})
