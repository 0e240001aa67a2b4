"""What the link flow says in Discord."""

import pytest

from bot.domain.model import GuildId
from bot.domain.news import RoleNews, RoleStatus
from bot.domain.reasons import OldText
from bot.linking.outcome import Linked
from bot.texts.linking import linked_text, moved_text, plain


def linked(
    *,
    news: tuple[RoleNews, ...] | None = (),
    is_member: bool = True,
    is_troubled: bool = False,
    owned: tuple[str, ...] = (),
) -> Linked:
    return Linked(
        username="ada",
        patreon_name="Ada Reed",
        guild_name="Moth House",
        campaign_names=("Moth Comics", "Moth Radio"),
        is_member=is_member,
        news=news,
        is_troubled=is_troubled,
        owned_names=owned,
    )


def role(name: str = "Gold", why: str = "") -> RoleNews:
    return RoleNews(
        guild_id=GuildId(1), guild_name="Moth House", role_name=name, status=RoleStatus.GIVEN, reason=OldText(why)
    )


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        pytest.param(linked(news=(role(),)), "Moth House: **Gold** is yours now", id="a role"),
        pytest.param(linked(news=(role(why="tier Gold"),)), "is yours now (tier Gold)", id="a role and why"),
        pytest.param(linked(news=None), "on their way", id="still working"),
        pytest.param(linked(), "No role follows your membership", id="no rule"),
        pytest.param(linked(is_troubled=True), "could not be given", id="discord failed"),
        pytest.param(linked(is_member=False), "no membership of Moth Comics or Moth Radio", id="no membership"),
        pytest.param(
            linked(is_member=False, owned=("Moth *Comics*",)),
            r"no membership of their own campaign, so Moth \*Comics\* gives you no role",
            id="its creator",
        ),
        pytest.param(linked(owned=("Moth Comics",)), "No role follows your membership", id="its creator, a member too"),
    ],
)
def test_each_outcome_is_said(outcome: Linked, words: str) -> None:
    assert words in linked_text(outcome)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ada", "Ada"),
        ("**Ada**", r"\*\*Ada\*\*"),
        ("<@123>", r"\<\@123>"),
        ("@everyone", r"\@everyone"),
        ("[x](https://a.example)", r"\[x\](https://a.example)"),
        ("line\nbreak", "line break"),
        ("evil\u202ednal", "evildnal"),
        ("\u2066Ada\u2069", "Ada"),
        ("A\u200bd\u2060a\ufeff", "Ada"),
        ("A\x1b[31mda\x00", r"A\[31mda"),
        ("\u200b", ""),
        ("Zoë 💜", "Zoë 💜"),
        ("A" * 100, "A" * 100),
        ("A" * 10_000, "A" * 99 + "…"),
    ],
)
def test_a_name_is_made_harmless(name: str, said: str) -> None:
    assert plain(name) == said


def test_the_old_holder_hears_who_has_the_account_now() -> None:
    text = moved_text("Ada_Reed", "eve")
    assert r"Ada\_Reed" in text
    assert "@eve" in text
    assert "password" in text
