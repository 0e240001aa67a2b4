"""The command as a person starts and stops it."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from sandbox.botprocess import ends_with_us
from sandbox.main import main
from sandbox.ports import OPTIONS

SOON = 60.0
ANY_PORTS = ("--port", "0", "--discord-port", "0", "--patreon-port", "0", "--bot-port", "0")
START = "import sys; from sandbox.main import main; sys.exit(main(sys.argv[1:]))"
REPOSITORY = Path(__file__).resolve().parents[2]


async def started(temporary: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", START, *options, *ANY_PORTS),
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def lives(status: Path) -> bool:
    return status.exists() and "(zombie)" not in status.read_text()


def left_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_it_prints_its_address_first_and_leaves_nothing_behind(number: int, tmp_path: Path) -> None:
    process = await started(tmp_path, "--no-bot")
    assert process.stdout is not None
    assert process.stderr is not None
    first = (await asyncio.wait_for(process.stdout.readline(), SOON)).decode()
    assert first.startswith("Open http://127.0.0.1:")
    async with aiohttp.ClientSession() as session, session.get(first.split()[1]) as page:
        assert page.status == 200
    assert left_in(tmp_path) != []
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), SOON) == 0
    assert await process.stderr.read() == b""
    await process.stdout.read()
    assert left_in(tmp_path) == []


@pytest.mark.skipif(not ends_with_us(), reason="there is no setpriv here")
async def test_the_bot_ends_even_where_the_sandbox_is_killed(tmp_path: Path) -> None:
    process = await started(tmp_path)
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), SOON)).decode()
    async with aiohttp.ClientSession(first.split()[1]) as page, page.get("/bot") as answer:
        bot = Path("/proc", str((await answer.json())["pid"]), "status")
    assert lives(bot)
    process.kill()
    await process.wait()
    async with asyncio.timeout(SOON):
        while lives(bot):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("option", OPTIONS.values())
def test_a_port_in_use_is_said_in_words(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main([*ANY_PORTS, option, port]) == 1
    said = capsys.readouterr().err
    assert f"port {port} ({option}) cannot be used: " in said
    assert " ".join(ANY_PORTS) in said
