"""Registering the commands: only where they differ, in the background, and patiently where Discord refuses."""

from datetime import timedelta
from types import SimpleNamespace

import discord
import pytest

from bot.app import App
from bot.discord import client, registration
from bot.discord.registration import DUE, FIRST_PAUSE, LONGEST_PAUSE, retry_after
from bot.runtime.health import Note
from sandbox.discord import Limit
from sandbox.weather import Fault
from tests.fakes.scene import MEMBER, connect
from tests.fakes.stage import Stage

WITHIN_SECONDS = 1.0  # long enough to look at what is stored, and to offer them
REFUSALS = ["limited_for_hours", "30034", "50035", "503", "ban"]


def registrations(stage: Stage) -> list[int]:
    """Return the status of each time that the commands were offered."""
    calls = stage.sandbox.discord.calls
    return [call.status for call in calls if call.method == "PUT" and call.path.endswith("/commands")]


def strike(stage: Stage, fault: str) -> None:
    stage.sandbox.weather.set(Fault("discord", "PUT*/commands", fault))


@pytest.fixture(autouse=True)
def quick(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.sandbox.discord.limits.limits["commands"] = Limit(100, 1.0)
    monkeypatch.setattr(registration, "STEP_SECONDS", 0.02)
    monkeypatch.setattr(client, "REGISTERED_WITHIN_SECONDS", WITHIN_SECONDS)


async def until_pending(stage: Stage, app: App) -> None:
    await stage.until(lambda: app.health.report().notes == (Note.COMMANDS_PENDING,), "the note")


async def test_commands_are_registered_only_where_they_differ(stage: Stage, app: App) -> None:
    for _ in range(2):
        async with connect(app):
            pass
    assert registrations(stage) == [200]
    stage.sandbox.world.discord.application.commands.clear()
    async with connect(app):
        assert len(stage.sandbox.discord.commands()) == 4
    assert registrations(stage) == [200, 200]


@pytest.mark.parametrize("fault", REFUSALS)
async def test_the_bot_is_online_with_its_old_commands_where_the_new_ones_are_refused(
    stage: Stage, app: App, fault: str
) -> None:
    async with connect(app):
        pass
    (taken, *_) = stage.sandbox.world.discord.application.commands.values()
    taken["version"] = "1"  # as an older program registered it
    strike(stage, fault)
    async with connect(app):
        assert "/link" in await stage.say(MEMBER, "membership")
        await until_pending(stage, app)
    offered = registrations(stage)
    async with connect(app):
        await until_pending(stage, app)
    assert registrations(stage) == offered, "a restart asks for nothing before it is due"


def looks(stage: Stage) -> int:
    """Return how often Discord was asked for the commands that it has."""
    return sum(call.method == "GET" and call.path.endswith("/commands") for call in stage.sandbox.discord.calls)


async def test_where_even_the_look_is_limited_nothing_is_asked_for_before_it_is_due(stage: Stage, app: App) -> None:
    stage.sandbox.weather.set(Fault("discord", "*/commands", "limited_for_hours"))
    async with connect(app):
        await until_pending(stage, app)
    assert (looks(stage), registrations(stage)) == (1, [])
    async with connect(app):
        await until_pending(stage, app)
    assert (looks(stage), registrations(stage)) == (1, []), "nor by a restart"


async def test_what_discord_took_is_registered_though_the_look_after_it_fails(stage: Stage, app: App) -> None:
    stage.sandbox.weather.set(Fault("discord", "GET*/commands", "limited_for_hours", after=1))
    async with connect(app):
        assert app.health.report().notes == ()
    assert registrations(stage) == [200]


async def test_a_try_that_is_due_in_years_was_noted_by_a_wrong_clock(stage: Stage, app: App) -> None:
    now = app.clock.now()
    await app.storage.notices.note(DUE, now, (now + timedelta(days=900)).isoformat())
    async with connect(app):
        assert registrations(stage) == [200]


async def test_they_are_registered_when_the_next_try_is_due(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(stage, "30034")
    monkeypatch.setattr(registration, "LONGEST_PAUSE", timedelta(seconds=0.3))
    async with connect(app):
        await stage.until(lambda: len(registrations(stage)) >= 2, "one more try")
        stage.sandbox.weather.clear()
        await stage.until(stage.sandbox.discord.commands, "the commands are there")
        await stage.until(lambda: app.health.report().notes == (), "and the note is withdrawn")
        assert await app.storage.notices.seen(DUE) is None


def refusal(status: int, code: int, **headers: str) -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="", headers=headers)
    return discord.HTTPException(response, {"code": code, "message": ""})  # type: ignore[arg-type]  # as far as it is read


@pytest.mark.parametrize(
    ("error", "failures", "pause"),
    [
        pytest.param(discord.RateLimited(7200.5), 0, timedelta(hours=2, seconds=0.5), id="a limit of Discord's own"),
        pytest.param(refusal(429, 0, **{"Retry-After": "900"}), 3, timedelta(minutes=15), id="the edge, with a time"),
        pytest.param(refusal(429, 0, **{"Retry-After": "soon"}), 0, FIRST_PAUSE, id="the edge, with none"),
        pytest.param(refusal(429, 0, **{"Retry-After": "172800"}), 0, timedelta(days=2), id="two days"),
        pytest.param(
            refusal(429, 0, **{"Retry-After": "1800.25"}), 0, timedelta(seconds=1800.25), id="with a fraction"
        ),
        pytest.param(refusal(429, 0, **{"Retry-After": "-5"}), 0, FIRST_PAUSE, id="a time that is none"),
        pytest.param(refusal(429, 0, **{"Retry-After": "nan"}), 0, FIRST_PAUSE, id="no number"),
        pytest.param(refusal(429, 0, **{"Retry-After": "9" * 40}), 0, timedelta(days=7), id="without end"),
        pytest.param(discord.RateLimited(1e300), 0, timedelta(days=7), id="Discord's own, without end"),
        pytest.param(refusal(400, 30034), 0, LONGEST_PAUSE, id="no more new commands today"),
        pytest.param(refusal(400, 50035), 0, FIRST_PAUSE, id="a refusal"),
        pytest.param(refusal(400, 50035), 2, FIRST_PAUSE * 4, id="the third refusal"),
        pytest.param(TimeoutError(), 40, LONGEST_PAUSE, id="no answer for a long time"),
    ],
)
def test_the_next_try_comes_as_discord_asks_else_later_each_time(
    error: Exception, failures: int, pause: timedelta
) -> None:
    assert retry_after(error, failures=failures) == pause
