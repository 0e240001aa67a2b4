"""The two stand-ins as a pytest fixture, for the tests of any bot.

    pytest_plugins = ["sandbox.testing"]          # in conftest.py

    async def test_a_patron_gets_the_role(stand_ins):
        bot = MyBot(token=stand_ins.world.discord.bot_token, api=stand_ins.discord.url, patreon=stand_ins.patreon.url)
        ...
        stand_ins.patreon.decline(patron_id)

Everything is on free ports of 127.0.0.1 and gone after the test. Needs pytest-asyncio; `Sandbox` alone does not.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.main import Options, Sandbox

__all__ = ["Options", "Sandbox", "stand_in_options", "stand_ins"]


@pytest.fixture
def stand_in_options() -> Options:
    """How the stand-ins start; a test module overrides this for another world, seed or redirect URI."""
    return Options(with_bot=False)


@pytest_asyncio.fixture
async def stand_ins(stand_in_options: Options) -> AsyncIterator[Sandbox]:
    """A stand-in Discord and a stand-in Patreon, with a world between them."""
    async with Sandbox(stand_in_options) as running:
        yield running
