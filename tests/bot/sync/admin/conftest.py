"""Who the admins are whose verbs these are."""

import pytest

from bot.domain.assignable import MANAGE_ROLES, Powers
from bot.domain.model import DiscordUserId
from tests.fakes.scene import ADMIN, Scene


@pytest.fixture
def admin(scene: Scene) -> DiscordUserId:
    return scene.person(ADMIN)


@pytest.fixture
def owner(read: Scene) -> Powers:
    look = read.app.observer.look_guild(read.guild_id)
    assert look is not None
    return Powers(top=look.roles[read.role("Legend")], permissions=MANAGE_ROLES, is_owner=True)
