"""Asks whether the bot's web side is where PUBLIC_URL says, and shows no more there than it should."""

import json

import aiohttp

from bot.domain.addresses import is_loopback
from bot.ops.check.findings import Finding, note, ok, wrong
from bot.settings import Settings

PUBLIC_URL = "PUBLIC_URL"
METRICS = "METRICS_TOKEN"
METRIC = b"pledgekeeper_"  # how the names of ours begin


async def ask_public_url(settings: Settings, session: aiohttp.ClientSession, *, is_bot_running: bool) -> Finding:
    """Ask the bot how it is, by the way that people's browsers take."""
    where = f"{settings.web_host}:{settings.web_port}"
    try:
        async with session.get(f"{settings.public_url}/healthz", allow_redirects=False) as answer:
            parts = _failing_parts(await answer.text())
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        if is_bot_running:
            cure = f"lead it to {where}: DNS, firewall, reverse proxy"
            return wrong(PUBLIC_URL, "the bot runs, and does not answer there", cure)
        return note(PUBLIC_URL, "nobody answers there; the bot is not running", "start it, then check again")
    if parts is None:
        return wrong(PUBLIC_URL, "something else than this bot answers there", f"lead it to {where}")
    if parts:
        return wrong(PUBLIC_URL, f"the bot answers, but this fails: {', '.join(parts)}", "its log says why")
    if not settings.is_https and not is_loopback(settings.public_url):
        cure = "put a reverse proxy with a certificate in front"
        return note(PUBLIC_URL, "the bot answers, without TLS: who listens can act for a patron", cure)
    return ok(PUBLIC_URL, "the bot answers there and is well")


async def ask_metrics(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    """Report metrics that the world may read: the bot takes a proxy that does not show itself for this machine."""
    if settings.metrics_token is not None or is_loopback(settings.public_url):
        return []
    try:
        async with session.get(f"{settings.public_url}/metrics", allow_redirects=False) as answer:
            is_open = answer.status == 200 and METRIC in await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return []
    cure = "set it, or let the reverse proxy keep /metrics to itself"
    return [wrong(METRICS, "not set, and /metrics can be read by anybody at PUBLIC_URL", cure)] if is_open else []


def _failing_parts(body: str) -> list[str] | None:
    """Name the parts that do not work; None where this is no health report of ours."""
    try:
        parts = json.loads(body)["parts"]
        return [str(name) for name, part in parts.items() if not part["ok"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
