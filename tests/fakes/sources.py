"""The project's own files as trees, for tests of what stands in them: each is read when it is looked at, and once.

Every process that runs tests collects all of them, and to read all files takes it seconds.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Sources(Mapping[str, ast.Module]):
    """The files of some folders by their paths, as `bot/app.py`."""

    def __init__(self, *folders: str) -> None:
        self._paths = {
            path.relative_to(ROOT).as_posix(): path for part in folders for path in sorted(ROOT.glob(f"{part}/**/*.py"))
        }

    def __getitem__(self, name: str) -> ast.Module:
        return _parse(self._paths[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
