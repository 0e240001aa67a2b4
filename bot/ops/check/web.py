"""Asks whether the bot's web side is where PUBLIC_URL says, and shows no more there than it should."""

import json

import aiohttp

from bot.domain.addresses import is_loopback
from bot.domain.findings import Finding, Found, note, ok, wrong
from bot.settings import Settings

METRIC = b"pledgekeeper_"  # how the names of ours begin


async def ask_public_url(settings: Settings, session: aiohttp.ClientSession, *, is_bot_running: bool) -> Finding:
    """Ask the bot how it is, by the way that people's browsers take."""
    where = f"{settings.web_host}:{settings.web_port}"
    try:
        async with session.get(f"{settings.public_url}/healthz", allow_redirects=False) as answer:
            parts = _failing_parts(await answer.text())
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        return wrong(Found.PUBLIC_URL_UNREACHED, where=where) if is_bot_running else note(Found.BOT_NOT_RUNNING)
    if parts is None:
        return wrong(Found.PUBLIC_URL_FOREIGN, where=where)
    if parts:
        return wrong(Found.PARTS_FAILING, parts=tuple(parts))
    if not settings.is_https and not is_loopback(settings.public_url):
        return note(Found.PUBLIC_URL_UNENCRYPTED)
    return ok(Found.PUBLIC_URL_WORKS)


async def ask_metrics(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    """Report metrics that the world may read: the bot takes a proxy that does not show itself for this machine."""
    if settings.metrics_token is not None or is_loopback(settings.public_url):
        return []
    try:
        async with session.get(f"{settings.public_url}/metrics", allow_redirects=False) as answer:
            is_open = answer.status == 200 and METRIC in await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return []
    return [wrong(Found.METRICS_OPEN)] if is_open else []


def _failing_parts(body: str) -> list[str] | None:
    """Name the parts that do not work; None where this is no health report of ours."""
    try:
        parts = json.loads(body)["parts"]
        return [str(name) for name, part in parts.items() if not part["ok"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
