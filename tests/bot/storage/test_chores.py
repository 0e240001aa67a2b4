"""Chores are merged while they wait and done by whoever is there, in one process or in several on one PostgreSQL."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from bot.domain.errors import DatabaseAway, Later
from bot.runtime.chores import AT_ONCE, ChoreKind, Chores, DirectChores, Handler
from bot.storage import chores as queued
from bot.storage import postgresql
from bot.storage.chores import QueuedChores, count_chores
from bot.storage.database import Database
from bot.storage.leases import Leases
from bot.storage.vault import new_key
from tests.fakes.postgres import Postgres
from tests.fakes.relay import relayed

KIND = ChoreKind.FIRST_READ
PATIENCE_SECONDS = 30
ROOT = Path(__file__).resolve().parents[3]

Build = Callable[[Handler], AbstractAsyncContextManager[Chores]]


class Work:
    """Chores as they are done: each goes on once it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.gate = asyncio.Event()

    async def __call__(self, key: str) -> None:
        self.begun.append(key)
        await self.gate.wait()
        self.done.append(key)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def doing(url: str, handler: Handler) -> AsyncIterator[QueuedChores]:
    """Be a process that asks, and that does chores."""
    async with asking(url, handler) as chores:
        task = asyncio.create_task(chores.run())
        try:
            yield chores
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def asking(url: str, handler: Handler) -> AsyncIterator[QueuedChores]:
    """Be a process that only asks."""
    database = await Database.attach(url)
    chores = QueuedChores(database, Leases(database), url, {KIND: handler}, owner="me")
    try:
        yield chores
    finally:
        await chores.close()
        await database.close()


async def rows(url: str) -> list[tuple[str, str]]:
    """List the jobs: what of, and how far."""
    database = await Database.attach(url)
    async with database.read() as connection:
        query = text("SELECT args->>'key', CAST(status AS TEXT) FROM procrastinate_jobs ORDER BY id")
        found = [tuple(row) for row in (await connection.execute(query)).all()]
    await database.close()
    return found


async def until_rows(url: str, wanted: list[tuple[str, str]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await rows(url) != wanted:
            await asyncio.sleep(0.1)


@pytest.fixture(params=["direct", "postgresql", "pgbouncer"])
def build(request: pytest.FixtureRequest) -> Build:
    """One process, or one that could have others beside it, also through a pooler."""
    if request.param == "direct":

        @asynccontextmanager
        async def direct(handler: Handler) -> AsyncIterator[Chores]:
            chores = DirectChores({KIND: handler})
            yield chores
            await chores.close()

        return direct
    url: str = request.getfixturevalue(f"{request.param}_url")
    return lambda handler: doing(url, handler)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost processes are noticed soon."""
    monkeypatch.setattr(queued, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(queued, "STALLED_SECONDS", 2.0)
    monkeypatch.setattr(queued, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(queued, "LOOK_ANYWAY_SECONDS", 0.2)


# What holds for one process and for several


async def test_what_waits_is_merged(build: Build) -> None:
    work = Work()
    async with build(work) as chores:
        for number in range(AT_ONCE):
            await chores.ask(KIND, f"held {number}")
        await until(lambda: len(work.begun) == AT_ONCE)
        for _ in range(3):
            for key in ("700", "701"):
                await chores.ask(KIND, key)
        work.gate.set()
        await until(lambda: len(work.done) >= AT_ONCE + 2)
        await chores.ask(KIND, "last")
        await until(lambda: "last" in work.done)
    assert work.begun[AT_ONCE:] == ["700", "701", "last"]


async def test_what_runs_is_not_merged_for_it_may_have_passed_the_news_by(build: Build) -> None:
    work = Work()
    async with build(work) as chores:
        await chores.ask(KIND, "700")
        await until(lambda: work.begun == ["700"])
        await chores.ask(KIND, "700")
        work.gate.set()
        await until(lambda: work.done == ["700", "700"])


async def test_one_that_fails_is_not_done_again_and_harms_no_other(build: Build) -> None:
    errors = {"a defect": RuntimeError, "cut within": asyncio.CancelledError, "foreseen": DatabaseAway}
    begun = list[str]()

    async def fail(key: str) -> None:
        begun.append(key)
        if key in errors:
            raise errors[key](*([Later.DATABASE_AWAY] if key == "foreseen" else []))

    async with build(fail) as chores:
        for key in (*errors, "700"):
            await chores.ask(KIND, key)
        await until(lambda: "700" in begun)
        await chores.ask(KIND, "last")
        await until(lambda: "last" in begun)
    assert sorted(begun) == sorted([*errors, "700", "last"])


async def test_of_many_a_few_run_at_once_and_all_are_done(build: Build) -> None:
    running = most = 0
    done = list[str]()

    async def count(key: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        done.append(key)

    keys = [f"{number:02}" for number in range(30)]
    async with build(count) as chores:
        for key in keys:
            await chores.ask(KIND, key)
        await until(lambda: len(done) == len(keys))
    assert sorted(done) == keys
    assert most <= AT_ONCE


async def test_what_is_under_way_at_the_end_is_done_and_then_nothing_is_asked_for(build: Build) -> None:
    work = Work()
    async with build(work) as chores:
        await chores.ask(KIND, "700")
        await until(lambda: work.begun)
        asyncio.get_running_loop().call_later(0.2, work.gate.set)
    assert work.done == ["700"]
    await chores.ask(KIND, "701")
    assert work.begun == ["700"]


# Several processes


@pytest.fixture(params=["postgresql", "pgbouncer"])
def shared_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


async def test_two_processes_share_them_and_each_is_done_once(shared_url: str) -> None:
    one, two = Work(), Work()
    async with doing(shared_url, one) as chores, doing(shared_url, two):
        keys = [f"{number:02}" for number in range(2 * AT_ONCE)]
        for key in keys:
            await chores.ask(KIND, key)
        await until(lambda: len(one.begun) == len(two.begun) == AT_ONCE)
        one.gate.set()
        two.gate.set()
        await until(lambda: len(one.done + two.done) == len(keys))
        assert sorted(one.done + two.done) == keys
        await until_rows(shared_url, [])


async def test_asked_for_by_several_processes_at_once_it_waits_once(shared_url: str) -> None:
    async with asking(shared_url, Work()) as one, asking(shared_url, Work()) as two:
        await asyncio.gather(*[chores.ask(KIND, key) for key in ("700", "701") for chores in (one, two) for _ in "ab"])
    assert sorted(await rows(shared_url)) == [("700", "todo"), ("701", "todo")]


async def test_who_only_asks_does_none_and_whoever_comes_later_does_it(shared_url: str) -> None:
    work, nobody = Work(), Work()
    work.gate.set()
    async with asking(shared_url, nobody) as chores:
        await chores.ask(KIND, "700")
    async with doing(shared_url, work):
        await until(lambda: work.done == ["700"])
    assert nobody.begun == []


async def test_a_kind_that_a_version_does_not_know_is_left_to_those_that_do(postgresql_url: str) -> None:
    work = Work()
    work.gate.set()
    database = await Database.attach(postgresql_url)
    older = QueuedChores(database, Leases(database), postgresql_url, {}, owner="me")
    task = asyncio.create_task(older.run())
    async with asking(postgresql_url, work) as chores:
        await chores.ask(KIND, "700")
    await asyncio.sleep(1.5)  # longer than it takes to look
    assert await rows(postgresql_url) == [("700", "todo")]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await older.close()
    await database.close()
    async with doing(postgresql_url, work):
        await until(lambda: work.done == ["700"])


async def test_what_an_ending_process_cuts_is_done_by_another(shared_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued, "GRACE_SECONDS", 0.05)
    one, two = Work(), Work()
    two.gate.set()
    async with doing(shared_url, one) as chores:
        await chores.ask(KIND, "700")
        await until(lambda: one.begun)
    assert await rows(shared_url) == [("700", "todo")]
    async with doing(shared_url, two):
        await until(lambda: two.done == ["700"])
    assert one.done == []


async def test_what_is_cut_and_was_asked_for_again_is_done_once(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queued, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(queued, "AT_ONCE", 1)
    one, two = Work(), Work()
    two.gate.set()
    async with doing(postgresql_url, one) as chores:
        await chores.ask(KIND, "700")
        await until(lambda: one.begun)
        await chores.ask(KIND, "700")
    assert sorted(await rows(postgresql_url)) == [("700", "doing"), ("700", "todo")]
    async with asking(postgresql_url, two) as chores:
        await chores._open()
        await chores.sweep()
    assert await rows(postgresql_url) == [("700", "todo")]
    async with doing(postgresql_url, two):
        await until_rows(postgresql_url, [])
    assert two.done == ["700"]


async def test_an_end_that_could_not_be_written_is_written_later(
    quick: None, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    work.gate.set()
    async with doing(postgresql_url, work) as chores:
        manager = chores._app.job_manager
        finish = manager.finish_job

        async def lost(*_: Any, **__: Any) -> None:
            monkeypatch.setattr(manager, "finish_job", finish)

        monkeypatch.setattr(manager, "finish_job", lost)
        await chores.ask(KIND, "700")
        await until_rows(postgresql_url, [])
        await until(lambda: work.done)
    assert work.done == ["700"]


WORKER = """
import asyncio, sys
from bot.runtime.chores import ChoreKind
from bot.storage.chores import QueuedChores
from bot.storage.database import Database
from bot.storage.leases import Leases

async def begin(key):
    print("begun", key, flush=True)
    await asyncio.sleep(600)

async def main(url):
    database = await Database.attach(url)
    await QueuedChores(database, Leases(database), url, {ChoreKind.FIRST_READ: begin}, owner="me").run()

asyncio.run(main(sys.argv[1]))
"""


@asynccontextmanager
async def worker_process(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process of its own that begins each chore, and ends none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, url), stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ}
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def begun_by(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return (await process.stdout.readline()).decode().strip()


async def test_a_chore_in_the_midst_of_which_its_process_is_killed_is_done_by_another(
    quick: None, shared_url: str
) -> None:
    work = Work()
    work.gate.set()
    async with worker_process(shared_url) as process:
        async with asking(shared_url, work) as chores:
            await chores.ask(KIND, "700")
        assert await begun_by(process) == "begun 700"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert await rows(shared_url) == [("700", "doing")]
        async with doing(shared_url, work):
            await until(lambda: work.done == ["700"])
            await until_rows(shared_url, [])


async def test_one_process_at_a_time_looks_for_what_was_lost(quick: None, postgresql_url: str) -> None:
    work = Work()
    work.gate.set()
    database = await Database.attach(postgresql_url)
    leases = Leases(database)
    lease = await leases.claim(queued.SWEEPER, "another", timedelta(hours=1))
    assert lease is not None
    async with doing(postgresql_url, work) as chores:
        await chores.ask(KIND, "700")
        await until(lambda: work.done == ["700"])
        async with database.write() as connection:
            await connection.execute(
                text(
                    "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
                    " VALUES ('first_read', 'first_read', '{\"key\": \"701\"}', 'doing')"
                )
            )
        await asyncio.sleep(1)
        assert ("701", "doing") in await rows(postgresql_url)
        await leases.release(lease)
        await until(lambda: "701" in work.done)
    await database.close()


async def test_a_lost_chore_that_was_asked_for_again_is_done_once(quick: None, postgresql_url: str) -> None:
    work = Work()
    work.gate.set()
    async with worker_process(postgresql_url) as process, asking(postgresql_url, work) as chores:
        await chores.ask(KIND, "700")
        assert await begun_by(process) == "begun 700"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await chores.ask(KIND, "700")
        await asyncio.sleep(queued.STALLED_SECONDS + 0.5)  # by the database's clock
        await chores.sweep()
        assert await rows(postgresql_url) == [("700", "todo")]


# The database

ONE_PROCESS = """
import asyncio, sys
from bot.app import build_app
from bot.cli import main
from bot.ops.status import look
from bot.runtime.clock import SystemClock
from bot.settings import load_settings
from bot.storage import Storage
from bot.storage.vault import Vault
from cogs import add_cogs

async def start():
    settings = load_settings()
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    app = await build_app(settings=settings, clock=SystemClock(), storage=storage)
    await app.chores.close()
    await app.http.close()
    await look(settings.database_url)
    await storage.close()

asyncio.run(start())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"procrastinate", "psycopg", "psycopg_pool"}))
"""


async def test_one_process_on_sqlite_loads_nothing_of_it(tmp_path: Path) -> None:
    environment = os.environ | {
        "PLEDGEKEEPER_NO_DOTENV": "1",
        "DISCORD_TOKEN": "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.and-27-or-more-letters-after-it",
        "PATREON_CLIENT_ID": "id",
        "PATREON_CLIENT_SECRET": "secret",
        "PATREON_CAMPAIGN_ID": "700",
        "PUBLIC_URL": "http://127.0.0.1:8080",
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}",
        "ENCRYPTION_KEYS": new_key().reveal(),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ONE_PROCESS), stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=environment
    )
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"


async def test_where_it_is_heard_it_listens_and_through_a_pooler_it_looks_more_often(
    postgresql_url: str, pgbouncer_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list[tuple[bool, float]]()

    async def note(**options: Any) -> None:
        found.append((options["listen_notify"], options["fetch_job_polling_interval"]))

    for url in (postgresql_url, pgbouncer_url):
        async with asking(url, Work()) as chores:
            monkeypatch.setattr(chores._app, "run_worker_async", note)
            await chores.run()
    assert found == [(True, 5.0), (False, 1.0)]


@asynccontextmanager
async def sessions(postgres: Postgres, database: str) -> AsyncIterator[Callable[[], Any]]:
    """Lend a way to ask what the sessions of others on a database did last."""
    watcher = await Database.attach(postgres.url(database))

    async def look() -> list[str]:
        query = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        async with watcher.read() as connection:
            return list((await connection.execute(text(query))).scalars())

    yield look
    await watcher.close()


async def test_it_has_few_connections_however_much_is_asked(postgres: Postgres, emptied: str) -> None:
    work = Work()
    async with sessions(postgres, emptied) as look:
        before = len(await look())
        async with doing(postgres.url(emptied), work) as chores:
            await asyncio.gather(*[chores.ask(KIND, str(number)) for number in range(30)])
            await until(lambda: len(work.begun) == AT_ONCE)
            ours = len(await look()) - before
    # Beside its own two and the one that listens: what the test's own database asked its lease by.
    assert ours <= queued.MAX_CONNECTIONS + 1 + 2
    assert queued.MAX_CONNECTIONS == 2


async def test_a_database_that_is_silent_is_away_for_those_who_ask_and_those_who_work(
    postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 2)
    monkeypatch.setattr(queued, "HEARTBEAT_SECONDS", 0.2)
    async with relayed(postgres) as relay, asking(relay.url(emptied), Work()) as chores:
        await chores.ask(KIND, "700")
        working = asyncio.create_task(chores.run())
        relay.cut()
        with pytest.raises(DatabaseAway):
            await chores.ask(KIND, "701")
        with pytest.raises(DatabaseAway):
            await asyncio.wait_for(working, PATIENCE_SECONDS)
        relay.mend()
        await chores.ask(KIND, "702")


async def test_a_process_that_ends_does_not_wait_for_a_silent_database(
    postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GRACE_SECONDS", "END_SECONDS"):
        monkeypatch.setattr(queued, name, 0.1)
    work = Work()
    async with relayed(postgres) as relay, asking(relay.url(emptied), work) as chores:
        working = asyncio.create_task(chores.run())
        await chores.ask(KIND, "700")
        await until(lambda: work.begun)
        relay.cut()
        monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 600)
        working.cancel()
        await asyncio.wait({working}, timeout=PATIENCE_SECONDS)
        assert working.cancelled()


async def test_a_server_that_restarts_ends_the_work_until_it_is_begun_anew(
    postgres: Postgres, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 3)
    work = Work()
    work.gate.set()
    async with asking(postgresql_url, work) as chores:
        await chores.ask(KIND, "700")
        working = asyncio.create_task(chores.run())
        await until(lambda: work.done == ["700"])
        postgres.stop()
        with pytest.raises(DatabaseAway):
            await chores.ask(KIND, "701")
        await asyncio.wait({working}, timeout=PATIENCE_SECONDS)
        assert working.done()
        assert isinstance(working.exception(), DatabaseAway | None)
        postgres.start()
        async with doing(postgresql_url, work):
            await chores.ask(KIND, "702")
            await until(lambda: "702" in work.done)


async def test_no_password_is_in_what_is_raised_or_logged(
    emptied: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres: Postgres
) -> None:
    database = await Database.attach(postgres.url(emptied))
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 0.5)
    nowhere = f"postgresql://somebody:MARKER@/{emptied}?host={tmp_path}"
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        chores = QueuedChores(database, Leases(database), nowhere, {KIND: Work()}, owner="me")
        monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 10)
        for name in queued.QUIET:
            logging.getLogger(name).setLevel(logging.DEBUG)
        for act in (chores.ask(KIND, "700"), chores.run()):
            with pytest.raises(DatabaseAway) as away:
                await act
            assert "MARKER" not in str(away.value)
            assert "TimeoutError" not in str(away.value), "the driver itself gave up"
        await chores.close()
    await database.close()
    assert caplog.text
    assert "MARKER" not in caplog.text + repr(logs)


async def test_what_waits_and_what_runs_is_counted_by_kind(postgresql_url: str, sqlite_url: str) -> None:
    work = Work()
    database = await Database.attach(postgresql_url)
    assert await count_chores(database) == ()
    async with doing(postgresql_url, work) as chores:
        for number in range(AT_ONCE + 3):
            await chores.ask(KIND, str(number))
        await until(lambda: len(work.begun) == AT_ONCE)
        (found,) = await count_chores(database)
        work.gate.set()
    await database.close()
    assert (found.kind, found.waiting, found.running) == (KIND, 3, AT_ONCE)
    assert 0 < found.waiting_seconds < PATIENCE_SECONDS
    file = await Database.attach(sqlite_url)
    assert await count_chores(file) == ()
    await file.close()
