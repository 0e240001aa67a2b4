"""The browser of the tests: where it is, how it starts, and when a test may do without."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MUST_RUN = "PLEDGEKEEPER_NEEDS_CHROMIUM" in os.environ
needs_chromium = pytest.mark.skipif(CHROMIUM is None and not MUST_RUN, reason="there is no Chromium on this machine")

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing beyond this machine
]

expect.set_options(timeout=15_000)  # milliseconds: a busy machine draws late


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """Start Chromium, and end it afterwards."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            await browser.close()
