"""`GET /metrics` for Prometheus.

| METRICS_TOKEN | answered                                                                                        |
|---------------|-------------------------------------------------------------------------------------------------|
| set           | whoever shows it as `Authorization: Bearer …`, from anywhere; all others get 401                |
| not set       | this machine itself, asked by one of its own names; all others, and what a proxy brings, get 403 |
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import HttpVersion11, web

from bot.domain.addresses import is_loopback
from bot.domain.model import Secret
from bot.web.bearer import bearer_of

FORWARDED = ("Forwarded", "Via", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP")
FORWARDED_PREFIX = "x-forwarded-"


def metrics_routes(
    render: Callable[[], Awaitable[bytes]], *, token: Secret | None, content_type: str
) -> list[web.RouteDef]:
    """Return the route; `render` is called for those who may see its text."""

    async def metrics(request: web.Request) -> web.Response:
        if token is not None and not _is_same(bearer_of(request), token):
            return web.Response(status=401, text="a token is needed\n", headers={"WWW-Authenticate": "Bearer"})
        if token is None and not _is_from_here(request):
            return web.Response(status=403, text="only this machine may ask; set METRICS_TOKEN for others\n")
        return web.Response(body=await render(), headers={"Content-Type": content_type})

    return [web.get("/metrics", metrics, allow_head=False)]


def _is_same(shown: str, token: Secret) -> bool:
    # What is no text at all (a header's stray bytes) must not raise: it is just wrong.
    return hmac.compare_digest(shown.encode(errors="replace"), token.reveal().encode())


def _is_from_here(request: web.Request) -> bool:
    """Tell whether a process of this machine asks for itself: no proxy, and no page in a browser under another name."""
    if _is_forwarded(request) or not _is_loopback_peer(request.remote or ""):
        return False
    try:
        return is_loopback(f"http://{request.host}")
    except ValueError:
        return False


def _is_forwarded(request: web.Request) -> bool:
    """Tell whether a proxy shows itself; nginx as it comes may do so by HTTP/1.0 alone (its proxy_http_version)."""
    if request.version < HttpVersion11 or any(name in request.headers for name in FORWARDED):
        return True
    return any(name.lower().startswith(FORWARDED_PREFIX) for name in request.headers)


def _is_loopback_peer(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1, where the server listens on both protocols
    return (mapped or address).is_loopback
