"""What people read stands in `bot/texts/` and in the pages' templates: elsewhere are codes, and whoever shows one asks.

A text that stands anywhere else can't be translated, and its English is nobody's to look after.
"""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch

import pytest

from tests.fakes.sources import Sources

TREES = Sources("bot", "cogs")
TEXTS = "bot/texts/"

WORDS = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z]{2,}")  # two words with a blank between them; no SQL, no name
LOGGED = {"log", "debug", "info", "warning", "error", "exception", "critical"}  # of structlog
BUILT_IN = {"AssertionError", "LookupError", "RuntimeError", "TimeoutError", "TypeError", "ValueError", "VaultError"}
SAID_TO_NOBODY = {"name", "event"}  # a task's name; the event of a log line
SQL = {"execute", "exec_driver_sql"}

# Files whose texts stay English, each with its reason.
ENGLISH = {
    "bot/discord/supervisor.py": "why a client ended, for the log",
    "bot/cli.py": "a terminal speaks English",
    "bot/ops/check/*": "a terminal speaks English",
    "bot/ops/gauges.py": "read by a monitoring system",
    "bot/ops/health.py": "a terminal speaks English",
    "bot/ops/metrics.py": "read by a monitoring system",
    "bot/patreon/clientwatch.py": "what a log line asks the operator to do",
    "bot/runtime/logs.py": "a log line's mark for what it leaves out",
    "bot/runtime/loops.py": "why a part begins anew, for the log",
    "bot/settings.py": "what is wrong with the environment is said at a terminal",
    "bot/storage/backups.py": "the key of a stored row, and SQL",
    "bot/storage/campaigns.py": "the key of a stored row",
    "bot/storage/copying.py": "the key of a stored row, and SQL",
    "bot/storage/migrations/versions/*": "what earlier versions stored",
    "bot/storage/numbering.py": "SQL",
    "bot/storage/restores.py": "the key of a stored row",
    "bot/storage/sealing.py": "the key of a stored row",
    "bot/storage/sqlite.py": "what is wrong with DATABASE_URL is said at a terminal",
    "bot/web/api.py": "headers, which programs read",
    "bot/storage/unlinks.py": "the lines of a stored file",
    "bot/web/connections.py": "an answer to what was no request: nobody knows its language",
    "bot/web/deliveries.py": "answers to Patreon's servers, and what /metrics counts them by",
    "bot/web/metrics.py": "read by a monitoring system",
    "bot/web/server.py": "what is wrong with WEB_HOST is said at a terminal",
}


def is_english(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in ENGLISH)


def texts(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the texts of a file, but those that nobody is shown: docstrings, codes, log lines, our own faults."""
    for child in ast.iter_child_nodes(tree):
        match child:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.ClassDef(bases=[ast.Name("StrEnum") | ast.Attribute(attr="StrEnum")]):
                yield from (
                    text for part in child.body if not isinstance(part, ast.Assign | ast.Expr) for text in texts(part)
                )
            case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=level)) if level in LOGGED:
                continue
            case ast.Call(func=ast.Name("Tally")):  # the event of a log line, counted
                continue
            case ast.Call(func=ast.Attribute(attr=verb)) if verb in SQL:
                continue
            case ast.Raise(exc=ast.Call(func=ast.Name(kind))) if kind in BUILT_IN:
                continue
            case ast.keyword(arg=name) if name in SAID_TO_NOBODY:
                continue
            case ast.JoinedStr() | ast.Constant(value=str()):
                yield child
            case _:
                yield from texts(child)


def words_of(text: ast.expr) -> str:
    """Return what is written in a text, a fact in it as one sign."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    assert isinstance(text, ast.JoinedStr)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in text.values)


def said_in(name: str) -> list[str]:
    return [f"{text.lineno}: {words_of(text)}" for text in texts(TREES[name]) if WORDS.search(words_of(text))]


def test_each_text_is_found_that_somebody_may_be_shown() -> None:
    source = """
'A docstring of some words'
class Word(enum.StrEnum):
    'What a word may be.'
    FREE = "Free of charge"
def act(name):
    log.info("a round began", why=f"for {name} alone")
    connection.execute("PRAGMA of the driver")
    tally = Tally("pages were counted")
    raise TypeError("not of this world")
def say(name):
    raise UserMistake(f"there is no {name} here")
"""
    assert [words_of(text) for text in texts(ast.parse(source))] == ["there is no … here"]


@pytest.mark.parametrize("name", [name for name in TREES if not name.startswith(TEXTS) and not is_english(name)])
def test_no_text_for_people_stands_outside_their_room(name: str) -> None:
    assert said_in(name) == []


@pytest.mark.parametrize("pattern", ENGLISH)
def test_each_exception_is_one(pattern: str) -> None:
    assert any(said_in(name) for name in TREES if fnmatch(name, pattern)), f"{pattern} needs no exception any more"
