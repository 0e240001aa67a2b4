"""The consent page: who asks for what, who is signed in, allow or deny.

Whoever plays chooses who is signed in, for there are no passwords here. A client that is not registered gets a page;
a redirect URI that is not gets Patreon's own page of errors (sheezy-hub #371), or the same as JSON, with 200
(botc-release #367); every other mistake goes back to the client as RFC 6749 has it.
"""

from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape
from yarl import URL

from sandbox.patreon.errors import not_served
from sandbox.patreon.faults import CONSENT_PATH, Handler, fault_of
from sandbox.patreon.model import Client, Creator, Person
from sandbox.patreon.oauth import DEFAULT_V1_SCOPES, known_scopes
from sandbox.patreon.state import PatreonState

ERRORS_PATH = "/oauth2/errors"
LOGIN_PATH = "/login"
MISMATCH = {"error": "invalid_request", "error_description": "Mismatching redirect URI."}
JOIN_PATH = "/oauth2/become-patron"
# A campaign may have 100,000 patrons: a longer list is searched by name.
MOST_PEOPLE_LISTED = 300


class Refused(Exception):
    """The page cannot be shown; the message says why, to the person."""


class Mismatched(Exception):
    """The redirect URI is none of the client's: nobody is sent there."""


class SentBack(Exception):
    """The mistake is told to the client, at its redirect URI."""


class Consent:
    """The handlers of the consent page."""

    def __init__(self, state: PatreonState) -> None:
        self._state = state
        folder = FileSystemLoader(Path(__file__).parent / "pages")
        self._pages = Environment(loader=folder, autoescape=select_autoescape(), trim_blocks=True)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        return [
            web.get(CONSENT_PATH, self._told(self.show)),
            web.post(CONSENT_PATH, self._told(self.decide)),
            web.get(JOIN_PATH, self.join),
            web.get(ERRORS_PATH, self.errors),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the page."""
        client, scopes = self._asked(request)
        found = request.query.get("find", "")
        return self._page(
            "consent.html",
            200,
            client=client,
            scopes=[known_scopes(client)[scope] for scope in scopes],
            people=self._people(found),
            found=found,
            more=len(self._state.people) > MOST_PEOPLE_LISTED,
            query=[(key, value) for key, value in request.query.items() if key != "find"],
            action=request.rel_url,
        )

    async def decide(self, request: web.Request) -> web.Response:
        """Take the answer: back to the client with a code, or with access_denied."""
        client, scopes = self._asked(request)
        form = await request.post()
        answer = form.get("answer")
        if answer == "deny":
            return _redirect(request, error="access_denied")
        person = self._state.people.get(str(form.get("user", "")))
        if answer != "allow" or person is None:
            raise Refused("Choose who is signed in, then allow or deny.")
        code = self._state.oauth.consent(client, person, frozenset(scopes), request.query["redirect_uri"])
        return _redirect(request, code=code)

    async def errors(self, request: web.Request) -> web.Response:
        """Show Patreon's own page of errors."""
        return self._page("refused.html", 400, reason=request.query.get("error_description", ""))

    async def join(self, _request: web.Request) -> web.Response:
        """The "unified flow" that lets people pledge and consent in one go."""
        raise not_served("/oauth2/become-patron")

    def _told(self, handle: Handler) -> Handler:
        """Wrap a handler, so that its mistakes reach whom they concern."""

        async def handler(request: web.Request) -> web.StreamResponse:
            try:
                return _struck(request) or await handle(request)
            except Refused as refused:
                return self._page("refused.html", 400, reason=str(refused))
            except Mismatched:
                return _to_errors(request)
            except SentBack as mistake:
                return _redirect(request, error=str(mistake))

        return handler

    def _asked(self, request: web.Request) -> tuple[Client, tuple[str, ...]]:
        """Return who asks, for which scopes."""
        query = request.query
        client = self._state.clients.get(query.get("client_id", ""))
        if client is None:
            raise Refused("No client has this client_id.")
        if query.get("redirect_uri") not in client.redirect_uris:
            raise Mismatched
        if query.get("response_type") != "code":
            raise SentBack("unsupported_response_type")
        scopes = tuple(query.get("scope", "").split())
        if not scopes and client.api_version == 1:
            scopes = DEFAULT_V1_SCOPES
        if not scopes or not known_scopes(client).keys() >= set(scopes):
            raise SentBack("invalid_scope")
        return client, scopes

    def _people(self, found: str) -> list[Person]:
        """Return who may be signed in: patrons first, creators always among them."""
        wanted = found.casefold()
        people = [p for p in self._state.people.values() if wanted in p.full_name.casefold()]
        creators = [person for person in people if isinstance(person, Creator)]
        patrons = [person for person in people if not isinstance(person, Creator)]
        return patrons[: MOST_PEOPLE_LISTED - len(creators)] + creators

    def _page(self, name: str, status: int, **values: object) -> web.Response:
        text = self._pages.get_template(name).render(**values)
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _struck(request: web.Request) -> web.Response | None:
    """Answer as the weather has it."""
    match fault_of(request):
        case "login_first":
            return web.Response(status=302, headers={"Location": str(URL(LOGIN_PATH) % {"ru": request.path_qs})})
        case "error_page":
            return _to_errors(request)
        case "error_json":
            return web.json_response(MISMATCH)
        case "sent_back":
            return _redirect(request, error="invalid_scope")
        case _:
            return None


def _to_errors(request: web.Request) -> web.Response:
    """Send the browser to Patreon's own page of errors, whose address says what is wrong."""
    state = {"state": request.query["state"]} if "state" in request.query else {}
    return web.Response(status=302, headers={"Location": str(URL(ERRORS_PATH) % {**MISMATCH, **state})})


def _redirect(request: web.Request, **answer: str) -> web.Response:
    """Send the browser back to the client, the state unchanged."""
    target = URL(request.query["redirect_uri"]).update_query(answer)
    if "state" in request.query:
        target = target.update_query({"state": request.query["state"]})
    return web.Response(status=302, headers={"Location": str(target), "Referrer-Policy": "no-referrer"})
