"""The house's rules on imports and sizes. What is *not* imported is what no reader can find by reading code."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for part in ("bot", "cogs", "sandbox")
    for path in ROOT.glob(f"{part}/**/*.py")
}
TREES = {name: ast.parse(path.read_bytes()) for name, path in FILES.items()}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

# A library at home in few files can be replaced, and faked at one edge
HOMES = {
    "discord": (
        "cogs/*",
        "bot/client.py",
        "bot/supervisor.py",
        "bot/messenger.py",
        "bot/roles/observe.py",
        "bot/roles/apply.py",
    ),
    "aiohttp": (
        "bot/patreon/http.py",
        "bot/patreon/client.py",
        "bot/patreon/oauth.py",
        "bot/web/*",
        "bot/app.py",
        "bot/clock.py",
        "bot/check*",
    ),
    "sqlalchemy": ("bot/storage/*",),
    "alembic": ("bot/storage/*",),
    "pydantic": ("bot/settings.py",),
    "pydantic_settings": ("bot/settings.py",),
}

PURE = {
    "bot/model.py",
    "bot/errors.py",
    *(f"bot/patreon/{name}.py" for name in ("protocol", "documents_v1", "documents_v2", "retry")),
    *(
        f"bot/roles/{name}.py"
        for name in (
            "assignable",
            "entitlement",
            "evidence",
            "ledger",
            "plan",
            "policy",
            "record",
            "report",
            "rules",
        )
    ),
}
IMPURE_STANDARD = {"asyncio", "logging", "time", "random", "secrets", "socket", "os", "pathlib"}


def imports(name: str) -> Iterator[str]:
    """Name every module that a file imports, wherever it does; `from a import b` is a.b where that is a file."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if file_of(whole) in FILES else str(node.module)


def file_of(module: str) -> str:
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if f"{path}/__init__.py" in FILES else f"{path}.py"


def offenders(pattern: str, *, forbidden: tuple[str, ...], but: tuple[str, ...] = ()) -> list[str]:
    """List who, of the files that match, imports a module of the forbidden packages."""
    return [
        f"{name} imports {module}"
        for name in FILES
        if fnmatch(name, pattern) and name not in but
        for module in imports(name)
        if module.split(".")[0] in forbidden
    ]


@pytest.mark.parametrize("library", HOMES)
def test_each_library_is_imported_at_home_only(library: str) -> None:
    found = offenders("[bc]o[tg]*", forbidden=(library,))
    assert [one for one in found if not any(fnmatch(one.split()[0], home) for home in HOMES[library])] == []


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_file_imports_only_what_is_pure(name: str) -> None:
    strange = [module for module in imports(name) if not is_pure(module)]
    assert strange == []


def is_pure(module: str) -> bool:
    top = module.split(".")[0]
    if top in {"bot", "cogs", "sandbox"}:
        return file_of(module) in PURE
    return top == "msgspec" or (top in sys.stdlib_module_names and top not in IMPURE_STANDARD)


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_file_asks_no_clock_and_awaits_nothing(name: str) -> None:
    for node in ast.walk(TREES[name]):
        assert not isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith), node
        assert not (isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and is_clock(node)), (
            node
        )


def is_clock(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}


def test_the_sandbox_shares_no_code_with_the_bot() -> None:
    assert offenders("sandbox/*", forbidden=("bot", "cogs")) == []


def test_the_bot_knows_neither_its_cogs_nor_the_sandbox() -> None:
    assert offenders("bot/*", forbidden=("cogs", "sandbox"), but=("bot/app.py", "bot/cli.py")) == []


def test_cogs_never_import_each_other() -> None:
    def cog(name: str) -> str:
        return name.removesuffix(".py").split("/")[1]

    strangers = [
        f"{name} imports {module}"
        for name in FILES
        if name.startswith("cogs/") and name != "cogs/__init__.py"
        for module in imports(name)
        if module.startswith("cogs.") and cog(module.replace(".", "/")) != cog(name)
    ]
    assert strangers == []


@pytest.mark.parametrize("name", sorted(FILES))
def test_files_and_functions_stay_small(name: str) -> None:
    assert len(FILES[name].read_text().splitlines()) <= MAX_FILE_LINES
    long = {
        node.name: lines
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}
