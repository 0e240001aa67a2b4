"""A token as its holder shows it, and what is stored of it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.api_token import MOST_LABEL, ApiToken, digest_of, read_label, read_token, write_token
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import ApiTokenId, DiscordUserId, GuildId, Secret
from tests.fakes.world import NEW_YEAR

SECRET = Secret("a_b-" + "x" * 39)
TOKEN = ApiToken(
    token_id=ApiTokenId(7),
    guild_id=GuildId(900),
    label="whitelist",
    digest=digest_of(SECRET),
    created_by=DiscordUserId(11),
    created_at=NEW_YEAR,
)


def test_what_is_shown_is_read_back() -> None:
    shown = write_token(ApiTokenId(7), SECRET)
    assert shown.reveal() == f"pk_7_{SECRET.reveal()}"
    assert read_token(shown.reveal()) == (ApiTokenId(7), SECRET)
    assert TOKEN.is_of(SECRET)
    assert not TOKEN.is_of(Secret("y" * 43))
    assert SECRET.reveal() not in repr(TOKEN)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "pk_7",
        f"pk_7_{'x' * 42}",
        f"pk_7_{'x' * 44}",
        f"pk_x_{'x' * 43}",
        f"pk_7_{'é' * 43}",
        f"pk_{'9' * 19}_{'x' * 43}",
        f"pk_7_{'x' * 43}\n",
    ],
)
def test_anything_else_is_no_token(shown: str) -> None:
    assert read_token(shown) is None


def test_its_last_use_is_known_to_the_minute() -> None:
    used = replace(TOKEN, used_at=NEW_YEAR)
    assert TOKEN.is_use_news(NEW_YEAR)
    assert [used.is_use_news(NEW_YEAR + timedelta(seconds=one)) for one in (0, 59, 60)] == [False, False, True]


def test_a_label_is_one_line_and_not_too_long() -> None:
    assert read_label("  the \n whitelist ") == "the whitelist"
    assert read_label("x" * MOST_LABEL) == "x" * MOST_LABEL
    for typed in (" ", "x" * (MOST_LABEL + 1)):
        with pytest.raises(UserMistake) as refused:
            read_label(typed)
        assert refused.value.code is Mistake.LABEL_UNUSABLE
