"""The image: what its Dockerfile says, and the whole bot in it as its user, on files that it may not change."""

import asyncio
import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import msgspec
import pytest

from bot.charts.painter import PNG
from bot.settings import Settings
from sandbox.botprocess import BotProcess
from sandbox.main import Options
from tests.bot.charts.test_draw import chart_of
from tests.fakes.image import UID, Image, built_image, read_stages
from tests.fakes.stage import START_SECONDS, Stage

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy/systemd"
PATRON, NAME = "hazel.hollow", "Gerda Nilsson"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built_image() as image:
        yield image


def last(name: str) -> str:
    """Return what the last stage says with an instruction."""
    (found,) = (step.rest for step in read_stages()[-1] if step.name == name)
    return found


def test_only_what_the_image_needs_is_sent_to_the_builder() -> None:
    sources = {
        source
        for stage in read_stages()
        for step in stage
        if step.name == "COPY" and not step.rest.startswith("--from")
        for source in step.rest.split()[:-1]
    }
    everything, *rest = (
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    )
    assert everything == "*"
    assert {line[1:] for line in rest if line.startswith("!")} == sources
    assert [line for line in rest if not line.startswith("!")] == ["**/__pycache__"]


def test_the_image_has_no_tool_that_builds_and_a_user_without_rights() -> None:
    (run,) = (step.rest for step in read_stages()[-1] if step.name == "RUN")
    uninstalled = re.search(r"pip uninstall [^&]*", run)
    assert uninstalled is not None
    assert {"pip", "setuptools", "wheel"} <= set(uninstalled[0].split())
    assert f"--uid {UID} " in run
    assert last("USER") == f"{UID}:{UID}"
    assert (last("VOLUME"), last("STOPSIGNAL")) == ("/data", "SIGTERM")
    health = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert health == [*json.loads(last("ENTRYPOINT")), "health"]
    assert last("EXPOSE") == str(Settings.model_fields["web_port"].default)


async def test_the_bot_runs_in_the_image_and_changes_none_of_its_files(image: Image) -> None:
    before = image.look()
    assert image.run("new-key").returncode == 0
    lacking = image.run("sandbox")
    assert (lacking.returncode, lacking.stderr[:38]) == (1, "The sandbox isn't part of this install")
    with socket.socket() as taken:  # and nobody listens on it
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        silent = image.run("health", WEB_PORT=port)
    refused = f"Not healthy: no bot answers at http://127.0.0.1:{port} (Connection refused).\n"
    assert (silent.returncode, silent.stderr) == (1, refused)
    settings = {name: value for name, value in image.environment.items() if name != "WEB_HOST"}
    async with Stage(Options(interval=1, command=image.command("bot"), env=settings)) as stage:
        await stage.add_rule()
        assert (await stage.link(PATRON, NAME)).result == "linked"
        await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role")
        port = stage.sandbox.bot_url.rpartition(":")[2]
        well = await asyncio.to_thread(image.run, "health", WEB_PORT=port)
        assert (well.returncode, well.stdout[:28], well.stderr) == (0, "Healthy: everything works (g", "")
        assert await stage.sandbox.bot.stop() == 0
    database = image.data / "pledgekeeper.db"
    assert (database.stat().st_uid, database.stat().st_mode & 0o777) == (UID, 0o600)
    assert image.look() == before


def test_a_chart_is_drawn_in_the_image(image: Image) -> None:
    before = image.look()
    done = subprocess.run(
        image.python("-m", "bot.charts.draw"),
        input=msgspec.json.encode(chart_of()),
        env=image.environment,
        cwd=image.root / "app",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout[:8]) == (0, PNG), done.stderr.decode()
    assert image.look() == before


def read_unit(name: str) -> dict[str, str]:
    """Return what a unit says of its service; of what it says twice, the last."""
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as the docs of configparser show it
    unit.read(UNITS / name, encoding="utf-8")
    return dict(unit["Service"])


async def until_well(stage: Stage, port: int, bot: BotProcess) -> None:
    async with asyncio.timeout(START_SECONDS):
        while (await stage.health(port)).get("http") != 200:
            assert bot.running, "\n".join(bot.lines)
            await asyncio.sleep(0.1)


def back_up(image: Image, folder: Path, environment: dict[str, str]) -> list[Path]:
    """Run what the timer starts, as its user; return the backups that there are then."""
    *_, backups = read_unit("pledgekeeper-backup.service")["ExecStart"].split()
    kept = image.data / Path(backups).name
    kept.mkdir()
    os.chown(kept, UID, UID)
    command = image.command("backup", "--keep", "14", str(kept))
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=60)
    return list(kept.glob("*.db"))


async def test_the_unit_s_command_runs_as_its_user_with_its_environment(image: Image) -> None:
    unit = read_unit("pledgekeeper.service")
    places = {
        "/opt/pledgekeeper/.venv": str(image.root / "venv"),
        "/opt/pledgekeeper": str(image.root / "app"),
    }
    line = unit["ExecStart"]
    for there, here in places.items():
        line = line.replace(there, here)
    assert line.split() == image.command("bot")[-3:]
    assert unit["WorkingDirectory"] == "/etc/pledgekeeper"
    folder = image.data / "etc"
    folder.mkdir()
    folder.chmod(0o755)
    async with Stage(Options(with_bot=False, interval=1)) as stage:
        told = {**stage.sandbox.bot.environment, "DATABASE_URL": f"sqlite+aiosqlite:///{image.data}/unit.db"}
        asked_by = {name: told.pop(name) for name in ("PATH", "HOME")}
        told.pop("PLEDGEKEEPER_NO_DOTENV")
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
        environment = {**asked_by, **dict(pair.split("=", 1) for pair in unit["Environment"].split())}
        script = ["sh", "-c", f'umask {unit["UMask"]}; cd "$0" && exec "$@"', str(folder), *image.command("bot")]
        bot = BotProcess(environment, command=script)
        await bot.start()
        try:
            await until_well(stage, int(told["WEB_PORT"]), bot)
            kept = await asyncio.to_thread(back_up, image, folder, environment)
            assert len(kept) == 1, "the nightly backup, beside the running bot"
        finally:
            assert await bot.stop() == 0
        (folder / ".env").write_text("WEB_PORT=eighty\n")
        await bot.start()
        assert str(await asyncio.wait_for(bot.ended(), 60)) == unit["RestartPreventExitStatus"]
    assert "WEB_PORT must be a whole number" in "\n".join(bot.lines)
