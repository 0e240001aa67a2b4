"""The token that a program shows with its request (RFC 6750, 2.1)."""

from aiohttp import web


def bearer_of(request: web.Request) -> str:
    """Return what is shown as `Authorization: Bearer …`; "" where nothing is."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""
