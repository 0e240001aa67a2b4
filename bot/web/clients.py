"""Gives each request its client's address where a reverse proxy is in between: `request.remote` is whose it is.

Knows which headers tell it; whom to believe is decided in `bot/domain/forwarding.py`.
"""

from collections.abc import Sequence

from aiohttp import web

from bot.domain.forwarding import Network, find_client


def with_client(request: web.BaseRequest, proxies: Sequence[Network]) -> web.BaseRequest:
    """Return the request as its client sent it; `proxies` are the operator's own."""
    peer = request.remote
    if not proxies or not peer:
        return request
    added = [hop for line in request.headers.getall("X-Forwarded-For", ()) for hop in line.split(",")]
    told = [hop.get("for", "") for hop in request.forwarded]
    client = find_client(peer, (added, told), proxies)
    return request if client == peer else request.clone(remote=client)
