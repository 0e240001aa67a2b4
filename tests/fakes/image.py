"""The image without a container engine: the steps of deploy/Dockerfile, replayed below a folder, for another user.

What the steps copy and run is the Dockerfile's own; `/app`, `/venv` and `/data` are our folders. What its last stage
does to its system (a user, and the tools that it removes) is not replayed: `tests/deploy/test_image.py` reads it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.wheels import DOCKERFILE, ROOT, python_version

NEEDED = "PLEDGEKEEPER_NEEDS_PACKAGE_INDEX"  # set: a test that would skip for want of one fails instead
PLACES = re.compile(r"/(app|venv|data)\b")
UID = 10001
AS_ANOTHER = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs", "--bounding-set=-all")


@dataclass(frozen=True)
class Step:
    """One instruction: its name and the rest of its line."""

    name: str
    rest: str


def read_stages() -> list[list[Step]]:
    """Return the steps of each stage of the Dockerfile."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    stages: list[list[Step]] = [[]]
    for line in filter(None, text.splitlines()):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Step(name, " ".join(rest.split())))
    return stages[1:]  # what stands before the first FROM belongs to none


@dataclass(frozen=True)
class Image:
    """A folder in which the image's files are, and what its last stage says of them."""

    root: Path
    data: Path

    def place(self, text: str) -> str:
        """Say where a path of the image is, or each path in a text."""
        return PLACES.sub(lambda found: str(self.data if found[1] == "data" else self.root / found[1]), text)

    @property
    def environment(self) -> dict[str, str]:
        """The environment that the image has by itself."""
        pairs = [shlex.split(step.rest) for step in read_stages()[-1] if step.name == "ENV"]
        found = dict(pair.split("=", 1) for line in pairs for pair in line)
        return {name: self.place(value).replace("$PATH", os.defpath) for name, value in found.items()}

    def python(self, *arguments: str) -> list[str]:
        """Return how its Python is run, as its user."""
        return [*AS_ANOTHER, str(self.root / "venv/bin/python"), *arguments]

    def command(self, *arguments: str) -> list[str]:
        """Return how its entry point is run, as its user."""
        return self.python(str(self.root / "app/run.py"), *arguments)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user."""
        return subprocess.run(
            self.command(*arguments),
            env={**self.environment, **settings},
            cwd=self.root / "app",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def look(self) -> dict[str, tuple[int, int]]:
        """Return the size and the time of each file of the image."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def _skip(reason: str) -> None:
    if os.environ.get(NEEDED):
        pytest.fail(reason)
    pytest.skip(reason)


def find_python() -> str:
    """Return a Python of the image's version that another user may run."""
    for candidate in (str(Path(sys.base_prefix) / "bin/python3"), "/usr/bin/python3"):
        asked = [*AS_ANOTHER, candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == python_version():
            return candidate
    _skip(f"there is no Python {python_version()} that another user may run")
    raise AssertionError


@contextmanager
def built_image() -> Iterator[Image]:
    """Replay the steps that fill the image, and lend it to another user, who may write its data and nothing else."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        _skip("to be another user one has to be root, and to have setpriv (Debian's package: util-linux)")
    with (
        tempfile.TemporaryDirectory(prefix="pk-image-") as folder,
        tempfile.TemporaryDirectory(prefix="pk-data-") as data,
    ):
        image = Image(Path(folder), Path(data))
        image.root.chmod(0o755)
        os.chown(image.data, UID, UID)
        python, workdir = find_python(), image.root
        for step in read_stages()[0]:
            match step.name:
                case "WORKDIR":
                    workdir = Path(image.place(step.rest))
                    workdir.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    *sources, target = step.rest.split()
                    for source in sources:
                        _copy(ROOT / source, workdir / target)
                case "RUN":
                    _run(image.place(step.rest), python, workdir)
        subprocess.run(["chmod", "--recursive", "a-w,a+rX", folder], check=True)
        yield image
        subprocess.run(["chmod", "--recursive", "u+w", folder], check=True)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():  # what is in it, as COPY does
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _run(line: str, python: str, workdir: Path) -> None:
    """Run a step: its Python is the image's, and its pip is ours, which is no part of the image."""
    line = re.sub(r"\bpython -m pip\b", f"{shlex.quote(sys.executable)} -m pip", line)
    line = re.sub(r"(?<![\w/.])python\b(?= -m venv)", shlex.quote(python), line)
    environment: Mapping[str, str] = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    done = subprocess.run(
        ["sh", "-euc", line], cwd=workdir, env=environment, capture_output=True, text=True, check=False
    )
    if "--require-hashes" in line and done.returncode and "connection" in done.stderr.lower():
        _skip(f"the package index can't be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
