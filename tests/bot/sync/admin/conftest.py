"""Who the admin is whose verbs these are."""

import pytest

from bot.domain.model import DiscordUserId
from tests.fakes.scene import ADMIN, Scene


@pytest.fixture
def admin(scene: Scene) -> DiscordUserId:
    return scene.person(ADMIN)
