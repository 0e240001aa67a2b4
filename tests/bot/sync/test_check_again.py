"""A person asks Patreon about themselves: once a minute, and their roles follow."""

from datetime import timedelta

import pytest

from bot.domain.errors import UserMistake
from bot.sync import check_again
from tests.fakes.scene import MEMBER, Scene

STRANGER = "mossy_stone"


async def test_each_person_may_ask_once_a_minute(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = scene.app.refresh
    asking.begin(scene.person(MEMBER))
    with pytest.raises(UserMistake):
        asking.begin(scene.person(MEMBER))
    asking.begin(scene.person(STRANGER))
    monkeypatch.setattr(check_again, "ONCE_IN", timedelta())
    asking.begin(scene.person(MEMBER))


async def test_roles_follow_what_patreon_says_now(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role")
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id("Gerda Nilsson"))
    await scene.app.refresh.follow(scene.person(MEMBER))
    assert "Gold" not in scene.stage.roles(MEMBER)


async def test_who_is_not_linked_may_ask_and_nothing_happens(scene: Scene) -> None:
    before = len(scene.stage.sandbox.patreon.calls)
    await scene.app.refresh.follow(scene.person(MEMBER))
    assert len(scene.stage.sandbox.patreon.calls) == before
