"""Words that can stand in a chart."""

import unicodedata

import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from bot.domain.chart import _DRAWN, can_draw, labels

OTHERS = ("Tier 1", "Tier 2", "Tier 3")


def test_the_font_has_every_letter_that_counts_as_drawn() -> None:
    font = FT2Font(font_manager.findfont("DejaVu Sans"))
    wanted = {code for first, last in _DRAWN for code in range(first, last + 1)}
    lacking = {code for code in wanted - font.get_charmap().keys() if unicodedata.category(chr(code)) != "Cn"}
    assert lacking == set()
    assert "DejaVu" in font.family_name


@pytest.mark.parametrize("text", ["黄金", "🔥", "ذهب", "זהב", "gold\u200b", "ＧＯＬＤ", "ทอง"])  # noqa: RUF001  other signs
def test_what_the_font_lacks_or_nothing_joins_or_turns_is_not_drawn(text: str) -> None:
    assert not can_draw(text)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Gold", "Gold"),
        ("Große Lärche", "Große Lärche"),
        ("Золото", "Золото"),
        ("Χρυσός", "Χρυσός"),
        ("$5", "$5"),
        ("Ä", "Ä"),
        ("A", "A"),
        ("🔥 Gold ❤️", "Gold"),
        ("5,00\xa0€", "5,00 €"),
        ("The Golden Circle of Friends", "The Golden C…"),
        ("Thirteen sign", "Thirteen sign"),
        ("黄金", "Tier 1"),
        ("黄金 Gold", "Tier 1"),
        ("ذهب", "Tier 1"),
        ("🔥", "Tier 1"),
        ("🔥 1", "Tier 1"),
        ("—", "Tier 1"),
        ("", "Tier 1"),
    ],
)
def test_a_name_stands_as_it_is_or_without_emoji_or_cut_or_has_another(name: str, label: str) -> None:
    assert labels([name], OTHERS[:1]) == (label,)


def test_names_that_would_look_the_same_have_others() -> None:
    assert labels(["Gold 🔥", "Silver", "Gold"], OTHERS) == ("Tier 1", "Silver", "Tier 3")
