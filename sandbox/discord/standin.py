"""The stand-in Discord: puts the REST API and the gateway on a socket of 127.0.0.1."""

import asyncio
import contextlib
from functools import partial

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.discord.connection import Connection
from sandbox.discord.files import PATH as FILES
from sandbox.discord.gateway import CUTS, MALFORMED, SILENT
from sandbox.discord.lasting import LASTING, LastingFaults
from sandbox.discord.people import People
from sandbox.discord.rest import channels, commands, guilds, interactions, members, roles, users
from sandbox.discord.rest.call import Route
from sandbox.discord.rest.channels import CLOSED_DMS
from sandbox.discord.rest.front import BASE, REST_FAULTS, Front, serve_the_rest
from sandbox.discord.state import DiscordState
from sandbox.weather import Weather

RESOURCES = (users, commands, members, roles, guilds, channels, interactions)
ROUTES: list[Route] = [route for resource in RESOURCES for route in resource.ROUTES]
FAULTS = REST_FAULTS | MALFORMED | SILENT | CUTS | CLOSED_DMS | LASTING
"""All that the weather can do here."""
WORDS_NOT_IDS = ("/channels/{c}/messages/pins",)
"""Not served, and to be told from a served route with an id in that place."""
STRIKE_SECONDS = 0.05
SHUTDOWN_SECONDS = 0.5
MAX_UPLOAD_BYTES = 10 * 1024 * 1024


class DiscordStandIn(People):
    """Discord as a bot sees it, with the acts of people."""

    def __init__(self, state: DiscordState, *, clock: SandboxClock, weather: Weather) -> None:
        super().__init__(state, clock=clock, weather=weather)
        weather.learn("discord", FAULTS)
        self.lasting = LastingFaults(state, self.changes, weather)
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._striker: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; `url` is the base of the REST API afterwards."""
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        bound = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{bound}{BASE}"
        self.files.url = f"http://127.0.0.1:{bound}"
        self.gateway.url = f"ws://127.0.0.1:{bound}/gateway"
        self._striker = asyncio.create_task(self._watch_the_weather())

    async def stop(self) -> None:
        """Cut everyone off and leave no task and no socket."""
        if self._striker is not None:
            self._striker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._striker
        self.interactions.close()
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_UPLOAD_BYTES)
        app.router.add_get("/gateway", self._serve_gateway, allow_head=False)
        app.router.add_get("/gateway/", self._serve_gateway, allow_head=False)
        app.router.add_get(FILES, self.files.serve)
        for path in WORDS_NOT_IDS:
            app.router.add_route("*", BASE + path, partial(serve_the_rest, self))
        for route in ROUTES:
            app.router.add_route(route.method, BASE + route.template, Front(self, route).serve)
        app.router.add_route("*", "/{tail:.*}", partial(serve_the_rest, self))
        return app

    async def _serve_gateway(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self.gateway.sockets.add(socket)
        try:
            await Connection(self.gateway, socket, request).run()
        finally:
            self.gateway.sockets.discard(socket)
        return socket

    async def _watch_the_weather(self) -> None:
        while True:
            await asyncio.sleep(STRIKE_SECONDS)
            self.gateway.strike()
