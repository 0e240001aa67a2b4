"""The commands as an operator types them: a real process, its exit code and what it prints.

Each command is started once; what else it does is seen of processes that need not load the modules again.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import cli
from bot.domain.errors import DatabaseAway, Later, TryLater
from bot.domain.model import Secret
from bot.storage.vault import is_key, new_key
from tests.fakes import forked

Run = Callable[..., subprocess.CompletedProcess[str]]

RUN = Path(__file__).resolve().parents[2] / "run.py"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings that are right in form, of services where nobody answers."""
    return {
        "PATH": os.environ["PATH"],
        "DISCORD_TOKEN": "MARKER-discord-abcdefghi.MARKER.abcdefghijklmnopqrstuvwxyzab",
        "DISCORD_API_URL": "http://127.0.0.1:9/api/v10",
        "PATREON_URL": "http://127.0.0.1:9",
        "PATREON_CLIENT_ID": "client",
        "PATREON_CLIENT_SECRET": "MARKER-client",
        "PATREON_CAMPAIGN_ID": "700",
        "PUBLIC_URL": "http://127.0.0.1:9",
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/data/pledgekeeper.db",
        "ENCRYPTION_KEYS": new_key().reveal(),
    }


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run a command in a process of its own, from its first import on."""
    return lambda *arguments, **changes: forked.start(arguments, {**environment, **changes}, tmp_path)


@pytest.fixture
def run(forks: forked.Forks, tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run a command in a process of its own that has the modules."""
    return lambda *arguments, **changes: forks.run(arguments, {**environment, **changes}, tmp_path)


def test_run_py_stays_under_thirty_lines() -> None:
    assert len(RUN.read_text(encoding="utf-8").splitlines()) < 30


def test_a_part_of_the_work_needs_a_database_that_processes_share(run: Run, tmp_path: Path) -> None:
    refused = run("bot", "--role", "gateway")
    assert refused.returncode == 78
    assert "has one process" in refused.stderr
    assert "PostgreSQL" in refused.stderr
    assert not (tmp_path / "data").exists()
    assert run("bot", "--role", "gatekeeper").returncode == 2


def test_some_of_the_shards_need_a_database_that_processes_share(run: Run, tmp_path: Path) -> None:
    refused = run("bot", "--shards", "0,2-3")
    assert refused.returncode == 78
    assert "Leave out --shards" in refused.stderr
    assert not (tmp_path / "data").exists()
    misspelt = run("bot", "--shards", "3-1")
    assert misspelt.returncode == 2
    assert "0,2,5-7" in misspelt.stderr


def test_shards_are_refused_for_a_process_that_does_not_connect_to_discord(run: Run) -> None:
    refused = run("bot", "--role", "web", "--shards", "0-1", DATABASE_URL="postgresql://nobody@127.0.0.1:9/pledges")
    assert refused.returncode == 78
    assert "or add --role gateway" in refused.stderr


def test_reshard_says_how_many_shards_there_are(run: Run) -> None:
    assert run("migrate").returncode == 0
    assert run("reshard", "4").stdout == "There are 4 shards from now on. Start the bot again.\n"
    assert run("reshard", "4").stdout == "There are 4 shards already.\n"
    for wrong in ("0", "10001", "some"):
        assert run("reshard", wrong).returncode == 2


@pytest.mark.parametrize(
    ("typed", "number", "code"),
    [
        ("", signal.SIGINT, 0),
        ("bot --role web", signal.SIGINT, 0),
        ("bot --role web", signal.SIGTERM, 0),
        ("check", signal.SIGINT, 130),
    ],
)
def test_who_stops_it_while_it_loads_sees_no_traceback(
    tmp_path: Path, environment: dict[str, str], typed: str, number: signal.Signals, code: int
) -> None:
    # What the first import of ours finds: a module that says when it is loaded, and takes long.
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot/__init__.py").touch()
    (tmp_path / "bot/cli.py").write_text("import time\nprint('loading', flush=True)\ntime.sleep(60)\n")
    shutil.copy(RUN, tmp_path)
    command = [sys.executable, str(tmp_path / "run.py"), *typed.split()]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(number)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (code, "")


def test_the_help_names_every_command(start: Run) -> None:
    done = start("--help")
    assert done.returncode == 0
    for command in (
        "bot",
        "sandbox",
        "check",
        "health",
        "migrate",
        "status",
        "backup",
        "restore",
        "reshard",
        "rotate-keys",
        "new-key",
    ):
        assert command in done.stdout


def test_new_key_prints_a_key_and_nothing_else(start: Run) -> None:
    done = start("new-key")
    assert (done.returncode, done.stderr) == (0, "")
    assert is_key(Secret(done.stdout.strip()))


@pytest.mark.parametrize(
    "typed",
    [
        *("", "bot", "check", "migrate", "rotate-keys", "status", "reshard 2", "backup x.db", "restore x.db"),
        "move-database --to sqlite+aiosqlite:///x.db",
    ],
)
def test_a_wrong_setting_ends_every_command_with_its_name(start: Run, typed: str) -> None:
    done = start(*typed.split(), WEB_PORT="MARKER")
    assert (done.returncode, done.stdout) == (78, "")
    assert "WEB_PORT must be a whole number" in done.stderr
    assert "MARKER" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_without_the_shape_of_one_ends_the_start(run: Run) -> None:
    done = run(DISCORD_TOKEN="MARKER-client-secret-by-mistake-in-the-wrong-line")
    assert (done.returncode, done.stdout) == (78, "")
    assert "DISCORD_TOKEN isn't a bot token" in done.stderr
    assert "Reset Token" in done.stderr
    assert "MARKER" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "taken"),
        ("WEB_HOST", "192.0.2.1"),
        ("WEB_HOST", "MARKER.invalid"),
        ("DATABASE_URL", "sqlite+aiosqlite:////proc/MARKER/x.db"),
        ("DATABASE_URL", "sqlite+aiosqlite:///MARKER-file/x.db"),
        ("DATABASE_URL", "sqlite+aiosqlite:///."),
        ("DATABASE_URL", "sqlite+aiosqlite:///MARKER-file"),
        ("CLOCK_URL", "http://127.0.0.1:9/MARKER"),
    ],
    ids=["port taken", "foreign host", "no host", "no folder", "no folder but a file", "no name", "no db", "no clock"],
)
def test_a_value_that_turns_out_wrong_at_the_start_is_named_with_an_example(
    run: Run, tmp_path: Path, name: str, value: str
) -> None:
    (tmp_path / "MARKER-file").write_text("this is no database, and long enough to be taken for a broken one" * 20)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        value = str(taken.getsockname()[1]) if value == "taken" else value
        done = run(**{"WEB_PORT": "18998", name: value})
    (message,) = done.stderr.splitlines()
    assert done.returncode == 78
    assert name in message
    assert f"Example: {name}=" in message
    assert value not in message
    assert "MARKER" not in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


TOO_LONG = "x" * 300  # no file can have such a name: to look for it fails, as in a folder that is closed to us


@pytest.mark.parametrize(
    "typed", ["status", "backup copy.db", "rotate-keys", "reshard 2", "move-database --to sqlite+aiosqlite:///new.db"]
)
def test_a_database_where_we_may_not_look_is_said_to_be_unusable(run: Run, typed: str) -> None:
    done = run(*typed.split(), DATABASE_URL=f"sqlite+aiosqlite:///{TOO_LONG}/pledgekeeper.db")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("I can't use the database that DATABASE_URL names (File name too long).")
    assert "Traceback" not in done.stderr


def test_a_check_goes_on_where_it_may_not_look(run: Run) -> None:
    done = run("check", DATABASE_URL=f"sqlite+aiosqlite:///{TOO_LONG}/pledgekeeper.db")
    assert done.returncode == 1
    assert "PUBLIC_URL" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (f"backup {TOO_LONG}", f"I couldn't write {TOO_LONG} (File name too long)."),
        (f"backup --keep 2 {TOO_LONG}", f"I wrote nothing, because the folder {TOO_LONG} doesn't exist."),
        (f"restore {TOO_LONG}", f"I changed nothing, because I can't read {TOO_LONG} (File name too long)."),
    ],
    ids=["backup", "folder of backups", "restore"],
)
def test_a_backup_where_we_may_not_look_is_refused_in_words(run: Run, typed: str, said: str) -> None:
    assert run("migrate").returncode == 0
    done = run(*typed.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said)


def test_only_its_owner_may_read_what_a_command_writes(run: Run, tmp_path: Path) -> None:
    assert run("migrate").returncode == 0
    assert run("move-database", "--to", f"sqlite+aiosqlite:///{tmp_path}/moved/new.db").returncode == 0
    written = [*(tmp_path / "data").iterdir(), *(tmp_path / "moved").iterdir()]
    assert len(written) >= 4
    assert {path.name for path in written if path.stat().st_mode & 0o077} == set()


def test_rotating_keys_asks_for_a_database(run: Run) -> None:
    done = run("rotate-keys")
    assert done.returncode == 1
    assert "Start the bot once" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_with_nobody_to_ask_ends_with_one_and_prints_no_secret(run: Run) -> None:
    done = run("check")
    assert done.returncode == 1
    assert "DISCORD_API_URL" in done.stdout
    assert "PATREON_URL" in done.stdout
    assert "MARKER" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_sandbox_gets_its_own_options(start: Run) -> None:
    done = start("sandbox", "--help")
    assert done.returncode == 0
    assert "--port" in done.stdout


def test_an_unknown_command_is_refused(run: Run) -> None:
    done = run("dance")
    assert done.returncode == 2
    assert "dance" in done.stderr


def test_migrate_says_what_it_did(run: Run) -> None:
    made, again = run("migrate"), run("migrate", "--before")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == "Created all tables.\nThe database is up to date.\n"
    assert again.stdout == "The database is up to date.\n"


def test_status_speaks_to_people_and_to_programs(run: Run) -> None:
    assert run("status").stderr.endswith("doesn't exist yet. Start the bot once: it creates the database.\n")
    run("migrate")
    said, printed = run("status"), run("status", "--json")
    assert (said.returncode, said.stderr, printed.stderr) == (0, "", "")
    assert said.stdout.startswith("No bot is running on this database (sqlite, step ")
    assert json.loads(printed.stdout)["is_bot_running"] is False


def test_health_ends_with_one_where_no_bot_answers_whatever_the_settings_are(
    run: Run, start: Run, tmp_path: Path
) -> None:
    with socket.socket() as taken:  # and nobody listens on it
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        silent = f"Not healthy: no bot answers at http://127.0.0.1:{port} (Connection refused).\n"
        for broken in ("DISCORD_TOKEN=MARKER\n", "DISCORD_TOKEN=\udcff\n"):
            (tmp_path / ".env").write_bytes(broken.encode("utf-8", "surrogateescape"))
            done = run("health", WEB_PORT=port, DISCORD_TOKEN="", ENCRYPTION_KEYS="MARKER")
            assert (done.returncode, done.stdout, done.stderr) == (1, "", silent)
    wrong = start("health", WEB_PORT="MARKER")
    assert wrong.returncode == 1
    assert "WEB_PORT must be a whole number" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize("code", Later)
def test_what_fails_for_now_ends_a_command_with_a_sentence(code: Later, capsys: pytest.CaptureFixture[str]) -> None:
    @cli.ends_with_its_code
    def fail() -> int:
        raise TryLater(code, reason="MARKER", patrons=3)

    with pytest.raises(SystemExit) as ended:
        fail()
    assert ended.value.code == 1
    assert capsys.readouterr().err.strip().endswith(".")


def test_a_command_that_the_database_breaks_off_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    @cli.ends_with_its_code
    def fail() -> int:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="server closed the connection")

    with pytest.raises(SystemExit):
        fail()
    assert "server closed the connection" in capsys.readouterr().err


def test_a_backup_is_made_and_restored(run: Run, tmp_path: Path) -> None:
    assert run("migrate").returncode == 0
    made = run("backup", "copy.db")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("Wrote copy.db and checked it: 0 linked people, 0 roles.")
    again = run("backup", "copy.db")
    assert (again.returncode, again.stdout) == (1, "")
    assert "copy.db already exists" in again.stderr
    refused = run("restore", "copy.db")
    assert refused.returncode == 1
    assert "add --without-unlinks" in refused.stderr
    done = run("restore", "copy.db", "--without-unlinks")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Restored the backup of ")
    assert len(list((tmp_path / "data").glob("pledgekeeper.db.before-*"))) == 1
    assert run("restore", "--in-place", "--without-unlinks").returncode == 0
    assert run("restore").returncode == run("restore", "copy.db", "--in-place").returncode == 2


def test_a_folder_of_backups_keeps_the_newest(run: Run, tmp_path: Path) -> None:
    assert run("migrate").returncode == 0
    missing = run("backup", "--keep", "2", "backups")
    assert missing.returncode == 1
    assert "mkdir -m 700 backups" in missing.stderr
    (tmp_path / "backups").mkdir()
    assert run("backup", "--keep", "2", "backups").returncode == 0
    assert run("backup", "--keep", "0", "backups").returncode == 2


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://ada:MARKER@db.example/pledges", "postgresql://ada@db.example/pledges"),
        (
            "postgresql://db.example/our%20pledges?user=ada&password=MARKER&sslpassword=MARKER",
            "postgresql://db.example/our%20pledges?user=ada",
        ),
        (
            "postgresql://ada:MARKER@%2Frun%2Fpostgresql:5433/pledges",
            "postgresql://ada@/pledges?host=%2Frun%2Fpostgresql&port=5433",
        ),
    ],
    ids=["user and password", "password among the options", "socket"],
)
def test_for_postgresql_the_command_is_named_and_no_password(run: Run, address: str, shown: str) -> None:
    for command, tool in (("backup", "pg_dump"), ("restore", "pg_restore")):
        refused = run(command, "x.dump", DATABASE_URL=address)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"Example: {tool} " in refused.stderr
        assert f"'{shown}'" in refused.stderr
        assert "MARKER" not in refused.stderr


def test_a_clock_that_is_silent_ends_a_backup(run: Run) -> None:
    refused = run("backup", "copy.db", CLOCK_URL="http://127.0.0.1:9/clock")
    assert refused.returncode == 78
    assert "CLOCK_URL doesn't tell the time" in refused.stderr
