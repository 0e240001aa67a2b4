"""Whoever installs from pyproject.toml gets no library with a weakness that is known, however old their mirror is."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The first version without any weakness that was known when this was written, and the last weakness that it ended.
SOUND = {
    "aiohttp": "3.14.4",  # PYSEC-2026-4394, and GHSA-cq5v-8q36-5273 before
    "click": "8.3.3",  # CVE-2026-7246
    "cryptography": "50",  # CVE-2026-69247
    "filelock": "3.20.3",  # CVE-2026-22701
    "jinja2": "3.1.6",  # CVE-2025-27516
    "pydantic-settings": "2.14.2",  # GHSA-4xgf-cpjx-pc3j
    "pytest": "9.0.3",  # CVE-2025-71176
    "python-dotenv": "1.2.2",  # CVE-2026-28684
    "setuptools": "78.1.1",  # CVE-2025-47273; CVE-2026-59890 is in what builds archives, and patreon needs one below 81
}
Version = tuple[int, ...]


def to_version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def bounds() -> dict[str, Version]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    found = {}
    for one in required:
        match = re.match(r"(?P<name>[\w.-]+)(?:\[[\w,]+\])?>=(?P<version>[\d.]+)", one)
        assert match is not None, f"{one} has no lower bound"
        found[match["name"]] = to_version(match["version"])
    return found


def locked() -> dict[str, Version]:
    pinned = re.findall(r"(?m)^([\w.-]+)==([\d.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    return {name: to_version(version) for name, version in pinned}


@pytest.mark.parametrize("name", SOUND)
def test_no_bound_admits_a_version_with_a_known_weakness(name: str) -> None:
    assert bounds()[name] >= to_version(SOUND[name])


def test_what_is_locked_is_within_the_bounds() -> None:
    pinned = locked()
    assert {name for name, bound in bounds().items() if pinned[name.replace(".", "-")] < bound} == set()
