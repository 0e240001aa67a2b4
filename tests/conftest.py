"""What holds for every test: a search is judged by what it finds, never by how busy the machine is.

Each process that runs tests has a PostgreSQL of its own, and a process from which bots are forked, from the first test
that asks for one.
"""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from bot.storage import postgresql
from tests.fakes import lateness
from tests.fakes.forked import Forks, forking
from tests.fakes.postgres import Postgres, serve_pgbouncer, serve_postgres

MEMORY = Path("/dev/shm")  # Linux's file system in memory
ENOUGH_BYTES = 4_000_000_000


def use_memory() -> None:
    """Put what tests write into memory, where there is enough and nobody said where: each commit waits for a disk."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH_BYTES:
        return
    if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:  # some tests write programs
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


use_memory()
lateness.install()
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
# A machine with too much to do is no database that says nothing; tests of that one say how long they wait.
postgresql.PATIENCE_SECONDS = 30

COLLECTED_AFTER = 50_000  # objects more
LONGEST = (
    *("test_chaos", "test_invariants", "test_gateways", "test_calls", "test_rolling_upgrade", "test_bad_reads"),
    "test_image",  # of which one worker makes what all of its tests share
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the journeys among the files of the other tests: they wait more than they work, and the others work.

    The longest ones come first: at the end one worker would be left alone with them.
    """
    longest = [item for item in items if item.path.stem in LONGEST]
    rest = [item for item in items if item.path.stem not in LONGEST]
    journeys = [item for item in rest if "journeys" in item.path.parts]
    others = [item for item in rest if "journeys" not in item.path.parts]
    left, done, placed = iter(journeys), 0, 0
    items[:] = longest
    for _, file in groupby(others, lambda item: item.path):
        tests = list(file)
        done += len(tests)
        due = len(journeys) * done // len(others)
        items += [*tests, *islice(left, due - placed)]
        placed = due
    items += left


def pytest_collection() -> None:
    """Let the cyclic collector rest: modules and tests stay, and it would look through more and more of them."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let it work again, and pass over what is there by now."""
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    gc.enable()


@pytest.fixture(autouse=True)
def logging_as_found() -> Iterator[None]:
    """Logging belongs to the process: a test that leaves it quiet would fail another one, in some orders only."""
    before = structlog.get_config()
    yield
    assert structlog.get_config() == before


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with forking() as forks:
        yield forks


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with serve_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[Postgres]:
    with serve_pgbouncer(postgres) as pooler:
        yield pooler


@pytest.fixture(scope="session")
def with_tables(postgres: Postgres) -> str:
    """Name a database on our server whose tables are made."""
    name = postgres.create()
    asyncio.run(postgresql.upgrade(postgres.url(name)))
    return name


@pytest.fixture
def emptied(postgres: Postgres, with_tables: str) -> str:
    """Name the same, without a row."""
    postgres.empty(with_tables)
    return with_tables
