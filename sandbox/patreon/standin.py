"""The stand-in as a whole: one server on 127.0.0.1 in front of the state, the acts, and a log of all calls."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import orjson
from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.clock import SandboxClock
from sandbox.patreon.api_v1 import ApiV1
from sandbox.patreon.api_v2 import ApiV2
from sandbox.patreon.consent import Consent
from sandbox.patreon.errors import ApiError, forbidden, not_served
from sandbox.patreon.faults import FAULTS, Door, Handler
from sandbox.patreon.gate import Gate
from sandbox.patreon.model import Member, Webhook
from sandbox.patreon.money_acts import MoneyActs
from sandbox.patreon.oauth_http import OAuthHttp
from sandbox.patreon.payloads import write_body, write_test_body
from sandbox.patreon.query import asked_rows
from sandbox.patreon.ratelimits import Limits
from sandbox.patreon.state import PatreonState
from sandbox.patreon.webhook_api import WebhookApi
from sandbox.patreon.webhooks import Deliveries
from sandbox.peers import peer_of
from sandbox.weather import Weather

SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in. `route` is a template: "GET /api/oauth2/v2/campaigns/{campaign_id}".

    `rows` is how many it asks for on a page, where it names a number.
    """

    at: datetime
    method: str
    path: str
    route: str
    status: int
    user_agent: str
    rows: int | None = None
    pid: int | None = None  # of the process that asked, where it is on this machine


class PatreonStandIn(MoneyActs):
    """A Patreon over real sockets, in which people act by the methods of Acts and MoneyActs."""

    def __init__(self, state: PatreonState, *, clock: SandboxClock, weather: Weather) -> None:
        super().__init__(state)
        self.calls: list[Call] = []
        self._call_watchers: list[Callable[[Call], None]] = []
        self.limits = Limits()
        self.deliveries = Deliveries(clock, weather)
        self.url = ""
        self.spoil: Callable[[str, bytes], bytes] | None = None  # changes what is answered at a path, where it is set
        self._clock = clock
        self._weather = weather
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        state.on_standing(self._announce)
        weather.learn("patreon", FAULTS)

    async def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; `url` says where."""
        self._closing.clear()
        self._runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        self.deliveries.start()

    def let_go(self) -> None:
        """Leave nobody hanging any more: those who wait for an answer that doesn't come hear that there is none."""
        self._closing.set()

    async def stop(self) -> None:
        """Close the server and end every task."""
        self.let_go()
        await self.deliveries.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback()` after each change of what people see."""
        self.state.on_change(callback)

    def on_call(self, watcher: Callable[[Call], None]) -> None:
        """Call `watcher(call)` after each request."""
        self._call_watchers.append(watcher)

    def _note(self, call: Call) -> None:
        self.calls.append(call)
        for watcher in self._call_watchers:
            watcher(call)

    def _announce(self, member: Member, triggers: Sequence[str]) -> None:
        """Put the webhooks of a change on their way; each body says what holds now."""
        for webhook in self.state.webhooks.values():
            if webhook.campaign is member.campaign:
                for trigger in triggers:
                    if trigger in webhook.triggers:
                        self.deliveries.send(webhook, trigger, write_body(webhook, trigger, member, self.url))

    def send_test(self, webhook: Webhook, trigger: str = "members:update") -> None:
        """Press "Send test" in the portal: it is signed as all others are, and about nobody."""
        self.deliveries.send(webhook, trigger, write_test_body(trigger))

    def _application(self) -> web.Application:
        gate = Gate(self.state.oauth, self.limits)
        door = Door(self._weather, self._closing)
        application = web.Application(
            middlewares=[_middleware(step) for step in (self._log, self._say_no, door.pass_through, self._guard)]
        )
        state = self.state
        parts = (Consent(state), OAuthHttp(state), ApiV1(state, gate), ApiV2(state, gate))
        for part in (*parts, WebhookApi(state, gate, self.deliveries)):
            application.add_routes(part.routes())
        return application

    async def _log(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note every call, and sign every answer as Patreon does."""
        self.state.catch_up(self._clock.now())
        status = 0
        pid = peer_of(request).pid
        try:
            response = await handler(request)
            status = response.status
            if 400 <= status < 500:
                self.limits.note_refusal()
            response.headers["x-patreon-uuid"] = str(uuid4())
        finally:
            resource = request.match_info.route.resource
            template = resource.canonical if resource is not None else request.path
            agent = request.headers.get("User-Agent", "")
            route = f"{request.method} {template}"
            rows = asked_rows(request)
            self._note(Call(self._clock.now(), request.method, request.path, route, status, agent, rows, pid))
        return response

    async def _say_no(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn refusals into JSON:API errors. What is not served at all says so with 501, never with a lie."""
        try:
            try:
                return self._spoilt(request, await handler(request))
            except web.HTTPNotFound:
                raise not_served(request.path) from None
            except web.HTTPMethodNotAllowed:
                raise ApiError(405, "MethodNotAllowed", f"{request.method} is not allowed here.") from None
        except ApiError as error:
            headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return web.Response(
                body=orjson.dumps(error.body),
                status=error.status,
                content_type="application/vnd.api+json",
                headers=headers,
            )

    def _spoilt(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Let whoever tries odd documents change the bytes on their way."""
        if self.spoil is not None and isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.body = self.spoil(request.path, response.body)
        return response

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse who is blocked, and who has no User-Agent (Patreon docs, introduction)."""
        if self.limits.is_blocked():
            return web.Response(status=429)
        if not request.headers.get("User-Agent"):
            raise forbidden("A User-Agent header is required.")
        return await handler(request)


def _middleware(step: Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await step(request, handler)

    return middleware
