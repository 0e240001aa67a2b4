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

from aiohttp import web

from bot.domain.addresses import CALLBACK_PATH
from bot.linking.flow import LinkFlow
from bot.linking.outcome import PageView, Word
from bot.web.connect import ConnectPages
from bot.web.render import REFUSED, Renderer
from bot.web.visits import Visits, read_form, read_token, status_of, to_page, to_secret


class ConsentPages:
    """The handlers under /oauth and /link."""

    def __init__(self, *, flow: LinkFlow, connect: ConnectPages, renderer: Renderer, public_url: str) -> None:
        self._flow = flow
        self._connect = connect
        self._renderer = renderer
        self._visits = Visits(public_url=public_url, cookie_name="pledgekeeper")

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. The callback has no HEAD: link scanners would use the code up."""
        return [
            web.get(CALLBACK_PATH, self.callback, allow_head=False),
            web.get(CALLBACK_PATH + "/", self.callback, allow_head=False),  # as some proxies write it
            web.get("/link/confirm", self.show, allow_head=False),
            web.post("/link/confirm", self.confirm),
            web.post("/link/decline", self.decline),
            web.get("/link/declined", self.declined, allow_head=False),
        ]

    async def callback(self, request: web.Request) -> web.Response:
        """Take Patreon's answer to whichever question it answers: a state serves for the one it was made for."""
        query = request.query
        state, code, error = to_secret(query.get("state")), to_secret(query.get("code")), query.get("error")
        landing = await self._flow.finish_callback(state=state, code=code, error=error)
        if landing.word is Word.UNKNOWN:
            connecting = await self._connect.callback(state=state, code=code, error=error)
            if connecting is not None:
                return connecting
        if landing.cookie is None:
            can_return = landing.word is Word.USED and self._visits.cookie(request) is not None
            page = self._renderer.result(landing.word, landing.cause, can_return=can_return)
            return to_page(page, status_of(landing.word))
        response = self._visits.see("/link/confirm")
        self._visits.give_cookie(response, landing.cookie)
        return response

    async def show(self, request: web.Request) -> web.Response:
        """Show what this browser's link is at."""
        return self._shown(await self._flow.show(self._visits.cookie(request)))

    async def confirm(self, request: web.Request) -> web.Response:
        """Take the answer Yes."""
        if not self._visits.is_from_our_page(request):
            return to_page(self._renderer.plain(REFUSED), 403)
        view = await self._flow.confirm(self._visits.cookie(request), read_token(await read_form(request)))
        return self._visits.see("/link/confirm") if view.word is Word.LINKED else self._shown(view)

    async def decline(self, request: web.Request) -> web.Response:
        """Take the answer No."""
        if not self._visits.is_from_our_page(request):
            return to_page(self._renderer.plain(REFUSED), 403)
        view = await self._flow.decline(self._visits.cookie(request), read_token(await read_form(request)))
        if view.word is not Word.DECLINED:
            return self._visits.see("/link/confirm") if view.word is Word.LINKED else self._shown(view)
        response = self._visits.see("/link/declined")
        self._visits.take_cookie(response)
        return response

    async def declined(self, _request: web.Request) -> web.Response:
        """Say what No did; a reload of this page does nothing."""
        return to_page(self._renderer.result(Word.DECLINED))

    def _shown(self, view: PageView) -> web.Response:
        return to_page(self._renderer.view(view), 403 if view.is_changed else status_of(view.word))
