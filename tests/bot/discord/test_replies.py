"""What people read when something goes wrong."""

import pytest
from discord import app_commands

from bot.discord.replies import explain
from bot.domain.errors import CredentialsDead, Later, Mistake, PatreonCode, TryLater, UserMistake
from bot.texts.causes import say_cause
from tests.fakes.notifier import RENDERER
from tests.fakes.scene import ADMIN, Scene


async def test_an_error_without_words_is_answered_all_the_same(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TypeError

    monkeypatch.setattr("bot.discord.replies.say_error", fail)
    assert "Something went wrong on my side" in await scene.say(ADMIN, "patreon rule remove", rule="none")


@pytest.mark.parametrize(
    ("error", "admin", "member"),
    [
        pytest.param(
            UserMistake(Mistake.TIER_UNKNOWN),
            "I don't know that tier. Choose one from the list in `tier`.",
            "I don't know that tier. Choose one from the list in `tier`.",
            id="a mistake of theirs",
        ),
        pytest.param(
            TryLater(Later.NOT_CONNECTED),
            "I'm not connected to Discord right now. Please try again in a minute.",
            "That didn't work just now, and I changed nothing. Please try again in a minute.",
            id="something that passes",
        ),
        pytest.param(
            CredentialsDead(PatreonCode.PAIR_DEAD, credential_id=1),
            str(RENDERER.join(*say_cause(RENDERER, PatreonCode.PAIR_DEAD, {}))),
            "An admin of this server needs to fix something first. Please let one know. I changed nothing.",
            id="something for the owner",
        ),
        pytest.param(
            app_commands.CheckFailure(),
            "You need the Manage Roles permission in this server for that.",
            "You need the Manage Roles permission in this server for that.",
            id="no right",
        ),
        pytest.param(
            app_commands.CommandNotFound("old", []),
            "This command has changed since your Discord loaded it. Restart Discord (Ctrl+R) and type it again.",
            "This command has changed since your Discord loaded it. Restart Discord (Ctrl+R) and type it again.",
            id="an old command",
        ),
    ],
)
def test_an_error_becomes_words_for_its_reader(error: Exception, admin: str, member: str) -> None:
    assert explain(RENDERER, error, is_admin=True) == admin
    assert explain(RENDERER, error, is_admin=False) == member


def test_what_nobody_foresaw_shows_nothing_of_the_inside() -> None:
    assert "secret" not in explain(RENDERER, RuntimeError("secret"), is_admin=True)
