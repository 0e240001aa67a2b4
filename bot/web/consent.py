"""The pages of consent: Patreon's answer arrives, the patron is asked, the outcome is shown.

Knows requests, cookies and statuses; what happens is decided in `linking/`. Answers of the callback never hold what its
address held.

    page                  status
    a question, a link made, denied, declined     200
    never ours                                    400
    an answer to another question, another site   403
    expired, used                                 410
    Patreon failed                                503
"""

from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from multidict import CIMultiDictProxy

from bot.linking.flow import LinkFlow
from bot.linking.outcome import PageView, Word
from bot.model import Secret
from bot.web.render import REFUSED, Renderer

COOKIE_SECONDS = 3600  # longer than what it opens, so that "run out" and "never ours" stay different pages
MAX_FIELDS = 8
STATUSES = {Word.UNKNOWN: 400, Word.EXPIRED: 410, Word.USED: 410, Word.UNAVAILABLE: 503}


class ConsentPages:
    """The handlers under /oauth and /link."""

    def __init__(self, *, flow: LinkFlow, renderer: Renderer, public_url: str) -> None:
        public = urlsplit(public_url)
        self._flow = flow
        self._renderer = renderer
        self._origin = f"{public.scheme}://{public.netloc}"
        self._base = public.path.rstrip("/")
        self._is_https = public.scheme == "https"
        # A __Host- cookie can be set by this very host over https only (RFC 6265bis, 4.1.3.2).
        self._cookie_name = "__Host-pledgekeeper" if self._is_https else "pledgekeeper"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. The callback has no HEAD: link scanners would use the code up."""
        return [
            web.get("/oauth/callback", self.callback, allow_head=False),
            web.get("/link/confirm", self.show, allow_head=False),
            web.post("/link/confirm", self.confirm),
            web.post("/link/decline", self.decline),
            web.get("/link/declined", self.declined, allow_head=False),
        ]

    async def callback(self, request: web.Request) -> web.Response:
        """Take Patreon's answer."""
        landing = await self._flow.finish_callback(
            state=_secret(request.query.get("state")),
            code=_secret(request.query.get("code")),
            error=request.query.get("error"),
        )
        if landing.cookie is None:
            can_return = landing.word is Word.USED and self._cookie(request) is not None
            return _page(self._renderer.result(landing.word, can_return=can_return), _status(landing.word))
        response = self._see("/link/confirm")
        response.set_cookie(
            self._cookie_name,
            landing.cookie.reveal(),
            max_age=COOKIE_SECONDS,
            httponly=True,
            secure=self._is_https,
            samesite="Lax",
        )
        return response

    async def show(self, request: web.Request) -> web.Response:
        """Show what this browser's link is at."""
        return self._shown(await self._flow.show(self._cookie(request)))

    async def confirm(self, request: web.Request) -> web.Response:
        """Take the answer Yes."""
        if not is_from_our_page(request.headers, self._origin):
            return _page(self._renderer.plain(REFUSED), 403)
        view = await self._flow.confirm(self._cookie(request), await _form_token(request))
        return self._see("/link/confirm") if view.word is Word.LINKED else self._shown(view)

    async def decline(self, request: web.Request) -> web.Response:
        """Take the answer No."""
        if not is_from_our_page(request.headers, self._origin):
            return _page(self._renderer.plain(REFUSED), 403)
        view = await self._flow.decline(self._cookie(request), await _form_token(request))
        if view.word is not Word.DECLINED:
            return self._see("/link/confirm") if view.word is Word.LINKED else self._shown(view)
        response = self._see("/link/declined")
        response.del_cookie(self._cookie_name, secure=self._is_https, httponly=True, samesite="Lax")
        return response

    async def declined(self, _request: web.Request) -> web.Response:
        """Say what No did; a reload of this page does nothing."""
        return _page(self._renderer.result(Word.DECLINED))

    def _shown(self, view: PageView) -> web.Response:
        return _page(self._renderer.view(view), 403 if view.is_changed else _status(view.word))

    def _see(self, path: str) -> web.Response:
        return web.Response(status=303, headers={"Location": self._base + path})

    def _cookie(self, request: web.Request) -> Secret | None:
        return _secret(request.cookies.get(self._cookie_name))


def is_from_our_page(headers: CIMultiDictProxy[str], origin: str) -> bool:
    """Tell whether a browser sent this form from our own page, as far as it says.

    Under our no-referrer policy a browser names its Origin as "null" even to the same site (Fetch, "append a request
    `Origin` header"); then Sec-Fetch-Site tells, and the form's token, which no other site can know.
    """
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    return headers.get("Origin", "null") in ("null", origin)


async def _form_token(request: web.Request) -> Secret | None:
    body = (await request.read()).decode("latin-1")
    try:
        fields = parse_qs(body, max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    return _secret(fields.get("token", [None])[0])


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _status(word: Word) -> int:
    return STATUSES.get(word, 200)


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html")
