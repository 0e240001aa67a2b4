"""The pages of consent: Patreon's answer arrives, the person is asked, the outcome is shown.

Knows requests, cookies and statuses; what happens is decided in `linking/consent_flow.py`. Answers of the callback
never hold what its address held.

    page                                              status
    a question, what came of it, denied, declined     200
    never ours                                        400
    an answer to another question, another site       403
    expired, used                                     410
    Yes to none of several campaigns                  422
    Patreon or Discord failed                         503
"""

from collections.abc import Iterable

from aiohttp import web

from bot.domain.addresses import CALLBACK_PATH
from bot.domain.consent import Cause, Purpose, View, Word
from bot.domain.model import CampaignId
from bot.linking.consent_flow import ConsentFlow
from bot.patreon.protocol.wire import MAX_ID_CHARACTERS
from bot.texts.pages import Refusal
from bot.web.render import Pages
from bot.web.visits import Visits, language_of, read_form, read_token, to_page, to_secret

COOKIES = {Purpose.LINK: "pledgekeeper", Purpose.CONNECT: "pledgekeeper-connect"}
DONE = (Word.LINKED, Word.CONNECTED)
STATUSES: dict[Word | Cause | None, int] = {
    Word.UNKNOWN: 400,
    Cause.OUTDATED: 403,
    Word.EXPIRED: 410,
    Word.USED: 410,
    Cause.NONE_CHOSEN: 422,
    Word.UNAVAILABLE: 503,
}


def consent_routes(flows: Iterable[ConsentFlow], *, pages: Pages, public_url: str) -> list[web.RouteDef]:
    """Return the routes of all consents. The callback has no HEAD: link scanners would use the code up."""
    kinds = [ConsentPages(flow, pages=pages, public_url=public_url) for flow in flows]

    async def callback(request: web.Request) -> web.Response:
        """Take Patreon's answer to whichever question it answers: a state serves for the one it was made for."""
        for kind in kinds:
            response = await kind.take_answer(request)
            if response is not None:
                return response
        unknown = pages.ended(Purpose.LINK, Word.UNKNOWN, None, language_of(request))
        return to_page(unknown, STATUSES[Word.UNKNOWN])

    return [
        web.get(CALLBACK_PATH, callback, allow_head=False),
        web.get(CALLBACK_PATH + "/", callback, allow_head=False),  # as some proxies write it
        *(route for kind in kinds for route in kind.routes()),
    ]


class ConsentPages:
    """The pages of one use, under its own path and with a cookie of its own."""

    def __init__(self, flow: ConsentFlow, *, pages: Pages, public_url: str) -> None:
        self._flow = flow
        self._pages = pages
        self._path = f"/{flow.purpose}"
        self._visits = Visits(public_url=public_url, cookie_name=COOKIES[flow.purpose])

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the question and its answers."""
        return [
            web.get(f"{self._path}/confirm", self.show, allow_head=False),
            web.post(f"{self._path}/confirm", self.confirm),
            web.post(f"{self._path}/decline", self.decline),
            web.get(f"{self._path}/declined", self.declined, allow_head=False),
        ]

    async def take_answer(self, request: web.Request) -> web.Response | None:
        """Take Patreon's answer; None where we never asked this question."""
        query = request.query
        landing = await self._flow.finish_callback(
            state=to_secret(query.get("state")), code=to_secret(query.get("code")), error=query.get("error")
        )
        if landing.word is Word.UNKNOWN:
            return None
        if landing.cookie is None:
            can_return = landing.word is Word.USED and self._visits.cookie(request) is not None
            language = language_of(request, landing.locale)
            page = self._pages.ended(self._flow.purpose, landing.word, landing.cause, language, can_return=can_return)
            return to_page(page, STATUSES.get(landing.word, 200))
        response = self._see("confirm")
        self._visits.give_cookie(response, landing.cookie)
        return response

    async def show(self, request: web.Request) -> web.Response:
        """Show how it stands in this browser."""
        return self._shown(request, await self._flow.show(self._visits.cookie(request)))

    async def confirm(self, request: web.Request) -> web.Response:
        """Take the answer Yes, to the campaigns that were chosen."""
        if not self._visits.is_from_our_page(request):
            return self._refused(request)
        form = await read_form(request)
        chosen = frozenset(CampaignId(one) for one in form.get("campaign", ()) if len(one) <= MAX_ID_CHARACTERS)
        view = await self._flow.confirm(self._visits.cookie(request), read_token(form), chosen)
        return self._see("confirm") if view.word in DONE else self._shown(request, view)

    async def decline(self, request: web.Request) -> web.Response:
        """Take the answer No."""
        if not self._visits.is_from_our_page(request):
            return self._refused(request)
        view = await self._flow.decline(self._visits.cookie(request), read_token(await read_form(request)))
        if view.word is not Word.DECLINED:
            return self._see("confirm") if view.word in DONE else self._shown(request, view)
        language = language_of(request, view.locale)
        response = self._see("declined" if language == language_of(request) else f"declined?locale={language.tag}")
        self._visits.take_cookie(response)
        return response

    async def declined(self, request: web.Request) -> web.Response:
        """Say what No did; a reload of this page does nothing. What it held is gone, the locale of who asked too."""
        return self._shown(request, View(word=Word.DECLINED, locale=request.query.get("locale", "en")))

    def _see(self, page: str) -> web.Response:
        return self._visits.see(f"{self._path}/{page}")

    def _shown(self, request: web.Request, view: View) -> web.Response:
        page = self._pages.view(self._flow.purpose, view, language_of(request, view.locale))
        return to_page(page, STATUSES.get(view.cause) or STATUSES.get(view.word, 200))

    def _refused(self, request: web.Request) -> web.Response:
        return to_page(self._pages.refused(Refusal.REFUSED, language_of(request)), 403)
