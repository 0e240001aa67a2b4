"""The units of systemd, by what systemd itself says of them."""

import os
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from click import Context

from bot import cli

UNITS = Path(__file__).resolve().parents[2] / "deploy/systemd"
NAMES = sorted(path.name for path in UNITS.iterdir())
SERVICES = [name for name in NAMES if name.endswith(".service")]
NEEDED = "PLEDGEKEEPER_NEEDS_SYSTEMD"  # set: a test that would skip for want of it fails instead


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        if os.environ.get(NEEDED):
            pytest.fail("systemd-analyze is needed and not installed")
        pytest.skip("there is no systemd-analyze (Debian's package: systemd)")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_these_are_all_the_units() -> None:
    assert NAMES == ["pledgekeeper-backup.service", "pledgekeeper-backup.timer", "pledgekeeper.service"]


def test_systemd_finds_nothing_wrong_with_them(analyze: str, tmp_path: Path) -> None:
    program = tmp_path / "opt/pledgekeeper/.venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in NAMES:
        text = (UNITS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/pledgekeeper/.venv", str(program.parent.parent)))
    done = run(analyze, "verify", *(tmp_path / name for name in NAMES))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_exposed_little(analyze: str, name: str) -> None:
    done = run(analyze, "security", "--offline=true", "--threshold=20", "--no-pager", UNITS / name)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+) ", done.stdout)
    assert level is not None, done.stdout + done.stderr
    assert (done.returncode, float(level[1]) <= 2.0) == (0, True), done.stdout


def test_the_backup_is_kept_in_as_the_bot_is() -> None:
    """What differs is said here: the backup needs no network, and is over when it is done."""
    bot, backup = (read_unit(name) for name in ("pledgekeeper.service", "pledgekeeper-backup.service"))
    differing = {"Type", "ExecStart", "Environment", "Restart", "RestartSec", "RestartPreventExitStatus"}
    differing |= {"TimeoutStopSec", "RestrictAddressFamilies", "PrivateNetwork", "StateDirectory"}
    assert {name: said for name, said in bot.items() if name not in differing} == {
        name: said for name, said in backup.items() if name not in differing
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_a_command_that_there_is(name: str) -> None:
    program, script, command, *options = read_unit(name)["ExecStart"].split()
    assert (program, script) == ("/opt/pledgekeeper/.venv/bin/python", "/opt/pledgekeeper/run.py")
    found = cli.main.get_command(Context(cli.main), command)
    assert found is not None
    found.make_context(command, options)


def test_the_folder_of_the_backups_is_made() -> None:
    """The command asks for a folder that is there."""
    unit = read_unit("pledgekeeper-backup.service")
    folder = unit["ExecStart"].split()[-1]
    assert folder in {f"/var/lib/{name}" for name in unit["StateDirectory"].split()}


def read_unit(name: str) -> dict[str, str]:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as the docs of configparser show it
    unit.read(UNITS / name, encoding="utf-8")
    return dict(unit["Service"])
