"""The sandbox's stage for the parts of the bot that speak with Discord."""

from collections.abc import AsyncIterator

import pytest

from bot.services import Services
from tests.fakes.scene import Scene, connect, serve, set_stage
from tests.fakes.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with set_stage() as stage:
        yield stage


@pytest.fixture
async def services(stage: Stage) -> AsyncIterator[Services]:
    async with serve(stage) as services:
        yield services


@pytest.fixture
async def scene(stage: Stage, services: Services) -> AsyncIterator[Scene]:
    async with connect(services) as bot:
        yield Scene(stage, services, bot)
