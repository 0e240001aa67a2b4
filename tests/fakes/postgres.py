"""A PostgreSQL of our own: one server for each test process, in a temporary folder, on a Unix socket, gone afterwards.

Debian's `postgresql` puts its programs where no PATH leads, and they refuse to run as root: then the server runs as the
user whom that package made.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from bot.storage.tables import metadata

NEEDED = "PLEDGEKEEPER_NEEDS_POSTGRESQL"  # set: a test that would skip for want of one fails instead
DEBIAN = Path("/usr/lib/postgresql")
SERVER_USER = "postgres"
PATIENCE_SECONDS = 60
OWNER = "pledgekeeper"
# Nothing of it must survive the test, so nothing waits for a disk.
QUICK = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"),
    *("autovacuum=off", "max_connections=200", "shared_buffers=32MB"),
)
_numbers = itertools.count(1)


def find_programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`: the newest that there is."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def require_programs() -> Path:
    """Return that folder; without one the test is skipped, or fails where one is needed."""
    programs = find_programs()
    if programs is None:
        if os.environ.get(NEEDED):
            pytest.fail("PostgreSQL is needed and not installed")
        pytest.skip("there is no PostgreSQL (Debian's package: postgresql)")
    return programs


@dataclass
class Postgres:
    """A server, and how to reach it."""

    programs: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def url(self, database: str) -> str:
        """Return the address of a database, as it stands in DATABASE_URL."""
        return f"postgresql://{OWNER}@/{database}?host={self.folder}"

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
        """End whoever is connected and empty all tables: a tenth of what a new database costs."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        tables = (*metadata.tables, "procrastinate_jobs", "procrastinate_workers")
        self.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE", on=name)

    def execute(self, statement: str, *, on: str = "postgres") -> None:
        """Execute one statement as the server's owner."""
        with psycopg.connect(host=str(self.folder), user=OWNER, dbname=on, autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [part for one in QUICK for part in ("-c", one)]
        command = ["postgres", "-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="]
        self.process = self._run(*command, *options)
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        assert self.process is not None
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not start: " + (self.folder / "log").read_text(encoding="utf-8"))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends whoever is connected, SIGQUIT leaves everything as a crash would."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_SECONDS)
            self.process = None

    def make(self) -> None:
        """Make the server's files."""
        made = self._run(
            *("initdb", "-D", str(self.folder / "data"), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync"),
            # Not C: text that is compared or sorted must not rest on one collation.
            *("--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8", "--no-instructions"),
        )
        assert made.wait(PATIENCE_SECONDS) == 0, (self.folder / "log").read_text(encoding="utf-8")

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program that ends with us, however we end."""
        as_whom = ("setpriv", "--pdeathsig", "INT", *_another_user()) if shutil.which("setpriv") else ()
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*as_whom, str(self.programs / program), *arguments], stdout=log, stderr=log, cwd=self.folder
            )


@contextlib.contextmanager
def serve_postgres() -> Iterator[Postgres]:
    """Run a server."""
    programs = require_programs()
    folder = Path(tempfile.mkdtemp(prefix="pk-"))  # short: the path of a Unix socket has at most 107 bytes
    if _another_user():
        shutil.chown(folder, SERVER_USER)
    server = Postgres(programs=programs, folder=folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


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
    folder = Path(tempfile.mkdtemp(prefix="pk-"))
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host={server.folder} user={OWNER}
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
auth_type = any
listen_port = 5432
unix_socket_dir = {folder}
server_login_retry = 0.1
""",
        encoding="utf-8",
    )
    if _another_user():
        shutil.chown(folder, SERVER_USER)
    pooler = Postgres(programs=program.parent, folder=folder)
    pooler.process = pooler._run("pgbouncer", str(folder / "pgbouncer.ini"))
    try:
        pooler.wait()
        yield pooler
    finally:
        pooler.stop()
        shutil.rmtree(folder, ignore_errors=True)


def find_pgbouncer() -> Path | None:
    """Return the program; Debian puts it where a user's PATH may not lead."""
    found = shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    return None if found is None else Path(found)


def _another_user() -> tuple[str, ...]:
    is_root = os.geteuid() == 0
    return (f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--clear-groups") if is_root else ()
