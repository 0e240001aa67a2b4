"""The sandbox's stage for the parts of the bot that speak with Discord."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.services import Services
from sandbox.main import Options
from tests.fakes.scene import Scene, connect, serve
from tests.fakes.stage import Stage


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give discord.py its own addresses back after the test."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


@pytest.fixture
async def stage(library: None) -> AsyncIterator[Stage]:
    async with Stage(Options(with_bot=False, interval=3600)) as stage:
        yield stage


@pytest.fixture
async def services(stage: Stage) -> AsyncIterator[Services]:
    async with serve(stage) as services:
        yield services


@pytest.fixture
async def scene(stage: Stage, services: Services) -> AsyncIterator[Scene]:
    async with connect(services) as bot:
        yield Scene(stage, services, bot)
