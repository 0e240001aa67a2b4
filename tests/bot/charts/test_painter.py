"""Charts are drawn by a process of its own; what goes wrong there costs the picture alone."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.charts.painter import PNG, ChartPainter
from bot.settings import Settings
from bot.storage.vault import new_key
from tests.bot.charts.test_draw import chart_of
from tests.fakes.files import make_file

CHART = chart_of()
BUILD = """
import asyncio, sys
import run
import bot.process
from bot.app import build_app, fresh_client
from bot.runtime.clock import SystemClock
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import Vault
from cogs import add_cogs

async def main():
    settings = Settings()
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    app = await build_app(settings=settings, clock=SystemClock(), storage=storage)
    bot = fresh_client(app, add_cogs=add_cogs)
    await add_cogs(bot, app)
    print(*(command.qualified_name for command in bot.tree.walk_commands()), sep=",")
    print(*sorted({name.split(".")[0] for name in sys.modules}), sep=",")
    await app.http.close()
    await storage.close()

asyncio.run(main())
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def fails(code: str, **options: float) -> str:
    """Let this draw; return what the log says."""
    with capture_logs() as logs:
        assert await ChartPainter(python(code), **options).draw(CHART) is None
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("a chart could not be drawn", "warning")
    return str(line["why"])


async def test_a_chart_becomes_a_png() -> None:
    with capture_logs() as logs:
        png = await ChartPainter(limit_seconds=60).draw(CHART)
    assert logs == []
    assert png is not None
    assert png.startswith(PNG)


async def test_what_ends_badly_or_says_something_else_is_no_picture() -> None:
    said = await fails("import sys; sys.stdin.read(); print('first', file=sys.stderr); sys.exit('no font')")
    assert "ended with 1: no font" in said
    assert "ended with 0" in await fails("import sys; sys.stdin.read(); print('a warning')")
    assert "ended with 3" in await fails("import os; os._exit(3)")


async def test_a_python_that_is_not_there_costs_the_picture_alone() -> None:
    assert await ChartPainter(("/nowhere/python",)).draw(CHART) is None


async def test_whoever_takes_too_long_is_ended(tmp_path: Path) -> None:
    limit_seconds = 0.5
    while not (tmp_path / "pid").exists():  # a busy machine takes its time to begin at all
        limit_seconds *= 2
        assert "TimeoutError" in await fails(sleeper(tmp_path), limit_seconds=limit_seconds)
    assert is_over(tmp_path)


async def test_whoever_asked_and_is_gone_ends_it(tmp_path: Path) -> None:
    asked = asyncio.create_task(ChartPainter(python(sleeper(tmp_path)), limit_seconds=60).draw(CHART))
    async with asyncio.timeout(20):
        while not (tmp_path / "pid").exists():
            await asyncio.sleep(0.02)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert is_over(tmp_path)


async def test_one_at_a_time(tmp_path: Path) -> None:
    code = f"""
import os, sys, time
sys.stdin.read()
os.mkdir({str(tmp_path / "busy")!r})
time.sleep(0.2)
os.rmdir({str(tmp_path / "busy")!r})
sys.stdout.buffer.write({PNG!r})
"""
    painter = ChartPainter(python(code), limit_seconds=60)
    assert await asyncio.gather(*(painter.draw(CHART) for _ in range(3))) == [PNG] * 3


async def test_no_setting_of_ours_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    code = f"""
import os, sys
sys.stdin.read()
if "PATH" in os.environ and not any("TOKEN" in name for name in os.environ):
    sys.stdout.buffer.write({PNG!r})
"""
    assert await ChartPainter(python(code), limit_seconds=60).draw(CHART) == PNG


def test_the_bot_itself_never_loads_what_draws(tmp_path: Path) -> None:
    told = {
        "DISCORD_TOKEN": "MTExMTExMTExMTExMTExMTEx.GAbCdE.abcdefghijklmnopqrstuvwxyz0123456789AB",
        "PATREON_CLIENT_ID": "client",
        "PATREON_CLIENT_SECRET": "secret",
        "PATREON_CAMPAIGN_ID": "700",
        "PUBLIC_URL": "http://127.0.0.1:9",
        "DATABASE_URL": make_file(tmp_path / "bot.db"),
        "ENCRYPTION_KEYS": new_key().reveal(),
        "PLEDGEKEEPER_NO_DOTENV": "1",
        "PATH": os.environ["PATH"],
    }
    assert told.keys() & {name.upper() for name in Settings.model_fields}
    command = [sys.executable, "-c", BUILD, "bot"]
    root = Path(__file__).resolve().parents[3]
    built = subprocess.run(command, cwd=root, env=told, capture_output=True, text=True, check=False, timeout=120)
    assert built.returncode == 0, built.stderr
    *_, commands, modules = built.stdout.splitlines()
    assert "patreon stats" in commands.split(",")
    assert {"discord", "bot", "cogs"} <= set(modules.split(","))
    assert {"matplotlib", "numpy", "PIL"} & set(modules.split(",")) == set()


def sleeper(folder: Path) -> str:
    """Return code that never ends, and says in a file which process it is."""
    half, whole = str(folder / "half"), str(folder / "pid")
    return (
        f"import os, time; open({half!r}, 'w').write(str(os.getpid())); os.rename({half!r}, {whole!r}); time.sleep(600)"
    )


def is_over(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False
