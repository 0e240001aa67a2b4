"""The world of the link flow; a bot that has read its campaign, and one whose clock leaps."""

import pytest

from bot.domain.changes import Trigger
from tests.bot.linking.world import api, world
from tests.bot.sync.leaps import leaping, town
from tests.fakes.scene import Scene

__all__ = ["api", "leaping", "town", "world"]


@pytest.fixture
async def read(scene: Scene) -> Scene:
    """A connected bot that has read its campaign once."""
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    return scene
