"""Asks whether the bot's web side is where PUBLIC_URL says."""

import json

import aiohttp

from bot.addresses import is_loopback
from bot.check.findings import Finding, note, ok, wrong
from bot.settings import Settings

PUBLIC_URL = "PUBLIC_URL"


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


def _failing_parts(body: str) -> list[str] | None:
    """Name the parts that do not work; None where this is no health report of ours."""
    try:
        parts = json.loads(body)["parts"]
        return [str(name) for name, part in parts.items() if not part["ok"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
