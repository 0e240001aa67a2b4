"""The house's rules on imports and sizes: what is deliberately absent, which no reader can find by reading code."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.fakes.sources import Sources

TREES = Sources("bot", "cogs", "sandbox")

# A library that is at home in few files can be replaced, and faked at one edge.
HOMES = {
    "discord": ("cogs/*", "bot/discord/*"),
    "aiohttp": (
        "bot/patreon/http.py",
        "bot/web/*",
        "bot/process.py",
        "bot/runtime/clock.py",
        "bot/ops/check/*",
        "bot/discord/*",  # discord.py lets aiohttp's errors through
        "bot/hooks/*",
    ),
    "standardwebhooks": ("bot/hooks/*",),
    "sqlalchemy": ("bot/storage/*",),
    "alembic": ("bot/storage/*",),
    "procrastinate": ("bot/storage/chores.py", "bot/storage/migrations/library.py"),
    "matplotlib": ("bot/charts/draw.py",),
    "babel": ("bot/texts/*",),
    "gettext": ("bot/texts/*",),
    "prometheus_client": ("bot/ops/metrics.py",),
    "pydantic": ("bot/settings.py",),
    "pydantic_settings": ("bot/settings.py",),
}

PURE_FOLDERS = ("bot/domain/", "bot/patreon/protocol/")
PURE = {name for name in TREES if name.startswith(PURE_FOLDERS)}
NEVER_PURE = {"asyncio", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "threading", "time"}

# Which rooms a room may import: those that stand above it here, and no other. A file of `bot/` itself is its own room.
ROOMS = {
    "bot": (),  # the version, which any room may show
    "domain": (),
    "texts": ("domain",),
    "runtime": ("domain",),
    "charts": ("domain",),
    "patreon": ("domain", "runtime"),
    "hooks": ("domain",),
    "storage": ("domain", "runtime"),
    "discord": ("domain", "texts", "runtime", "storage"),
    "sync": ("domain", "texts", "runtime", "patreon", "hooks", "storage", "discord"),
    "linking": ("domain", "texts", "runtime", "patreon", "storage", "discord", "sync"),
    "web": ("domain", "texts", "runtime", "patreon", "sync", "linking"),
    "settings": ("domain", "storage"),
    "ops": ("domain", "texts", "runtime", "patreon", "storage", "discord", "sync", "settings"),
    "app": (
        "domain",
        "runtime",
        "charts",
        "patreon",
        "hooks",
        "storage",
        "discord",
        "sync",
        "linking",
        "settings",
        "ops",
    ),
    "process": ("domain", "runtime", "storage", "discord", "sync", "web", "settings", "ops", "app"),
    "cogs": ("domain", "texts", "runtime", "charts", "discord", "sync", "linking"),
    "sandbox": (),
    "cli": ("domain", "texts", "runtime", "storage", "settings", "ops", "process", "cogs", "sandbox"),
}
WIRING = {  # they hand each cog what it uses
    "cogs/__init__.py imports bot/app.py",
    "cogs/admin/group.py imports bot/app.py",
}


def file_of(module: str) -> str:
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if f"{path}/__init__.py" in TREES else f"{path}.py"


@cache
def imports(name: str) -> tuple[str, ...]:
    """Name each module that a file imports, at its top or inside; `from a import b` is a.b where that is a file."""
    return tuple(_imports(name))


def _imports(name: str) -> Iterator[str]:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if file_of(whole) in TREES else str(node.module)


def importers(packages: tuple[str, ...], *, within: tuple[str, ...], but: tuple[str, ...] = ()) -> list[str]:
    """Say who in the folders `within` imports any of the packages, those that match `but` left out."""
    return [
        f"{name} imports {module}"
        for name in sorted(TREES)
        if name.split("/")[0] in within and not any(fnmatch(name, home) for home in but)
        for module in imports(name)
        if module.split(".")[0] in packages
    ]


# Names that two files still share.
SHARED_NAMES = {
    "Connection",
    "Holds",
    "Messenger",
    "Outcome",
    "Place",
    "Reads",
    "Renderer",
    "Tally",
    "Teller",
    "Word",
}


def test_class_names_are_unique() -> None:
    """A name that is read in one file means the same in every other; the sandbox speaks for other people's services."""
    homes: dict[str, list[str]] = {}
    for name, tree in TREES.items():
        if not name.startswith("sandbox/"):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes.setdefault(node.name, []).append(name)
    assert {name: files for name, files in homes.items() if len(files) > 1 and name not in SHARED_NAMES} == {}


def test_every_import_is_absolute() -> None:
    relative = [name for name, tree in TREES.items() for node in ast.walk(tree) if getattr(node, "level", 0)]
    assert relative == []


@pytest.mark.parametrize("library", HOMES)
def test_each_library_is_imported_at_home_only(library: str) -> None:
    assert importers((library,), within=("bot", "cogs"), but=HOMES[library]) == []


def test_each_home_and_each_pure_folder_exists() -> None:
    homes = {home for library in HOMES.values() for home in library}
    assert [home for home in homes if not any(fnmatch(name, home) for name in TREES)] == []
    assert all(any(name.startswith(folder) for name in TREES) for folder in PURE_FOLDERS)


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_file_imports_only_what_is_pure(name: str) -> None:
    def is_pure(module: str) -> bool:
        package = module.split(".", maxsplit=1)[0]
        if package in {"bot", "cogs", "sandbox"}:
            return file_of(module).startswith((str(Path(name).parent), "bot/domain/"))
        return package == "msgspec" or (package in sys.stdlib_module_names and package not in NEVER_PURE)

    assert [module for module in imports(name) if not is_pure(module)] == []


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_file_reads_no_clock(name: str) -> None:
    clocks = {"now", "utcnow", "today"}
    assert [
        one
        for one in ast.walk(TREES[name])
        if isinstance(one, ast.Attribute) and one.attr in clocks and reads_clock(one)
    ] == []


def reads_clock(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"date", "datetime"}


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_file_awaits_nothing(name: str) -> None:
    waits = ast.Await | ast.AsyncFor | ast.AsyncFunctionDef | ast.AsyncWith
    assert [node for node in ast.walk(TREES[name]) if isinstance(node, waits)] == []


def matches_in(tree: ast.AST) -> Iterator[ast.Match]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Match))


def is_closed(match: ast.Match) -> bool:
    """Tell whether what nobody thought of is an error: then mypy finds a new kind, and a running bot stops at it."""
    *named, last = match.cases
    return (
        catches_all(last) and ast.unparse(last.body[0]).startswith("assert_never(") and not any(map(catches_all, named))
    )


def catches_all(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_decision_over_kinds_is_never_left_to_the_rest(name: str) -> None:
    assert [f"{name}:{match.lineno}" for match in matches_in(TREES[name]) if not is_closed(match)] == []


def room_of(name: str) -> str:
    package, *rest = name.split("/")
    return package if package != "bot" or rest == ["__init__.py"] else rest[0].removesuffix(".py")


def test_each_room_imports_only_rooms_above_it() -> None:
    others = {
        f"{name} imports {file_of(module)}"
        for name in TREES
        for module in imports(name)
        if file_of(module) in TREES and room_of(file_of(module)) not in {room_of(name), "bot", *ROOMS[room_of(name)]}
    }
    assert others == WIRING


def test_the_rooms_stand_in_order() -> None:
    order = list(ROOMS)
    assert {room_of(name) for name in TREES} == set(order)
    assert all(order.index(one) < order.index(room) for room, allowed in ROOMS.items() for one in allowed)


@pytest.mark.parametrize("package", ["bot", "cogs", "sandbox"])
def test_no_two_files_need_each_other(package: str) -> None:
    needs = {
        name: {file_of(module) for module in imports(name)} & TREES.keys()
        for name in TREES
        if name.split("/")[0] == package
    }
    TopologicalSorter(needs).prepare()


def test_cogs_never_import_each_other() -> None:
    def cog(name: str) -> str:
        return name.removesuffix(".py").split("/")[1]

    strangers = [
        f"{name} imports {module}"
        for name in TREES.keys() - {"cogs/__init__.py"}
        if name.startswith("cogs/")
        for module in imports(name)
        if module.startswith("cogs.") and cog(file_of(module)) != cog(name)
    ]
    assert strangers == []
