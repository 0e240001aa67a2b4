"""`GET /healthz`: 200 when every part of the bot works, 503 otherwise. Public, so it names no cause.

Its notes are words of `health.Note`; they alone leave 200.
"""

import msgspec
from aiohttp import web

from bot.runtime.health import HealthBoard


def health_routes(board: HealthBoard) -> list[web.RouteDef]:
    """Return the route of the health report."""

    async def healthz(_request: web.Request) -> web.Response:
        board.ok("web")  # this answer is the proof
        report = board.report()
        return web.Response(
            status=200 if report.is_ok else 503, body=msgspec.json.encode(report), content_type="application/json"
        )

    return [web.get("/healthz", healthz)]
