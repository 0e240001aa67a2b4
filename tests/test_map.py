"""ARCHITECTURE.md is true: files and symbols that it names exist, every loop and everything kept in memory is in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
CONTAINERS = {"dict", "set", "list", "deque", "defaultdict", "OrderedDict"}
# Made for one read or one run, and gone with it.
SHORT_LIVED = {"_Rest", "Reined"}


def section(title: str) -> list[list[str]]:
    """Return the rows of a section's table, cell by cell."""
    text = MAP.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def named_places() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each path of the table of changes with the symbols that stand behind it."""
    for _, first, others in section("Where do I change …"):
        path, symbols = None, []
        for one in [*code(first), *code(others)]:
            if re.fullmatch(r"[A-Za-z_]\w*", one):
                symbols.append(one)
                continue
            if path is not None:
                yield path, tuple(symbols)
            path, symbols = one, []
        if path is not None:
            yield path, tuple(symbols)


@pytest.mark.parametrize(("path", "symbols"), [*named_places()])
def test_what_the_table_of_changes_names_is_there(path: str, symbols: tuple[str, ...]) -> None:
    place = ROOT / path
    assert place.exists(), path
    if symbols:
        defined = set(defined_in(ast.parse(place.read_bytes())))
        assert set(symbols) <= defined


def defined_in(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_twenty_changes_or_more_are_told() -> None:
    assert len(section("Where do I change …")) >= 20


def test_every_room_is_told() -> None:
    told = {cell for row in section("Rooms") for cell in code(row[0])}
    rooms = {f"bot/{path.name}/" for path in (ROOT / "bot").iterdir() if (path / "__init__.py").exists()}
    assert rooms <= told


def test_every_loop_of_the_application_is_told() -> None:
    source = (ROOT / "bot" / "process.py").read_text(encoding="utf-8")
    started = set(re.findall(r'Loop\("(\w+)"', source)) | set(re.findall(r'_keep_running\(stack, "(\w+)"', source))
    assert started
    assert started <= {row[0] for row in section("Loops")}


def test_everything_kept_in_memory_is_told() -> None:
    told = {name for row in section("Memory") for name in code(row[0])}
    kept = {name for path in sources() for name in keepers(ast.parse(path.read_bytes()))}
    assert told - {"ClientHolder"} == kept - SHORT_LIVED


def sources() -> Iterator[Path]:
    """The domain keeps nothing: what it gathers is a value of one call."""
    for part in ("bot", "cogs"):
        yield from (path for path in (ROOT / part).rglob("*.py") if "domain" not in path.parts)


def keepers(tree: ast.Module) -> Iterator[str]:
    """Yield the classes whose objects keep something that grows: a container made when they are made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            begins = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
            makes = any(is_container(value) for begin in begins for value in values_of(begin))
            if makes or is_growing_dataclass(node):
                yield node.name


def values_of(begin: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(begin):
        match node:
            case ast.Assign(targets=[ast.Attribute()], value=value):
                yield value
            case ast.Assign(targets=[ast.Tuple()], value=ast.Tuple(elts=values)):
                yield from values
            case ast.AnnAssign(target=ast.Attribute(), value=ast.expr() as value):
                yield value


def is_container(value: ast.expr) -> bool:
    match value:
        case ast.Dict() | ast.Set() | ast.List() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in CONTAINERS
    return False


def is_growing_dataclass(node: ast.ClassDef) -> bool:
    is_dataclass = any(ast.unparse(one) == "dataclass" for one in node.decorator_list)
    fields = [one.value for one in node.body if isinstance(one, ast.AnnAssign) and one.value is not None]
    return is_dataclass and any(
        re.search(r"default_factory=(dict|set|list|deque)\b", ast.unparse(one)) for one in fields
    )
