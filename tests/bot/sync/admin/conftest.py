"""A connected bot that has read its campaign once, for the verbs of admins."""

import pytest

from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId
from tests.fakes.scene import ADMIN, Scene


@pytest.fixture
async def read(scene: Scene) -> Scene:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    return scene


@pytest.fixture
def admin(scene: Scene) -> DiscordUserId:
    return scene.person(ADMIN)
