"""The pages of connecting: a creator is asked whether a server may read their campaign, and sees what came of it.

Knows requests and statuses; what happens is decided in `linking/connect.py`.

    page                                            status
    a question, connected, denied, declined         200
    never ours                                      400
    an answer to another question, another site     403
    expired, used                                   410
    Yes to none of several campaigns                422
    Patreon failed                                  503
"""

from aiohttp import web

from bot.domain.model import CampaignId, Secret
from bot.linking.connect import ConnectFlow
from bot.linking.connection import ConnectView
from bot.linking.outcome import Landing, Word
from bot.patreon.protocol.wire import MAX_ID_CHARACTERS
from bot.web.render import REFUSED, Renderer
from bot.web.visits import Visits, read_form, read_token, status_of, to_page


class ConnectPages:
    """The handlers under /connect."""

    def __init__(self, *, flow: ConnectFlow, renderer: Renderer, public_url: str) -> None:
        self._flow = flow
        self._renderer = renderer
        self._visits = Visits(public_url=public_url, cookie_name="pledgekeeper-connect")

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; Patreon's answer comes to the callback of all questions."""
        return [
            web.get("/connect/confirm", self.show, allow_head=False),
            web.post("/connect/confirm", self.confirm),
            web.post("/connect/decline", self.decline),
            web.get("/connect/declined", self.declined, allow_head=False),
        ]

    async def callback(self, *, state: Secret | None, code: Secret | None, error: str | None) -> web.Response | None:
        """Take Patreon's answer; None where we never asked this question."""
        landing = await self._flow.finish_callback(state=state, code=code, error=error)
        if landing.word is Word.UNKNOWN:
            return None
        if landing.cookie is None:
            return self._landed(landing)
        response = self._visits.see("/connect/confirm")
        self._visits.give_cookie(response, landing.cookie)
        return response

    async def show(self, request: web.Request) -> web.Response:
        """Show what this browser's question is at."""
        return self._shown(await self._flow.show(self._visits.cookie(request)))

    async def confirm(self, request: web.Request) -> web.Response:
        """Take the answer Yes, to the campaigns that were chosen."""
        if not self._visits.is_from_our_page(request):
            return to_page(self._renderer.plain(REFUSED), 403)
        form = await read_form(request)
        chosen = frozenset(CampaignId(one) for one in form.get("campaign", ()) if len(one) <= MAX_ID_CHARACTERS)
        view = await self._flow.confirm(self._visits.cookie(request), read_token(form), chosen)
        return self._visits.see("/connect/confirm") if view.word is Word.CONNECTED else self._shown(view)

    async def decline(self, request: web.Request) -> web.Response:
        """Take the answer No."""
        if not self._visits.is_from_our_page(request):
            return to_page(self._renderer.plain(REFUSED), 403)
        view = await self._flow.decline(self._visits.cookie(request), read_token(await read_form(request)))
        if view.word is not Word.DECLINED:
            return self._visits.see("/connect/confirm") if view.word is Word.CONNECTED else self._shown(view)
        response = self._visits.see("/connect/declined")
        self._visits.take_cookie(response)
        return response

    async def declined(self, _request: web.Request) -> web.Response:
        """Say what No did; a reload of this page does nothing."""
        return self._landed(Landing(word=Word.DECLINED))

    def _landed(self, landing: Landing) -> web.Response:
        page = self._renderer.connect_result(landing.word, landing.cause)
        return to_page(page, status_of(landing.word))

    def _shown(self, view: ConnectView) -> web.Response:
        if view.is_changed or view.is_unchosen:
            return to_page(self._renderer.connect(view), 403 if view.is_changed else 422)
        return to_page(self._renderer.connect(view), status_of(view.word))
