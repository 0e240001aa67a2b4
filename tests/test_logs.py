"""docs/logs.md is true: every event that the bot logs is in it, with its level and fields, and no other.

Events are the first argument of a call on `log`, or of what stands for such a call (`WRAPPERS`); so they are literals,
or constants of the same file.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.fakes.sources import Sources

TREES = Sources("bot", "cogs")
PAGE = (Path(__file__).resolve().parent.parent / "docs" / "logs.md").read_text(encoding="utf-8")
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
ROW = re.compile(
    r"^\| (?P<event>[^|]+) \| (?P<level>[a-z, ]+) \|(?P<fields>[^|]*)\| (?P<words>[^|]+) \|$", re.MULTILINE
)
FIELD = re.compile(r"^\| `(\w+)` \| [^|]+ \|$", re.MULTILINE)
OF_NO_CALL = {"block"}  # is printed in place of the fields, and is none
OF_EVERY_LINE = {"timestamp", "level", "logger", "event", "exception"}

Event = tuple[str, frozenset[str]]
"""An event's level and fields."""


@cache
def logged() -> dict[str, set[Event]]:
    """Return every event of the program, each with how it is logged."""
    found = defaultdict[str, set[Event]](set)
    for tree in map(TREES.__getitem__, TREES):
        for event, level, fields in [*calls(tree), *tallies(tree), *tries(tree)]:
            found[event].add((level, fields - OF_NO_CALL))
    return found


def calls(tree: ast.Module) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield what is logged directly."""
    constants = dict(_constants(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name("log"), attr="log"), args=[level, ast.Constant(value=event), *_]
            ):
                yield str(event), _levels(tree, level), _fields(node)
            case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=attr), args=[ast.Constant(value=event), *_]):
                yield str(event), LEVELS[attr], _fields(node)
            case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=attr), args=[ast.Name(id=name), *_]) if (
                name in constants
            ):
                yield constants[name], LEVELS[attr], _fields(node)


def tallies(tree: ast.Module) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield what strangers cause, which is logged once a minute with a count (`web/tally.py`)."""
    for place, made in _tallies(tree):
        (event,) = [str(ast.literal_eval(one)) for one in made.args]
        level = next((str(ast.literal_eval(one.value)) for one in made.keywords if one.arg == "level"), "warning")
        noted = {field for call in _calls_of(tree, place, "note") for field in _fields(call)}
        yield event, level, frozenset(noted | {"count"})


def _tallies(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield under which name each is kept."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=place) | ast.Attribute(attr=place)], value=ast.Call() as value):
                for one in ast.walk(value):
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "Tally" and one.args:
                        yield place, one


def _calls_of(tree: ast.Module, place: str, verb: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=called)):
                if (name, called) == (place, verb):
                    yield node


def tries(tree: ast.Module) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield the events that are handed to a `_try`, which logs the failure."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "_try":
            for one in node.keywords:
                if one.arg == "event":
                    yield str(ast.literal_eval(one.value)), "warning", frozenset({"why"})


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() as text)):
                yield name, text


def _levels(tree: ast.Module, level: ast.expr) -> str:
    """Name the levels that an expression may be, or that its variable is set to."""
    values = [level]
    if isinstance(level, ast.Name):
        values = [
            one.value
            for one in ast.walk(tree)
            if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == level.id
        ]
    named = (part for value in values for part in ast.walk(value) if isinstance(part, ast.Attribute))
    return ", ".join(sorted({part.attr.lower() for part in named if part.attr.isupper()}))


def _fields(node: ast.Call) -> frozenset[str]:
    named = {one.arg for one in node.keywords if one.arg not in {None, "exc_info"}}
    return frozenset(str(one) for one in named)


@cache
def told() -> dict[str, re.Match[str]]:
    """Return the rows of the page's events."""
    rows = list(ROW.finditer(PAGE.partition("\n## Events\n")[2]))
    events = [row["event"] for row in rows if row["event"] not in {"event", "---"}]
    assert len(events) == len(set(events)), "an event that is told of twice"
    return {row["event"]: row for row in rows if row["event"] not in {"event", "---"}}


def test_each_event_of_the_program_is_on_the_page_and_no_other() -> None:
    assert sorted(logged().keys() - told().keys()) == [], "not told"
    assert sorted(told().keys() - logged().keys()) == [], "not logged"


@pytest.mark.parametrize("event", sorted(told()))
def test_the_page_has_its_level_and_fields(event: str) -> None:
    row = told()[event]
    assert set(row["level"].split(", ")) == {one for level, _ in logged()[event] for one in level.split(", ")}
    assert set(re.findall(r"`(\w+)`", row["fields"])) == {field for _, fields in logged()[event] for field in fields}


@pytest.mark.parametrize("event", sorted(told()))
def test_a_warning_or_an_error_says_what_to_do(event: str) -> None:
    row = told()[event]
    if set(row["level"].split(", ")) & {"warning", "error"}:
        assert re.search(r"\*\*Do\*\*: |Nothing to do", row["words"]), row["words"]


def test_each_field_is_explained_once_and_no_other() -> None:
    explained = FIELD.findall(PAGE.partition("\n## Events\n")[0])
    fields = {field for ways in logged().values() for _, names in ways for field in names}
    assert sorted(explained) == sorted(fields | OF_EVERY_LINE)
