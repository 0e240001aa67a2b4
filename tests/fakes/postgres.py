"""The PostgreSQL and the pgbouncer of the tests: one server for each test process."""

import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sandbox.postgres import OWNER, PATIENCE_SECONDS, PostgresServer, find_programs, temporary_folder

NEEDED = "PLEDGEKEEPER_NEEDS_POSTGRESQL"  # set: a test that would skip for want of one fails instead
_numbers = itertools.count(1)

# To truncate all tables takes five times as long as to delete their few rows. Whoever was connected is waited for: what
# they were about to store would come after.
EMPTY = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$
DECLARE one regclass;
BEGIN
    FOR one IN
        SELECT oid FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        IF pg_relation_size(one) > 500000 THEN
            EXECUTE format('TRUNCATE %s CASCADE', one);
        ELSE
            EXECUTE format('DELETE FROM %s', one);
        END IF;
    END LOOP;
END $$;
SELECT setval(seqrelid, seqstart, false) FROM pg_sequence;
"""


def require_programs() -> Path:
    """Return the folder of its programs; without one the test is skipped, or fails where one is needed."""
    programs = find_programs()
    if programs is None:
        if os.environ.get(NEEDED):
            pytest.fail("PostgreSQL is needed and not installed")
        pytest.skip("there is no PostgreSQL (Debian's package: postgresql)")
    return programs


@dataclass
class Postgres(PostgresServer):
    """A server, and its databases."""

    def create(self, template: str | None = None) -> str:
        """Make an empty database, or a copy of another one to which nobody is connected; return its name."""
        name = f"t{next(_numbers)}"
        copied = "" if template is None else f" TEMPLATE {template} STRATEGY FILE_COPY"
        self.execute(f"CREATE DATABASE {name}{copied}")
        return name

    def drop(self, name: str) -> None:
        """Drop a database and end whoever is connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def empty(self, name: str) -> None:
        """End whoever is connected and empty all tables: a fraction of what a new database costs."""
        self.execute(EMPTY, on=name)

    def execute(self, statement: str, *, on: str = "postgres") -> None:
        """Execute one statement as the server's owner."""
        with psycopg.connect(host=str(self.folder), user=OWNER, dbname=on, autocommit=True) as connection:
            connection.execute(statement.encode())

    def answers(self) -> bool:
        """Tell whether it takes statements: a pooler takes connections before."""
        with contextlib.suppress(psycopg.OperationalError):
            self.execute("SELECT 1")
            return True
        return False


@contextlib.contextmanager
def serve_postgres() -> Iterator[Postgres]:
    """Run a server."""
    programs = require_programs()
    with temporary_folder() as folder:
        server = Postgres(programs=programs, folder=folder)
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.stop()


_CONFIGURATION = f"""[databases]
* = host={{host}} user={OWNER}
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
auth_type = any
listen_port = 5432
unix_socket_dir = {{folder}}
server_login_retry = 0.1
"""


@contextlib.contextmanager
def serve_pgbouncer(server: Postgres) -> Iterator[Postgres]:
    """Run a pgbouncer in front of a server, in transaction mode: a few sessions serve everybody in turn.

    It asks anew at once for a server that went: a test that stops one is not to trouble those that come after it.
    """
    program = find_pgbouncer()
    if program is None:
        if os.environ.get(NEEDED):
            pytest.fail("pgbouncer is needed and not installed")
        pytest.skip("there is no pgbouncer (Debian's package: pgbouncer)")
    with temporary_folder() as folder:
        (folder / "pgbouncer.ini").write_text(
            _CONFIGURATION.format(host=server.folder, folder=folder), encoding="utf-8"
        )
        pooler = Postgres(programs=program.parent, folder=folder)
        pooler.process = pooler.run("pgbouncer", str(folder / "pgbouncer.ini"))
        try:
            pooler.wait()
            yield pooler
        finally:
            pooler.stop()


def let_in(url: str) -> str:
    """Return the address of a pooled database once the pooler lets us in.

    After a login that failed, as while its server restarts, it turns the next one away, and only then tries again.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.Error:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return url


def find_pgbouncer() -> Path | None:
    """Return the program; Debian puts it where a user's PATH may not lead."""
    found = shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    return None if found is None else Path(found)
