"""What the documents say is what the program does."""

import re
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = re.compile(r"^(?P<off># )?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)$")


def read_blocks() -> dict[str, tuple[str, str, bool]]:
    """Return, for each setting of .env.example, its comment, its value, and whether it is commented out."""
    blocks: dict[str, tuple[str, str, bool]] = {}
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        if found := ASSIGNMENT.match(line):
            assert found["name"] not in blocks, f"{found['name']} stands there twice"
            blocks[found["name"]] = (" ".join(comment), found["value"], bool(found["off"]))
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []
    return blocks


BLOCKS = read_blocks()


def test_the_example_names_exactly_the_settings() -> None:
    assert sorted(BLOCKS) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_says_whether_a_setting_is_required(name: str) -> None:
    comment, _, _ = BLOCKS[name.upper()]
    expected = "Required" if Settings.model_fields[name].is_required() else "Optional"
    assert comment.startswith(expected)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_shows_the_default_and_nothing_else(name: str) -> None:
    _, value, is_off = BLOCKS[name.upper()]
    field = Settings.model_fields[name]
    default = None if field.is_required() else field.default
    assert value == ("" if default is None else str(default))
    assert is_off == (default is not None)
