"""Commands are typed in the sandbox, and answered by the bot in this process."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.changes import Trigger
from tests.fakes.scene import Scene, connect, serve, set_stage


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the whole answer to a button, however busy the machine is; who tests the first one waits less."""
    monkeypatch.setattr("bot.discord.replies.MOMENT_SECONDS", 8.0)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A connected bot that has read its campaign once."""
    async with set_stage() as stage, serve(stage) as app, connect(app) as bot:
        await app.rounds.run(trigger=Trigger.SYNC)
        yield Scene(stage, app, bot)
