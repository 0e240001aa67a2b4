"""What a release says, read from CHANGELOG.md: `python -m scripts.release v1.0.0` prints the notes.

Refuses a tag that is not the version in the code, a version without an entry, and one whose entry has no day.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bot import __version__

ROOT = Path(__file__).resolve().parent.parent
HEADING = re.compile(r"^## (?:\[(?P<version>[^\]]+)\](?: - (?P<day>\d{4}-\d\d-\d\d))?|Unreleased)$", re.MULTILINE)


class NotReleasable(Exception):
    """Why there is nothing to release; the text says what to do."""


def read_notes(changelog: str, version: str) -> str:
    """Return the entry of a version, without its heading. Raises NotReleasable."""
    for heading in HEADING.finditer(changelog):
        if heading["version"] != version:
            continue
        if heading["day"] is None:
            raise NotReleasable(f"CHANGELOG.md names no day for {version}: write ## [{version}] - YYYY-MM-DD")
        following = HEADING.search(changelog, heading.end())
        notes = changelog[heading.end() : following.start() if following else None].strip()
        if not notes:
            raise NotReleasable(f"CHANGELOG.md says nothing about {version}: move what is under Unreleased there")
        return notes
    raise NotReleasable(f"CHANGELOG.md has no entry for {version}: add ## [{version}] - YYYY-MM-DD")


def find_version() -> str:
    """Return the version that the code has. Raises NotReleasable where its two places differ."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if project != __version__:
        raise NotReleasable(f"pyproject.toml says {project} and bot/__init__.py says {__version__}: make them the same")
    return __version__


def read_tag(arguments: Sequence[str]) -> str:
    """Return the version of a tag. Raises NotReleasable where it is not that of the code."""
    version = find_version()
    if list(arguments) != [f"v{version}"]:
        raise NotReleasable(f"the tag of version {version} is v{version}, not {' '.join(arguments) or 'none'}")
    return version


def main(arguments: Sequence[str]) -> int:
    """Print the notes of a tag; return the exit code."""
    try:
        version = read_tag(arguments)
        notes = read_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    except NotReleasable as why:
        sys.stderr.write(f"Nothing to release: {why}\n")
        return 1
    sys.stdout.write(f"{notes}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
