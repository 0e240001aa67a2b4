"""A real database, a clock that stands still, and the sandbox's stage for the parts that speak with Discord."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.fakes.clock import StoppedClock
from tests.fakes.files import make_file
from tests.fakes.notifier import HeardNotifier
from tests.fakes.scene import Scene, connect, serve, set_stage
from tests.fakes.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with set_stage() as stage:
        yield stage


@pytest.fixture
async def app(stage: Stage) -> AsyncIterator[App]:
    async with serve(stage) as app:
        yield app


@pytest.fixture
async def scene(stage: Stage, app: App) -> AsyncIterator[Scene]:
    async with connect(app) as bot:
        yield Scene(stage, app, bot)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def notifier() -> HeardNotifier:
    return HeardNotifier()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    opened = await Storage.open(make_file(tmp_path / "pledgekeeper.db"), Vault((new_key(),)))
    yield opened
    await opened.close()
