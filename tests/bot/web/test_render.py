"""The pages' words, and that everybody can read them."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.linking.outcome import Linked, PageView, Word
from bot.web.render import RESULTS, STYLE, Renderer, ago, allowed_avatar, exact, initial

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


@pytest.mark.parametrize("word", RESULTS)
def test_each_ending_has_a_page_with_one_heading(word: Word) -> None:
    html = Renderer().result(word)
    assert f'data-result="{word}"' in html
    assert html.count("<h1>") == 1
    assert '<html lang="en">' in html
    assert "<form" not in html


def test_a_name_turns_no_text_around_and_hides_nothing() -> None:
    linked = Linked(
        username="eve\u202edraug",
        patreon_name="A\u200bda <b>",
        guild_name="Moth\x1b House",
        campaign_names=(),
        is_member=True,
        news=(),
    )
    html = Renderer().view(PageView(word=Word.LINKED, linked=linked))
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


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "less than a minute ago"),
        (60, "1 minute ago"),
        (599, "9 minutes ago"),
        (3600, "1 hour ago"),
        (7300, "2 hours ago"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert ago(NOON, NOON + timedelta(seconds=seconds)) == said


def test_the_exact_time_is_said_too() -> None:
    assert exact(NOON) == "4 May 2026, 12:00:00 UTC"


@pytest.mark.parametrize(("name", "letter"), [("ada", "A"), ("_ada", "A"), ("✨", "?"), ("", "?")])
def test_a_letter_stands_in_for_a_picture(name: str, letter: str) -> None:
    assert initial(name) == letter


def _luminance(colour: str) -> float:
    """WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
