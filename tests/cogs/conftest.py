"""Commands are typed in the sandbox, and answered by the bot in this process."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from sandbox.main import Options
from tests.fakes.scene import Scene, connect, serve
from tests.fakes.stage import Stage


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give discord.py its own addresses back after the test."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


@pytest.fixture
async def scene(library: None) -> AsyncIterator[Scene]:
    async with (
        Stage(Options(with_bot=False, interval=3600)) as stage,
        serve(stage) as services,
        connect(services) as bot,
    ):
        await services.rounds.run(trigger="test")
        yield Scene(stage, services, bot)
