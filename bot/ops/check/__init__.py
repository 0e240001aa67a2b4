"""`python run.py check`: every setting tested for real, with what to do about each that is wrong.

Safe beside a running bot: it holds no lock, changes no table, opens no gateway session and refreshes no token.
"""

import asyncio

import aiohttp
from rich.console import Console

from bot.domain.findings import Finding
from bot.ops.check.database import inspect_database
from bot.ops.check.discord import ask_discord
from bot.ops.check.files import inspect_files
from bot.ops.check.patreon import ask_patreon
from bot.ops.check.table import print_findings
from bot.ops.check.web import ask_metrics, ask_public_url
from bot.settings import USER_AGENT, Settings

TIMEOUT = aiohttp.ClientTimeout(total=15)


async def run_check(settings: Settings, console: Console | None = None) -> int:
    """Test everything, print the table, and return the exit code: 0 where nothing is wrong."""
    findings = await find_all(settings)
    print_findings(findings, console or Console())
    return 0 if all(finding.is_fine for finding in findings) else 1


async def find_all(settings: Settings) -> list[Finding]:
    """Test everything."""
    database = await inspect_database(settings)
    headers = {"User-Agent": USER_AGENT}
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as session:
        about_discord, about_patreon, about_web, about_metrics = await asyncio.gather(
            ask_discord(settings, session, database.rules),
            ask_patreon(settings, session, database.creator),
            ask_public_url(settings, session, is_bot_running=database.is_bot_running),
            ask_metrics(settings, session),
        )
    return [*about_discord, *about_patreon, *database.findings, about_web, *about_metrics, *inspect_files(settings)]
