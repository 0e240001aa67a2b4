"""PostgreSQL, for whoever outgrows one file: the same tables and statements, and other processes beside us.

A writing transaction is SERIALIZABLE: it ends as if it had been alone, or fails and is tried again
(https://www.postgresql.org/docs/current/transaction-iso.html#XACT-SERIALIZABLE). Nothing is kept in a session, so that
a pgbouncer in transaction mode may stand between (https://www.pgbouncer.org/features.html).
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import unquote

import structlog
from sqlalchemy import URL, event, func, make_url, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.domain.errors import DatabaseAway, Later, SettingsInvalid, Setup
from bot.domain.steps import Extent, Upgrade
from bot.storage import migrations
from bot.storage.engines import Engines

log = structlog.get_logger(__name__)

DRIVER = "psycopg"
HOST = r"[\w.-]+(?::\d+)?"
SEVERAL_HOSTS = re.compile(rf"(\w+://(?:[^@/?]*@)?)({HOST}(?:,{HOST})+)([/?].*)?")
MAX_READERS = 8
MAX_WRITERS = 8
CONNECT_TIMEOUT_SECONDS = 10
START_PATIENCE_SECONDS = 60
# No transaction of ours takes a second. A pgbouncer whose server went lets those wait two minutes who had asked before
# (query_wait_timeout), and a cut network says nothing at all.
PATIENCE_SECONDS = 6
ENCODING = "UTF8"
SILENCE_MILLISECONDS = 20_000  # after which a connection that answers nothing is given up
CONNECT_ARGS: dict[str, Any] = {
    "prepare_threshold": None,  # a prepared statement belongs to a session
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENCE_MILLISECONDS,
    "client_encoding": ENCODING,  # else it would be the environment's, the user's or the database's
}
# A process that is stopped within a transaction keeps rows for which all others wait: the server ends it.
IDLE_SECONDS = 8  # within a transaction, and no more than a lease lasts
PARTING_SECONDS = 1  # for the last word on a connection that may be dead
PASSWORDS = ("password", "sslpassword")  # where an address names them after its ?, as libpq lets it
# Somebody else's transaction came between (40001), or each waited for the other (40P01).
CAME_BETWEEN = {"40001", "40P01"}
# The connection broke (08), the server is full (53), shuts down or starts (57P), only reads, as one that has not taken
# over yet (25006), or has given us up (25P03), by
# https://www.postgresql.org/docs/current/errcodes-appendix.html
AWAY = ("08", "53", "57P", "25006", "25P03")
MIGRATION_LOCK = 0x706C656467650001  # a number of our own: "pledge", and what it is for


Hear = Callable[[float], Awaitable[list[str]]]


def is_address(url: str) -> bool:
    """Tell whether an address names a database, so that it can be tried.

    One @ too many is that of a password: what follows it would count as the host, and be shown to people.
    """
    try:
        its = _read(url)
    except (ArgumentError, ValueError):
        return False
    after_user = url.partition("://")[2].partition(":")[2].partition("?")[0]
    return bool(its.database) and "@" not in (its.host or "") and after_user.count("@") <= 1


def bare_address(url: str) -> str:
    """Return an address as one may show it to people and type it within quotes, without its passwords."""
    its = _read(url).difference_update_query(PASSWORDS)
    bare = URL.create(its.drivername, its.username, None, its.host, its.port, its.database, its.query)
    return bare.render_as_string().replace(" ", "%20")


def build_engines(url: str) -> Engines:
    """Build both engines."""
    return Engines(
        alone=_build_engine(url, MAX_READERS, isolation_level="AUTOCOMMIT"),
        together=_build_engine(url, MAX_WRITERS, isolation_level="SERIALIZABLE"),
        max_readers=MAX_READERS,
        max_writers=MAX_WRITERS,
        is_shared=True,
        patience_seconds=PATIENCE_SECONDS,
        came_between=_came_between,
        is_away=is_away,
    )


def own(url: str) -> None:
    """Own nothing: several processes may work here."""


def require(url: str) -> None:
    """Ask nothing: to connect makes nothing."""


async def upgrade(url: str, extent: Extent = Extent.START) -> Upgrade:
    """Bring the tables up to date, in one transaction; of several processes one does it and the others wait.

    A server that starts at the same time as we, or starts anew meanwhile, is waited for. Other processes may be of an
    older version: what ends its time, and we can do without, is left to `migrate`.
    """
    engine, until = _build_engine(url, 1), time.monotonic() + START_PATIENCE_SECONDS
    try:
        upgraded = await _upgrade_by(engine, extent, until)
    finally:
        await engine.dispose()
    if upgraded.left:
        log.info("steps wait for `migrate --after`", steps=[step.name for step in upgraded.left])
    return upgraded


async def _upgrade_by(engine: AsyncEngine, extent: Extent, until: float) -> Upgrade:
    """Bring the tables up to date, again while the server is away, until it is late (monotonic)."""
    is_told = False
    while True:
        try:
            async with engine.begin() as connection:
                await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
                upgraded = await connection.run_sync(migrations.upgrade, extent)
                await _bound_idleness(connection)
                return upgraded
        except DBAPIError as error:
            if not is_away(error) or time.monotonic() > until:
                raise
            if not is_told:
                log.warning("the database doesn't answer yet", why=str(error.orig), seconds=START_PATIENCE_SECONDS)
            is_told = True
        await asyncio.sleep(1)


async def _bound_idleness(connection: AsyncConnection) -> None:
    """Let the server end transactions that stand still, where nobody has said otherwise: in each session from now on.

    A setting of our user in this database: a pooler lends us sessions that we cannot set up.
    """
    if (await connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")).scalar() != "0":
        return
    name = (await connection.execute(select(func.current_database()))).scalar_one()
    quoted = connection.dialect.identifier_preparer.quote(name)
    setting = f"idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
    try:
        async with connection.begin_nested():
            await connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER IN DATABASE {quoted} SET {setting}")
    except DBAPIError as error:
        if is_away(error):
            raise
        log.warning("a process that is stopped may hold others up", set_it=setting, why=str(error.orig))


@asynccontextmanager
async def listen(url: str, channel: str) -> AsyncIterator[Hear]:
    """Lend an ear: a connection outside every pool to which a channel's words come; DatabaseAway where it breaks.

    It is told how many seconds to wait for the next words, and returns as soon as there is one. A pooler may have lent
    us one of its sessions: that one is told to listen no more, or it would for ever.
    """
    import psycopg  # noqa: PLC0415  only where PostgreSQL is used

    try:
        connection = await psycopg.AsyncConnection.connect(autocommit=True, **driver_options(url))
        try:
            await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))

            async def hear(seconds: float) -> list[str]:
                return [heard.payload async for heard in connection.notifies(timeout=seconds, stop_after=1)]

            yield hear
            async with asyncio.timeout(PARTING_SECONDS):
                await connection.execute("UNLISTEN *")
        finally:
            await connection.close()
    except (psycopg.Error, TimeoutError) as error:
        reason = str(error).partition("\n")[0] or "timeout"
        raise DatabaseAway(Later.DATABASE_AWAY, reason=reason) from error


def driver_options(url: str) -> dict[str, Any]:
    """Return by what the driver itself connects to an address: the password is among it."""
    address = _read(url).set(drivername=f"postgresql+{DRIVER}")
    _, options = address.get_dialect()().create_connect_args(address)
    return {**options, **CONNECT_ARGS}


def _came_between(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in CAME_BETWEEN


def is_away(error: DBAPIError) -> bool:
    """Tell whether this says that the server cannot be reached, or broke off."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the server said nothing: no connection came about, or it broke in the middle of an answer
        return isinstance(error, OperationalError | InterfaceError | InternalError)
    return error.connection_invalidated or says_away(state)


def says_away(state: str) -> bool:
    """Tell the same of the code by which the server itself says what is wrong."""
    return state.startswith(AWAY)


def _read(url: str) -> URL:
    """Read an address, also in two forms that libpq knows and SQLAlchemy does not; ArgumentError or ValueError.

    These are a host that is the %-coded folder of a socket, and several hosts with ports of their own.
    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
    """
    if several := SEVERAL_HOSTS.fullmatch(url):
        before, hosts, after = several.groups("")
        names, _, ports = zip(*(host.partition(":") for host in hosts.split(",")), strict=True)
        return make_url(before + after).update_query_dict({"host": ",".join(names), "port": ",".join(ports)})
    its = make_url(url)
    host = unquote(its.host or "")
    if not host.startswith("/"):
        return its
    port = {} if its.port is None else {"port": str(its.port)}
    place = {"host": host, **port, **its.query}
    return URL.create(its.drivername, its.username, its.password, database=its.database, query=place)


@cache
def connection_type() -> Any:
    """Return the class of all connections of a pool, once psycopg is wanted."""
    import psycopg  # noqa: PLC0415  only where PostgreSQL is used

    class DroppedConnection(psycopg.AsyncConnection[Any]):
        """Is closed where a statement is given up: to ask the server to cancel it may take as long again."""

        async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ARG002, ASYNC109  psycopg's signature
            self.pgconn.finish()

    return DroppedConnection


def _build_engine(url: str, most_connections: int, **options: Any) -> AsyncEngine:
    """Build an engine whose pool nobody ever waits for: no more are let in by `Database` at a time."""
    engine = create_async_engine(
        _read(url).set(drivername=f"postgresql+{DRIVER}"),
        hide_parameters=True,  # an error's text must not carry values
        pool_size=most_connections,
        max_overflow=0,
        connect_args={**CONNECT_ARGS, "async_creator_fn": connection_type().connect},
        **options,
    )
    event.listen(engine.sync_engine, "connect", _require_unicode)
    event.listen(engine.sync_engine, "handle_error", _leave_values_out)
    return engine


def _require_unicode(connection: Any, _record: object) -> None:
    """Refuse a database that would refuse a name, or not know where its letters end."""
    encoding = connection.driver_connection.info.parameter_status("server_encoding")
    if encoding not in {ENCODING, None}:  # a pooler may not say
        raise SettingsInvalid(Setup.DATABASE_NOT_UNICODE, encoding=encoding)


def _leave_values_out(context: ExceptionContext) -> None:
    """Cut an error's text down to its first line: the next ones quote the row that was refused."""
    whole = str(context.original_exception)
    first, _, rest = whole.partition("\n")
    if rest and context.sqlalchemy_exception is not None:
        context.original_exception.args = (first,)
        shown = context.sqlalchemy_exception.args[0].replace(whole, first)
        context.sqlalchemy_exception.args = (shown, *context.sqlalchemy_exception.args[1:])
