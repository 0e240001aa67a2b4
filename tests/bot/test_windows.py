"""`run.py` where the event loop knows no signals and some have no name, as on Windows: it starts, and Ctrl-C ends it.

Not Windows itself: what its Python lacks is taken from ours before `run.py` runs.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.vault import new_key
from sandbox.ports import quiet_port

REPOSITORY = Path(__file__).resolve().parents[2]
SOON = 60.0
LIKE_WINDOWS = """
import asyncio, runpy, signal, sys

def add_signal_handler(self, number, callback, *arguments):
    raise NotImplementedError

for kind in (asyncio.SelectorEventLoop, asyncio.get_event_loop_policy()._loop_factory):
    kind.add_signal_handler = add_signal_handler
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "pthread_kill"):
    delattr(signal, name)
sys.argv = ["run.py", *sys.argv[1:]]
runpy.run_path("run.py", run_name="__main__")
"""


def environment(directory: Path) -> dict[str, str]:
    """Settings that are right in form, of services where nobody answers."""
    return {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(directory),
        "PLEDGEKEEPER_NO_DOTENV": "1",
        "DISCORD_TOKEN": "MTExMTExMTExMTExMTExMTEx.GAbCdE.abcdefghijklmnopqrstuvwxyz0123456789AB",
        "DISCORD_API_URL": "http://127.0.0.1:9/api/v10",
        "PATREON_URL": "http://127.0.0.1:9",
        "PATREON_CLIENT_ID": "client",
        "PATREON_CLIENT_SECRET": "secret",
        "PATREON_CAMPAIGN_ID": "700",
        "PUBLIC_URL": "http://127.0.0.1:9",
        "WEB_PORT": str(quiet_port()),
        "DATABASE_URL": f"sqlite+aiosqlite:///{directory}/data/pledgekeeper.db",
        "ENCRYPTION_KEYS": new_key().reveal(),
    }


@contextlib.asynccontextmanager
async def running(directory: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LIKE_WINDOWS, *arguments),
        cwd=REPOSITORY,
        env=environment(directory),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def read_until(process: asyncio.subprocess.Process, text: str) -> str:
    assert process.stdout is not None
    read = ""
    async with asyncio.timeout(SOON):
        while text not in read:
            line = await process.stdout.readline()
            assert line, read
            read += line.decode()
    return read


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        pytest.param((), "a fresh discord client follows", id="the bot"),
        pytest.param(
            ("sandbox", "--no-bot", "--port", "0", "--discord-port", "0", "--patreon-port", "0", "--bot-port", "0"),
            "Ctrl-C stops everything",
            id="the sandbox",
        ),
    ],
)
async def test_it_runs_and_a_signal_ends_it(
    tmp_path: Path, arguments: tuple[str, ...], word: str, number: signal.Signals
) -> None:
    async with running(tmp_path, *arguments) as process:
        await read_until(process, word)
        process.send_signal(number)
        assert process.stdout is not None
        rest = (await asyncio.wait_for(process.stdout.read(), SOON)).decode()
        assert await process.wait() == 0, rest
    assert "Traceback" not in rest
    assert ("pledgekeeper stopped" if not arguments else "Stopping") in rest


async def test_the_sandbox_starts_and_ends_a_bot_there(tmp_path: Path) -> None:
    arguments = ("sandbox", "--port", "0", "--discord-port", "0", "--patreon-port", "0", "--bot-port", "0")
    async with running(tmp_path, *arguments) as process:
        await read_until(process, "Ctrl-C stops everything")
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), SOON) == 0
