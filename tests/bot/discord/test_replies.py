"""What people read when something goes wrong, or when there is a lot to say."""

import pytest
from discord import app_commands

from bot.discord.replies import MEMBER_LATER, MEMBER_OWNER, NOT_ALLOWED, OUTDATED, explain, fit
from bot.domain.errors import NeedsOwner, PatreonUnavailable, UserMistake

LATER = PatreonUnavailable("Patreon answered 503; nothing was changed")
OWNER = NeedsOwner("the creator token is dead; put a new one into the settings")


@pytest.mark.parametrize(
    ("error", "admin", "member"),
    [
        pytest.param(UserMistake("no such tier"), "No such tier.", "No such tier.", id="a mistake of theirs"),
        pytest.param(
            LATER,
            "Patreon answered 503; nothing was changed. Please try again in a minute.",
            MEMBER_LATER,
            id="something that passes",
        ),
        pytest.param(
            OWNER,
            "The creator token is dead; put a new one into the settings.",
            MEMBER_OWNER,
            id="something for the owner",
        ),
        pytest.param(app_commands.CheckFailure(), NOT_ALLOWED, NOT_ALLOWED, id="no right"),
        pytest.param(app_commands.CommandNotFound("old", []), OUTDATED, OUTDATED, id="an old command"),
    ],
)
def test_an_error_becomes_words_for_its_reader(error: Exception, admin: str, member: str) -> None:
    assert explain(error, is_admin=True) == admin
    assert explain(error, is_admin=False) == member


def test_what_nobody_foresaw_shows_nothing_of_the_inside() -> None:
    assert "secret" not in explain(RuntimeError("secret"), is_admin=True)


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
