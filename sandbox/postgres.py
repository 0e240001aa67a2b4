"""A PostgreSQL of our own: in a temporary folder, on a Unix socket, gone afterwards.

Debian's `postgresql` puts its programs where no PATH leads, and they refuse to run as root: then the server runs as the
user whom that package made.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
SERVER_USER = "postgres"
PATIENCE_SECONDS = 60
OWNER = "pledgekeeper"
SOCKET = ".s.PGSQL.5432"  # the name that its clients look for in the folder that is their host
# Nothing waits for a disk: no server outlives the machine. But what was committed outlives the server.
QUICK = (
    *("fsync=off", "synchronous_commit=on", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"),
    *("autovacuum=off", "max_connections=200", "shared_buffers=32MB"),
)


class NoPostgres(Exception):
    """There is none on this machine, or it does not start."""


def find_programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`: the newest that there is."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@dataclass
class PostgresServer:
    """A server, and how to reach it."""

    programs: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def url(self, database: str) -> str:
        """Return the address of a database, as it stands in DATABASE_URL."""
        return f"postgresql://{OWNER}@/{database}?host={self.folder}"

    def make(self) -> None:
        """Make the server's files. Raises NoPostgres."""
        made = self.run(
            *("initdb", "-D", str(self.folder / "data"), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync"),
            # Not C: text that is compared or sorted must not rest on one collation.
            *("--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8", "--no-instructions"),
        )
        if made.wait(PATIENCE_SECONDS) != 0:
            raise NoPostgres(self.read_log())

    def start(self) -> None:
        """Start the server and wait until it answers. Raises NoPostgres."""
        options = [part for one in QUICK for part in ("-c", one)]
        command = ["postgres", "-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="]
        self.process = self.run(*command, *options)
        self.wait()

    def wait(self) -> None:
        """Wait until it answers. Raises NoPostgres."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            if self.answers():
                return
            time.sleep(0.05)
        raise NoPostgres(self.read_log())

    def answers(self) -> bool:
        """Tell whether it takes connections, by what `pg_isready` says."""
        asked = [str(self.programs / "pg_isready"), "--quiet", f"--host={self.folder}"]
        return subprocess.run(asked, check=False).returncode == 0  # noqa: S603  a program of PostgreSQL's

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends whoever is connected, SIGQUIT leaves everything as a crash would."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_SECONDS)
            self.process = None

    def read_log(self) -> str:
        """Return what its programs have said."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program that ends with us, however we end."""
        as_whom = ("setpriv", "--pdeathsig", "INT", *another_user()) if shutil.which("setpriv") else ()
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  as above
                [*as_whom, str(self.programs / program), *arguments], stdout=log, stderr=log, cwd=self.folder
            )


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that a server may use as the user that it runs as."""
    folder = Path(tempfile.mkdtemp(prefix="pk-"))  # short: the path of a Unix socket has at most 107 bytes
    if another_user():
        shutil.chown(folder, SERVER_USER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server. Raises NoPostgres."""
    programs = find_programs()
    if programs is None:
        raise NoPostgres("there is no PostgreSQL on this machine (Debian's package: postgresql)")
    with temporary_folder() as folder:
        server = PostgresServer(programs=programs, folder=folder)
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.stop()


def another_user() -> tuple[str, ...]:
    """Return how to run a program as the user that servers may run as, where we may not."""
    is_root = os.geteuid() == 0
    return (f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--clear-groups") if is_root else ()
