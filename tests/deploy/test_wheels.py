"""The image can be built without a compiler on both kinds of machine: each library of its lock has a wheel for both.

Offline: deploy/wheels.json says which wheels there are; the lock's hashes prove that they are those pip would take.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from scripts.wheels import MACHINES, platforms, python_version

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ENTRY = re.compile(
    r"^([a-z0-9][^\s\\]*(?: ; [^\\]*?)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
WHEELS: dict[str, Any] = json.loads((DEPLOY / "wheels.json").read_text(encoding="utf-8"))


def read_lock(path: Path, machine: str) -> dict[str, tuple[str, set[str]]]:
    """Return the version and the hashes of each library that a lock names for the image on a machine."""
    python = python_version()
    there = {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    found: dict[str, tuple[str, set[str]]] = {}
    for line, hashes in ENTRY.findall(path.read_text(encoding="utf-8")):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(there):
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            name = canonicalize_name(requirement.name)
            assert name not in found
            found[name] = pin.version, set(re.findall(r"sha256:([0-9a-f]{64})", hashes))
    return found


def tags(machine: str) -> set[Tag]:
    """Return what a wheel may be tagged with to run in the image on a machine."""
    version = tuple(map(int, python_version().split(".")))
    names = platforms(machine)
    return {*cpython_tags(version, platforms=names), *compatible_tags(version, "cp311", names)}


def test_each_entry_of_the_lock_is_read() -> None:
    text = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    assert len(ENTRY.findall(text)) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 40


@pytest.mark.parametrize(("machine", "pythons"), MACHINES.items())
def test_each_library_of_the_image_has_a_wheel_that_the_lock_knows(machine: str, pythons: str) -> None:
    lock = read_lock(DEPLOY / "requirements.lock", pythons)
    fit = tags(pythons)
    lacking: dict[str, str] = {}
    for name, (version, hashes) in lock.items():
        wheel = WHEELS["wheels"].get(name, {}).get(machine)
        if wheel is None:
            lacking[name] = "no wheel"
            continue
        of, its_version, _, its_tags = parse_wheel_filename(wheel["file"])
        if (of, str(its_version)) != (name, version):
            lacking[name] = f"{wheel['file']} is not {version}"
        elif not its_tags & fit:
            lacking[name] = f"{wheel['file']} doesn't run there"
        elif wheel["sha256"] not in hashes:
            lacking[name] = f"{wheel['file']} has another hash"
    assert lacking == {}
    assert sorted(WHEELS["wheels"]) == sorted(lock)


def test_the_wheels_are_those_of_the_image_s_python() -> None:
    assert WHEELS["python"] == python_version()


@pytest.mark.parametrize("machine", MACHINES.values())
def test_the_image_has_the_versions_that_the_tests_run_with(machine: str) -> None:
    ours = read_lock(DEPLOY / "requirements.lock", machine)
    tested = read_lock(DEPLOY.parent / "requirements.lock", machine)
    assert {name: one for name, one in ours.items() if tested.get(name) != one} == {}


def test_no_address_of_an_index_stands_in_the_files() -> None:
    for name in ("requirements.lock", "wheels.json"):
        assert "://" not in (DEPLOY / name).read_text(encoding="utf-8")
