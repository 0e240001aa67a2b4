"""The page's HTTP server: binds it, guards it, and turns refusals into answers."""

from aiohttp import web

from sandbox.discord import ActionError as DiscordActionError
from sandbox.page import discord_acts, patreon_acts, scripts, view
from sandbox.page.body import Refused
from sandbox.page.guard import Handler, add_headers, guard
from sandbox.page.parts import PARTS, Parts
from sandbox.page.reply import refuse
from sandbox.patreon import ActionError as PatreonActionError

SHUTDOWN_SECONDS = 1.0
LARGEST_BODY = 1 << 20


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what cannot be done into an answer that says why."""
    try:
        return await handler(request)
    except (Refused, DiscordActionError, PatreonActionError) as reason:
        return refuse(request, str(reason))


def build_app(parts: Parts) -> web.Application:
    """Build the page's application."""
    app = web.Application(middlewares=[guard, answer_refusals], client_max_size=LARGEST_BODY)
    app[PARTS] = parts
    for module in (scripts, discord_acts, patreon_acts, view):
        app.add_routes(module.routes)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    return app


async def _end_streams(app: web.Application) -> None:
    app[PARTS].live.close()


class PageServer:
    """The running server."""

    def __init__(self, parts: Parts) -> None:
        self._runner = web.AppRunner(build_app(parts), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self.port = 0

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int) -> None:
        """Listen on 127.0.0.1; port 0 lets the system choose."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection."""
        await self._runner.cleanup()
