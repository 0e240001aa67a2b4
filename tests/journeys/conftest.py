"""Journeys run the whole bot as a process, with a real database and real sockets, in the sandbox.

Those on which everything rests run on both databases. Those of the process itself start it as an operator does; the
others fork it from one that has loaded the modules.
"""

from collections.abc import AsyncIterator

import pytest

from sandbox import botprocess
from tests.fakes.forked import Forks
from tests.fakes.postgres import Postgres
from tests.fakes.stage import Stage

ON_BOTH = {
    f"test_{name}" for name in ("link", "webhooks", "connect", "order", "ledger", "crash", "brake", "bad_reads", "api")
}
STARTED = "test_process"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        through = ["pgbouncer"] if metafunc.module.__name__.endswith("test_link") else []
        metafunc.parametrize("database", ["sqlite", "postgresql", *through], indirect=True)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which database the bots of a test work on."""
    name = getattr(request, "param", "sqlite")
    if name != "sqlite":
        server: Postgres = request.getfixturevalue("postgres" if name == "postgresql" else name)
        monkeypatch.setattr(Stage, "database_url", server.url(request.getfixturevalue("emptied")))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        yield stage


@pytest.fixture(autouse=True)
def _forked(request: pytest.FixtureRequest, forks: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.stem != STARTED:
        monkeypatch.setattr(botprocess, "launch", forks.launch)
