"""What a chart shows, without how it looks; and which words can stand in one. Pure.

The font is DejaVu Sans, which matplotlib brings along. It lacks most scripts, and matplotlib joins no Arabic and turns
no Hebrew: so only Latin, Greek and Cyrillic count as drawn.
"""

import enum
import unicodedata
from collections.abc import Sequence

import msgspec

LABEL_LENGTH = 13  # as wide as the room beside the lines
_FEWEST_LEFT = 2  # letters and digits that still name something without the emoji
_DRAWN = (
    (0x20, 0x7E),
    (0xA1, 0xAC),
    (0xAE, 0x17F),
    (0x391, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x45F),
    (0x1E00, 0x1EF9),
    (0x2010, 0x2015),
    (0x2018, 0x201E),
    (0x2020, 0x2022),
    (0x2026, 0x2026),
    (0x20AC, 0x20AC),
    (0x2212, 0x2212),
)
_MARKS = ("S", "M", "C")  # categories of emoji and of what belongs to them


class LineKind(enum.StrEnum):
    """What a line counts."""

    ALL = "all"
    TIER = "tier"
    REST = "rest"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line, a value a day, and what stands at its end."""

    kind: LineKind
    label: str
    values: tuple[int, ...]


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Two bars at one place: up and down."""

    days: int  # that it stands for
    middle: float
    up: int
    down: int


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Lines over days, and below them bars over the same days. All words are ready, and plain: it becomes JSON."""

    title: str
    lines: tuple[Line, ...]
    days: tuple[tuple[int, str], ...]  # which days are named, and how: in a line, or with the year below it
    below: str
    up: str
    down: str
    bars: tuple[Bar, ...]


def can_draw(text: str) -> bool:
    """Tell whether the font has all of a text."""
    return all(any(first <= ord(sign) <= last for first, last in _DRAWN) for sign in text)


def labels(names: Sequence[str], replacements: Sequence[str]) -> tuple[str, ...]:
    """Return how each name stands in a chart: as it is, without its emoji, cut short, or else replaced by its like."""
    short = [_label(name) for name in names]
    return tuple(
        other if one is None or short.count(one) > 1 else one for one, other in zip(short, replacements, strict=True)
    )


def _label(name: str) -> str | None:
    whole = unicodedata.normalize("NFC", name)
    kept = "".join(sign for sign in whole if can_draw(sign) or not unicodedata.category(sign).startswith(_MARKS))
    words = " ".join(kept.split())
    fewest = 1 if kept == whole else _FEWEST_LEFT
    if not can_draw(words) or sum(map(str.isalnum, words)) < fewest:
        return None
    return words if len(words) <= LABEL_LENGTH else words[: LABEL_LENGTH - 1].rstrip() + "…"
