"""Chores among several processes: jobs of procrastinate, in tables of the same PostgreSQL. Knows no chore.

A queue for each kind, so that a version that doesn't know a kind leaves it to those that do. The queueing lock is kind
and key: what waits is merged. No lock: what runs keeps nothing back. A job is deleted when it has ended, however.

A process that ends gives back what it cuts. One that is lost is known by its heart, which the database hears no more:
the others look for what it left. The library is loaded only where chores are queued, and used only here.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import Any, NoReturn

import structlog
from sqlalchemy import Text, and_, cast, column, extract, func, select, table

from bot.domain.errors import DatabaseAway, Later
from bot.domain.status import ChoresStatus
from bot.runtime.chores import AT_ONCE, ChoreKind, Handler, Handlers, do_chore
from bot.storage import postgresql
from bot.storage.bell import is_heard
from bot.storage.database import Database
from bot.storage.leases import Leases
from bot.storage.tables.column_types import EPOCH

log = structlog.get_logger(__name__)

MAX_CONNECTIONS = 2  # beside the one that listens
LOOK_SECONDS = 1.0  # how often a worker looks where it isn't told
LOOK_ANYWAY_SECONDS = 5.0  # and where it is
GRACE_SECONDS = 1.0  # for what is under way when the process ends
END_SECONDS = 4.0  # for all that ends then; a database that is away is waited for no longer
HEARTBEAT_SECONDS = 5.0
STALLED_SECONDS = 20.0  # of silence, after which a worker counts as lost
SWEEP_SECONDS = 10.0
SWEEPER = "loop:chores"  # the lease of whoever looks for what was left: two would give it back twice
QUIET = ("procrastinate", "psycopg.pool")  # their loggers: what fails we say ourselves, once

_TODO, _DOING = "todo", "doing"
_JOBS = table("procrastinate_jobs", column("id"), column("task_name"), column("status"))
_EVENTS = table("procrastinate_events", column("job_id"), column("type"), column("at"))


class QueuedChores:
    """Asks all processes, and does in `run` what any of them asks for."""

    def __init__(self, database: Database, leases: Leases, url: str, handlers: Handlers, *, owner: str) -> None:
        import procrastinate  # noqa: PLC0415  only where chores are queued

        for name in QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._database = database
        self._leases = leases
        self._url = url
        self._owner = owner
        self._kinds = [kind.value for kind in handlers]  # the driver would write an enumeration's member by its name
        self._ended: set[int] = set()  # the jobs that were done since the last look, and those before
        self._ended_before: set[int] = set()
        self._opening = asyncio.Lock()
        self._is_open = self._is_closed = False
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                kwargs=postgresql.driver_options(url),
                connection_class=postgresql.connection_type(),
                min_size=0,
                max_size=MAX_CONNECTIONS,
                timeout=postgresql.PATIENCE_SECONDS,
                reconnect_timeout=postgresql.PATIENCE_SECONDS,  # else it tries ever more seldom
            )
        )
        for kind, handler in handlers.items():
            self._add(kind, handler)

    async def ask(self, kind: ChoreKind, key: str) -> None:
        """Let any process do it soon."""
        if self._is_closed:
            return
        lock = f"{kind}:{key}"
        with _reached():
            async with asyncio.timeout(postgresql.PATIENCE_SECONDS):
                await self._open()
                if await self._app.job_manager.list_jobs_async(queueing_lock=lock, status=_TODO):
                    return  # mostly: a row that is refused is an error in the server's log
                with suppress(*_merged()):
                    await self._app.configure_task(kind.value, queue=kind.value, queueing_lock=lock).defer_async(
                        key=key
                    )

    async def run(self) -> None:
        """Do chores until cancelled; DatabaseAway where the database goes."""
        with _reached():
            await self._open()
            is_told = await is_heard(self._database, self._url)
            work = self._app.run_worker_async(
                queues=self._kinds,
                concurrency=AT_ONCE,
                listen_notify=is_told,
                fetch_job_polling_interval=LOOK_ANYWAY_SECONDS if is_told else LOOK_SECONDS,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
            )
            tasks = {asyncio.create_task(work), asyncio.create_task(self._keep_sweeping())}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await _cut(tasks)

    async def close(self) -> None:
        """Ask nobody any more; what `run` was doing has ended with it."""
        self._is_closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(postgresql.PARTING_SECONDS):
                await self._app.close_async()

    async def sweep(self) -> None:
        """Give back what lost processes left undone."""
        from procrastinate.jobs import Status  # noqa: PLC0415  as above

        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            log.warning("a chore is given back: its process was lost", kind=job.task_name, **job.task_kwargs)
            try:
                await manager.retry_job(job, retry_at=EPOCH)  # long ago, by whichever clock
            except _merged():  # it was asked for again, and that one waits
                await manager.finish_job(job, Status.FAILED, delete_job=True)
        await manager.prune_stalled_workers(STALLED_SECONDS)

    async def _keep_sweeping(self) -> NoReturn:
        while True:
            with suppress(DatabaseAway), _reached():
                await self._end_again()
                if await self._leases.claim(SWEEPER, self._owner, timedelta(seconds=SWEEP_SECONDS)) is not None:
                    await self.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _end_again(self) -> None:
        """End what was done here where that could not be written: while we live, nobody else would."""
        from procrastinate.jobs import Status  # noqa: PLC0415  as above

        if self._ended_before:
            manager = self._app.job_manager
            for job in await manager.list_jobs_async(status=_DOING):
                if job.id in self._ended_before:
                    await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
        self._ended_before, self._ended = self._ended, set()

    async def _open(self) -> None:
        """Let there be a pool; a connection comes when it is wanted."""
        async with self._opening:
            if not self._is_open:
                await self._app.open_async()
                self._is_open = True

    def _add(self, kind: ChoreKind, handler: Handler) -> None:
        from procrastinate import JobContext  # noqa: PLC0415  as above

        async def do(context: JobContext, key: str) -> None:
            await do_chore(handler, kind, key)
            self._ended.add(context.job.id or 0)

        self._app.task(name=kind.value, queue=kind.value, pass_context=True, retry=_given_back())(do)


async def count_chores(database: Database) -> tuple[ChoresStatus, ...]:
    """Say of each kind what waits and what runs; nothing where no other process could be asked."""
    if not database.is_shared:
        return ()
    status = cast(_JOBS.c.status, Text)
    asked = and_(_EVENTS.c.job_id == _JOBS.c.id, cast(_EVENTS.c.type, Text) == "deferred")
    oldest = func.min(_EVENTS.c.at).filter(status == _TODO)
    query = (
        select(
            _JOBS.c.task_name.label("kind"),
            func.count().filter(status == _TODO).label("waiting"),
            func.count().filter(status == _DOING).label("running"),
            func.coalesce(extract("epoch", func.clock_timestamp() - oldest), 0).label("seconds"),
        )
        .select_from(_JOBS.outerjoin(_EVENTS, asked))
        .group_by(_JOBS.c.task_name)
        .order_by(_JOBS.c.task_name)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(
        ChoresStatus(kind=row.kind, waiting=row.waiting, waiting_seconds=float(row.seconds), running=row.running)
        for row in rows
    )


async def _cut(tasks: set[asyncio.Task[Any]]) -> None:
    """End tasks: first as they would themselves, and where that takes too long, at once."""
    for seconds in (END_SECONDS, postgresql.PARTING_SECONDS):
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=seconds)
        if not tasks:
            return


@contextmanager
def _reached() -> Iterator[None]:
    """Say that the database is away in our words."""
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415  as above

    try:
        yield
    except ConnectorException as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state is not None and not postgresql.says_away(state):
            raise
        raise DatabaseAway(Later.DATABASE_AWAY, reason=str(error.__cause__).partition("\n")[0]) from error
    except TimeoutError as error:
        raise DatabaseAway(Later.DATABASE_AWAY, reason=type(error).__name__) from error


@cache
def _merged() -> tuple[type[Exception], ...]:
    """Return what is raised where one waits already.

    The library reads that out of the server's message, and asserts that it is in English.
    """
    from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation  # noqa: PLC0415  as above

    return AlreadyEnqueued, UniqueViolation, AssertionError


@cache
def _given_back() -> Any:
    """Return the library's word for: whatever is cut waits again; whatever fails, and that is ours to log, doesn't."""
    from procrastinate import BaseRetryStrategy, RetryDecision  # noqa: PLC0415  as above

    class GivenBack(BaseRetryStrategy):
        def get_retry_decision(self, *, exception: BaseException, job: Any) -> RetryDecision | None:  # noqa: ARG002
            return RetryDecision(retry_at=EPOCH) if isinstance(exception, asyncio.CancelledError) else None

    return GivenBack()
