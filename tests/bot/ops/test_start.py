"""What is said once after a start, to people and to programs."""

import asyncio

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.domain.status import DiscordMoment
from bot.ops import start
from bot.ops.start import tell_start
from bot.runtime.health import Note
from tests.fakes.scene import Scene


async def told(app: App, roles: frozenset[ProcessRole] = ALL_ROLES) -> EventDict:
    with capture_logs() as lines:
        await tell_start(
            settings=app.settings, roles=roles, port=8080, storage=app.storage, holder=app.holder, health=app.health
        )
    (line,) = [one for one in lines if one["event"] == "pledgekeeper runs"]
    return line


@pytest.fixture
async def ready(scene: Scene) -> Scene:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    scene.app.health.ok("gateway")
    return scene


async def test_a_new_bot_says_what_it_has_and_what_is_next(ready: Scene) -> None:
    line = await told(ready.app)
    assert (line["event"], line["log_level"]) == ("pledgekeeper runs", "info")
    assert {name: line[name] for name in ("servers", "shards", "campaigns", "rules", "links", "sees_members")} == {
        "servers": 1,
        "shards": 1,
        "campaigns": 1,
        "rules": 0,
        "links": 1,
        "sees_members": True,
    }
    assert line["missing"] == ["rules"]
    assert "Type /patreon setup in your server" in line["block"]


async def test_one_that_is_set_up_misses_nothing(ready: Scene) -> None:
    await ready.add_rule()
    line = await told(ready.app)
    assert (line["rules"], line["missing"]) == (1, [])
    assert "Nothing is missing" in line["block"]


async def test_what_does_not_come_in_time_is_what_it_says(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PATIENCE_SECONDS", 0.2)
    line = await told(app)
    assert line["missing"] == ["discord", "campaigns"]
    assert line["servers"] is None


async def test_several_shards_may_begin_one_after_the_other(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(start, "PACE_SECONDS", 10.0)
    monkeypatch.setattr(start, "look_at_discord", lambda _: DiscordMoment(shards_connected=1, shards_away=2))
    telling = asyncio.create_task(told(app, frozenset({ProcessRole.GATEWAY})))
    await asyncio.sleep(0.5)
    assert not telling.done()
    app.health.ok("gateway")
    await asyncio.wait_for(telling, 5)


async def test_a_reserve_is_told_once_it_is_sure(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PATIENCE_SECONDS", 0.2)
    app.health.ok("gateway")
    app.health.note(Note.IN_RESERVE)
    line = await told(app, frozenset({ProcessRole.GATEWAY}))
    assert "discord" not in line["missing"]
    assert "in reserve" in line["block"]


async def test_no_secret_is_in_it(ready: Scene) -> None:
    settings = ready.app.settings
    secrets = [settings.discord_token, settings.patreon_client_secret, *settings.encryption_keys]
    line = repr(await told(ready.app))
    assert [secret for secret in secrets if secret.reveal() in line] == []
