"""What the confirm page asks, and whether it asks at all."""

from datetime import UTC, datetime

import pytest

from bot.domain.model import DiscordUserId, Link, LinkOrigin, PatreonUserId, Secret
from bot.linking.question import Holders, answer_token, other_holders
from bot.linking.secrets import fresh_secret, is_ours

ME, OTHER = DiscordUserId(1), DiscordUserId(2)
PATRON, OTHER_PATRON = PatreonUserId("a"), PatreonUserId("b")
FREE = Holders(of_patron=None, of_discord=None)


def link(discord_user_id: DiscordUserId, patreon_user_id: PatreonUserId) -> Link:
    return Link(
        discord_user_id=discord_user_id,
        patreon_user_id=patreon_user_id,
        patreon_name="Ada",
        origin=LinkOrigin.COMMAND,
        linked_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


MINE, THEIRS, MY_OLD = link(ME, PATRON), link(OTHER, PATRON), link(ME, OTHER_PATRON)


@pytest.mark.parametrize(
    ("by_discord", "by_patreon", "holders"),
    [
        pytest.param(None, None, FREE, id="nobody linked"),
        pytest.param(MINE, MINE, FREE, id="the same pair"),
        pytest.param(None, THEIRS, Holders(of_patron=THEIRS, of_discord=None), id="the patron has another account"),
        pytest.param(MY_OLD, None, Holders(of_patron=None, of_discord=MY_OLD), id="the account has another patron"),
        pytest.param(MY_OLD, THEIRS, Holders(of_patron=THEIRS, of_discord=MY_OLD), id="both"),
    ],
)
def test_only_links_to_a_third_account_have_to_give_way(
    by_discord: Link | None, by_patreon: Link | None, holders: Holders
) -> None:
    found = other_holders(discord_user_id=ME, patreon_user_id=PATRON, by_discord=by_discord, by_patreon=by_patreon)
    assert found == holders


def test_each_question_in_each_browser_has_its_own_token() -> None:
    questions = [FREE, Holders(of_patron=THEIRS, of_discord=None), Holders(of_patron=None, of_discord=MY_OLD)]
    tokens = {answer_token(Secret(cookie), asked) for cookie in ("x", "y") for asked in questions}
    assert len(tokens) == 6


def test_a_token_does_not_give_the_cookie_away() -> None:
    assert "cookie" not in answer_token(Secret("cookie"), FREE).reveal()


def test_our_secrets_are_recognised_and_never_the_same() -> None:
    made = [fresh_secret() for _ in range(50)]
    assert len(set(made)) == 50
    assert all(is_ours(secret) for secret in made)


@pytest.mark.parametrize("text", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "\n", "a" * 42 + "=", "ä" * 43])
def test_anything_else_is_not_ours(text: str) -> None:
    assert not is_ours(Secret(text))
