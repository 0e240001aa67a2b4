"""The pages' words, and that everybody can read them."""

import re
from datetime import UTC, datetime

import msgspec
import pytest

from bot.domain.consent import (
    Asker,
    CampaignChoice,
    Cause,
    Connected,
    Linked,
    Purpose,
    Question,
    View,
    Word,
)
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Secret
from bot.domain.reasons import OldText
from bot.domain.role_news import RoleNews, RoleStatus
from bot.texts.catalogs import ENGLISH, LANGUAGES, Language, pseudo
from bot.texts.pages import ENDINGS, Refusal
from bot.texts.pseudo import CLOSE, OPEN
from bot.web.render import STYLE, Pages, allowed_avatar, initial

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

# Text on its background, in both schemes; 4.5 is AA for text (WCAG 2.2, 1.4.3).
PAIRS = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "note"),
    ("ink", "warn"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "note"),
    ("accent", "card"),
    ("on-accent", "accent"),
    ("discord", "note"),
    ("patreon", "note"),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_contrast(scheme: int, text: str, ground: str) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLE.split(":root {")[1 + scheme]))
    lighter, darker = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


ENDED = [(purpose, key) for purpose, endings in ENDINGS.items() for key in endings]


@pytest.mark.parametrize("language", [ENGLISH, LANGUAGES["de"]], ids=str)
@pytest.mark.parametrize(("purpose", "key"), ENDED)
def test_each_ending_has_a_page_with_one_heading(purpose: Purpose, key: Word | Cause, language: Language) -> None:
    word, cause = (key, None) if isinstance(key, Word) else (Word.DENIED, key)
    html = Pages().ended(purpose, word, cause, language)
    assert f'data-result="{word}"' in html
    assert html.count("<h1>") == 1
    assert f'<html lang="{language.tag}">' in html
    assert "<form" not in html


@pytest.mark.parametrize("refusal", Refusal)
def test_each_refusal_has_a_page_with_one_heading(refusal: Refusal) -> None:
    html = Pages().refused(refusal, ENGLISH)
    assert html.count("<h1>") == 1
    assert "data-result" not in html


def test_every_word_of_a_page_is_among_the_translators_messages() -> None:
    """In the language for tests each message is marked: what stands outside the marks is a name or a number."""
    asker = Asker(
        discord_user_id=DiscordUserId(1),
        username="0",
        display_name="1",
        avatar_url=None,
        guild_id=GuildId(2),
        guild_name="2",
    )
    campaigns = tuple(CampaignChoice(campaign_id=CampaignId(str(one)), name=str(one)) for one in range(2))
    question = Question(
        purpose=Purpose.LINK,
        asker=asker,
        asked_at=NOON,
        shown_at=NOON,
        patreon_name="3",
        token=Secret("t"),
        held_since=NOON,
        replaces="4",
    )
    connecting = msgspec.structs.replace(question, purpose=Purpose.CONNECT, campaigns=campaigns)
    news = tuple(
        RoleNews(guild_id=GuildId(2), guild_name=server, role_name="5", status=status, reason=OldText("5"))
        for status in RoleStatus
        for server in ("2", "")
    )
    linked = Linked(
        username="0", patreon_name="3", guild_name="2", campaign_names=("6", "7"), is_member=False, news=news
    )
    views = [
        *(View(word=word, question=question) for word in (Word.CONFIRM, Word.HELD)),
        *(View(word=Word.CONFIRM, question=connecting, cause=one) for one in (Cause.OUTDATED, Cause.NONE_CHOSEN)),
        View(word=Word.LINKED, outcome=linked),
        View(word=Word.LINKED, outcome=msgspec.structs.replace(linked, owned_names=("6",), is_troubled=True)),
        View(word=Word.LINKED, outcome=msgspec.structs.replace(linked, is_member=True, news=None)),
        View(word=Word.LINKED, outcome=msgspec.structs.replace(linked, is_member=True, news=())),
        View(word=Word.CONNECTED, outcome=Connected(guild_name="2", campaign_names=("6", "7"))),
        View(word=Word.USED),
    ]
    for view in views:
        purpose = Purpose.LINK if view.question is None else view.question.purpose
        purpose = Purpose.CONNECT if view.word is Word.CONNECTED else purpose
        html = Pages().view(purpose, view, pseudo())
        assert unmarked_words(html) == set(), view


def unmarked_words(html: str) -> set[str]:
    """Return the words outside the marks, but for the product's name and what Babel writes of a moment."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)
    while (bare := re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", text)) != text:
        text = bare
    return set(re.findall(r"[^\W\d_]{2,}", text)) - {"Pledgekeeper", "May", "UTC"}


def test_a_name_turns_no_text_around_and_hides_nothing() -> None:
    linked = Linked(
        username="eve\u202edraug",
        patreon_name="A\u200bda <b>",
        guild_name="Moth\x1b House",
        campaign_names=(),
        is_member=True,
        news=(),
    )
    html = Pages().view(Purpose.LINK, View(word=Word.LINKED, outcome=linked), ENGLISH)
    assert "evedraug" in html
    assert "Ada &lt;b&gt;" in html
    assert not re.search("[\u200b\u202e\x1b]", html)


@pytest.mark.parametrize(
    ("url", "is_shown"),
    [
        ("https://cdn.discordapp.com/avatars/1/a.png", True),
        ("https://cdn.discordapp.com.evil.example/a.png", False),
        ("http://cdn.discordapp.com/a.png", False),
        ("javascript:alert(1)", False),
        (None, False),
    ],
)
def test_only_discords_own_pictures_are_shown(url: str | None, is_shown: bool) -> None:
    assert (allowed_avatar(url) is not None) is is_shown


@pytest.mark.parametrize(("name", "letter"), [("ada", "A"), ("_ada", "A"), ("✨", "?"), ("", "?")])
def test_a_letter_stands_in_for_a_picture(name: str, letter: str) -> None:
    assert initial(name) == letter


def _luminance(colour: str) -> float:
    """WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
