"""One Chromium for all tests of a module, instead of one for each.

A browser belongs to the event loop that started it: mark the module with ONE_LOOP and import these fixtures, so that
its tests and whatever they use run in the module's loop.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from sandbox.main import Options, Sandbox
from tests.fakes.chromium import running_chromium
from tests.sandbox.page.conftest import SmallBot, running_small_bot

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(Options(with_bot=False)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def small_bot(sandbox: Sandbox) -> AsyncIterator[SmallBot]:
    async with running_small_bot(sandbox) as bot:
        yield bot
