"""What people read when something goes wrong, or when there is a lot to say."""

import pytest
from discord import app_commands

from bot.discord.replies import explain, fit
from bot.domain.errors import CredentialsDead, Later, Mistake, PatreonCode, TryLater, UserMistake
from bot.texts.causes import say_cause
from tests.fakes.notifier import RENDERER


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
            "That won't work until an admin of this server fixes something. Please tell one. I changed nothing.",
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


def test_what_fits_is_shown_as_it_is() -> None:
    assert fit("x" * 2000) == ("x" * 2000, None)


def test_what_does_not_fit_is_cut_at_a_line_and_attached_whole() -> None:
    shown, attached = fit("\n".join(f"{number}: <t:1700000000:R>" for number in range(200)))
    assert len(shown) <= 2000
    assert shown.endswith("the whole text is in the attached file.")
    assert all(line.endswith(":R>") for line in shown.splitlines()[:-1])
    assert attached is not None
    assert attached.decode().splitlines()[199] == "199: 14 November 2023, 22:13 UTC"


def test_one_endless_line_is_cut_too() -> None:
    shown, attached = fit("x" * 5000)
    assert len(shown) <= 2000
    assert attached == b"x" * 5000
