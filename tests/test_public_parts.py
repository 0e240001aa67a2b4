"""Libraries are used by their public parts: what they call private changes with any release.

What has no public way stands in `PRIVATE`, with its reason and with the test that fails once the library changes it.
"""

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.fakes.sources import ROOT, Sources

OURS = ("bot", "cogs", "sandbox")
TREES = Sources(*OURS)
BY_NAME = {"getattr", "setattr", "hasattr", "delattr"}


@dataclass(frozen=True)
class Why:
    """Why there is no other way, and which test fails when the library changes it."""

    reason: str
    test: str


PRIVATE = {
    "row._mapping": Why(
        "SQLAlchemy documents it as public; the underscore keeps it apart from the names of columns",
        "test_a_state_comes_back_with_all_that_was_asked",
    ),
    "guild._add_member": Why(
        "discord.py drops updates of members that it does not hold, and holds none that it fetched by REST",
        "test_while_the_gateway_holds_us_up_a_few_are_asked_for_by_rest",
    ),
    "member._roles": Why(
        "the ids as Discord sent them; `roles` resolves and sorts each member's, which costs 25 times as much",
        "test_with_the_intent_a_look_is_kept_true_by_events",
    ),
    "channel._overwrites": Why(
        "`overwrites` builds an object of each permission of each target, which costs 700 times as much: 0.8 seconds"
        " of the loop for 300 channels",
        "test_what_a_channel_allows_a_role_is_seen_with_the_role",
    ),
}


def is_private(name: str) -> bool:
    return name.startswith("_") and name != "_" and not name.startswith("__")


def has_private_part(module: str | None) -> bool:
    return any(is_private(part) for part in (module or "").split("."))


def defined_in(tree: ast.AST) -> set[str]:
    """The private names that a piece of code gives to something: to a function, a class, a variable, or on `self`."""
    return {name for node in ast.walk(tree) for name in _names_given(node) if is_private(name)}


def _names_given(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name


def looks_into(tree: ast.AST) -> Iterator[str]:
    """Name each private part that a file uses of what is not its own."""
    own = defined_in(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass  # below, by what the class inherits
            case ast.Attribute(attr=name) if is_private(name) and name not in own:
                yield ast.unparse(node)
            case ast.Call(func=ast.Name(id=called), args=[_, ast.Constant(value=str(name)), *_]) if (
                called in BY_NAME and is_private(name)
            ):
                yield ast.unparse(node)
            case ast.Import(names=aliases):
                yield from (f"import {alias.name}" for alias in aliases if has_private_part(alias.name))
            case ast.ImportFrom(module=module, names=aliases):
                for alias in aliases:
                    if has_private_part(module) or is_private(alias.name):
                        yield f"from {module} import {alias.name}"


def used_on_self(tree: ast.AST) -> set[str]:
    """The private names that a class defines, or uses on itself or on those above it."""
    used = defined_in(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super")), attr=name):
                used.add(name)
    return {name for name in used if is_private(name)}


@cache
def inherited_from(kind: type) -> set[str]:
    """The private names of one class of a library: those that it defines, and those that it gives its instances."""
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):  # written in C
        return {name for name in vars(kind) if is_private(name)}
    slots = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {name for name in {*vars(kind), *slots} if is_private(name)} | used_on_self(source)


def reaches_up(path: Path, tree: ast.Module) -> Iterator[str]:
    """Name each private part that the classes of a file share with the library's class that they are built on."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]
    if not classes:
        return
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    for node in classes:
        used = used_on_self(node)
        for above in getattr(module, node.name).__mro__:
            library = above.__module__.split(".")[0]
            if library not in OURS and library not in sys.stdlib_module_names:
                yield from (f"{above.__module__}.{above.__name__}.{name}" for name in used & inherited_from(above))


def private_parts() -> dict[str, set[str]]:
    """Say, of each private part in use, which files use it."""
    found: dict[str, set[str]] = {}
    for name, tree in TREES.items():
        for part in (*looks_into(tree), *reaches_up(Path(name), tree)):
            found.setdefault(part, set()).add(name)
    return found


def test_of_private_parts_only_those_are_used_that_have_a_reason() -> None:
    found = private_parts()
    assert {part: found[part] for part in found.keys() - PRIVATE.keys()} == {}
    assert PRIVATE.keys() - found.keys() == set(), "these are used no more"


def test_each_private_part_is_watched_by_a_test() -> None:
    tests = {
        node.name
        for path in ROOT.glob("tests/**/test_*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {why.test for why in PRIVATE.values()} - tests == set()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("theirs.public", [], id="public"),
        pytest.param("theirs._part", ["theirs._part"], id="a part"),
        pytest.param("self.theirs._part.more", ["self.theirs._part"], id="a part of what is ours"),
        pytest.param("theirs.__class__", [], id="Python's own"),
        pytest.param("self._part = 1; self._part", [], id="ours"),
        pytest.param("self._part = 1; other._part", [], id="another one's of ours"),
        pytest.param("getattr(theirs, '_part', None)", ["getattr(theirs, '_part', None)"], id="a part by its name"),
        pytest.param("import theirs._part", ["import theirs._part"], id="a module"),
        pytest.param("from theirs._part import a", ["from theirs._part import a"], id="out of a module"),
        pytest.param("from theirs import _a", ["from theirs import _a"], id="a name"),
        pytest.param("from bot import __version__", [], id="a version"),
    ],
)
def test_private_parts_are_found(code: str, found: list[str]) -> None:
    assert list(looks_into(ast.parse(code))) == found
