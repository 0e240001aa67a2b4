import re
from pathlib import Path

import pytest

from bot import __version__
from scripts import release
from scripts.release import NotReleasable, find_version, main, read_notes

CHANGELOG = """# Changelog

## Unreleased

### Added

- Something to come.

## [1.1.0] - 2026-12-24

### Fixed

- A thing.

## [1.0.1]

- Another one.

## [1.0.0] - 2026-11-29

- The first.
"""


@pytest.mark.parametrize(
    ("version", "notes"), [("1.1.0", "### Fixed\n\n- A thing."), ("1.0.0", "- The first.")], ids=["between", "last"]
)
def test_the_notes_are_the_entry_of_the_version(version: str, notes: str) -> None:
    assert read_notes(CHANGELOG, version) == notes


@pytest.mark.parametrize(
    ("changelog", "version", "what"),
    [
        (CHANGELOG, "1.0.1", "names no day for 1.0.1"),
        (CHANGELOG, "2.0.0", "has no entry for 2.0.0"),
        (CHANGELOG, "1.1", "has no entry for 1.1"),
        (CHANGELOG + "\n## [0.9.0] - 2026-01-01\n", "0.9.0", "says nothing about 0.9.0"),
        ("", "1.0.0", "has no entry"),
    ],
    ids=["no day", "no entry", "a part of a version", "an empty entry", "an empty file"],
)
def test_what_is_not_ready_is_refused(changelog: str, version: str, what: str) -> None:
    with pytest.raises(NotReleasable, match=re.escape(what)):
        read_notes(changelog, version)


def test_the_version_stands_in_two_places_and_they_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_version() == __version__
    monkeypatch.setattr(release, "__version__", "0.0.0")
    with pytest.raises(NotReleasable, match="make them the same"):
        find_version()


def test_a_tag_of_another_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["v0.0.1"], [__version__], [f"v{__version__}", "more"]):
        assert main(arguments) == 1
        assert f"the tag of version {__version__} is v{__version__}" in capsys.readouterr().err


def test_the_notes_of_this_version_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nversion = "{__version__}"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"## Unreleased\n\n## [{__version__}] - 2026-11-29\n\n- All of it.\n")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    assert main([f"v{__version__}"]) == 0
    assert capsys.readouterr() == ("- All of it.\n", "")
