"""Writes deploy/wheels.json: which wheel of each library the image takes, on each kind of machine. `make lock` runs it.

Asks the package index, by pip and without installing anything. Fails where a library has no wheel for a machine: the
image has no compiler. The file has names of files and their hashes, and no address. `tests/deploy/test_wheels.py` holds
it against the lock, without the index.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
LOCK, WHEELS, DOCKERFILE = ROOT / "deploy/requirements.lock", ROOT / "deploy/wheels.json", ROOT / "deploy/Dockerfile"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # as containers name them, and as Python does
GLIBC = range(36, 4, -1)  # 2.36 is that of Debian 12: the oldest that the image may be built on


def python_version() -> str:
    """Return the version of Python that the image has."""
    found = re.search(r"^ARG PYTHON=([0-9.]+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError("deploy/Dockerfile names no version of Python")
    return found[1]


def platforms(machine: str) -> list[str]:
    """Return the tags of the wheels that run on a machine, the newest first (PEP 600; PEP 599 for the older name)."""
    return [*(f"manylinux_2_{minor}_{machine}" for minor in GLIBC), f"manylinux2014_{machine}"]


def ask_pip(machine: str) -> Mapping[str, Any]:
    """Return pip's own report of what it would install on a machine (its docs, "Installation Report")."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "pip", "--quiet", "install", "--dry-run", "--ignore-installed", "--no-deps"),
            *("--only-binary", ":all:", "--implementation", "cp", "--python-version", python_version()),
            *(part for tag in platforms(machine) for part in ("--platform", tag)),
            *("--target", folder, "--require-hashes", "--requirement", str(LOCK), "--report", str(report)),
        ]
        subprocess.run(command, check=True)  # noqa: S603  pip, with our own arguments
        told: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return told


def read_report(report: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the name and the version of each library, and its wheel."""
    for one in report["install"]:
        info = one["download_info"]
        file = unquote(urlsplit(info["url"]).path.rpartition("/")[2])
        digest = info["archive_info"]["hashes"]["sha256"]
        yield one["metadata"]["name"], one["metadata"]["version"], {"file": file, "sha256": digest}


def merge(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put the wheels of each machine together, library by library."""
    found: dict[str, dict[str, Any]] = {}
    for machine, report in reports.items():
        for name, version, wheel in read_report(report):
            normal = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503
            found.setdefault(normal, {"version": version})[machine] = wheel
    return dict(sorted(found.items()))


def main() -> None:
    """Ask for each machine, and write the file."""
    wheels = merge({machine: ask_pip(pythons) for machine, pythons in MACHINES.items()})
    text = json.dumps({"python": python_version(), "wheels": wheels}, indent=1)
    WHEELS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
