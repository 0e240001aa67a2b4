"""Bots and commands, forked from one process that has loaded the bot (`tests/fakes/forkserver.py`), instead of started.

Knows nothing of the bot. Where a platform has no such thing, they are started.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sandbox.botprocess import REPOSITORY, Child, ends_with_us, launch
from tests.fakes import lateness

RUN = (sys.executable, "run.py")
STRICTLY = ("-W", "error", "-W", "ignore:'audioop' is deprecated:DeprecationWarning")  # which discord.py loads
LONGEST_SECONDS = 60  # of a command


class ForkedChild:
    """One bot: what `asyncio.subprocess.Process` is of a process that was started."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, news: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._hear(news), name=f"end of {pid}")

    async def _hear(self, news: asyncio.StreamReader) -> int:
        said = await news.read()
        self.returncode = int(said or -signal.SIGKILL)  # silence: the whole family was killed
        return self.returncode

    async def wait(self) -> int:
        """Wait until it is over."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Signal it, unless it is over."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """What is forked instead of started, where there is a channel to a server."""

    def __init__(self, channel: socket.socket | None = None) -> None:
        self._channel = channel

    async def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Fork a bot, as `sandbox.botprocess.launch` starts one."""
        is_ours = tuple(command[: len(RUN)]) == RUN and "LD_PRELOAD" not in environment  # which is read at a start only
        if self._channel is None or not is_ours:
            return await launch(command, environment)
        log, log_end = os.pipe()
        try:
            stdout = await _read(log)
            told = await _read(_ask(self._channel, command[1:], environment, log_end, log_end))
        finally:
            os.close(log_end)
        return ForkedChild(int(await told.readline()), stdout, told)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of run.py in a folder to its end; each warning is an error."""
        if self._channel is None:
            return start(arguments, environment, folder)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
            news = _ask(
                *(self._channel, ["run.py", *arguments], environment, out.fileno(), error.fileno()),
                folder=folder,
                is_strict=True,
            )
            with os.fdopen(news, "rb", 0) as told:
                pid = int(told.readline())
                if not select.select([told], [], [], LONGEST_SECONDS)[0]:
                    os.kill(pid, signal.SIGKILL)
                code = int(told.readline())
            out.seek(0)
            error.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read(), error.read())


def start(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Start a command of run.py in a folder as an operator does, and wait for its end; each warning is an error."""
    return subprocess.run(
        [sys.executable, *STRICTLY, str(REPOSITORY / "run.py"), *arguments],
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


def _ask(
    channel: socket.socket,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    out: int,
    error: int,
    *,
    folder: Path = REPOSITORY,
    is_strict: bool = False,
) -> int:
    """Ask for a child with these outputs; return where its number and its exit code will be read, a line each."""
    asked = {
        "arguments": list(arguments),
        "environment": dict(environment),
        "folder": str(folder),
        "is_strict": is_strict,
    }
    news, news_end = os.pipe()
    try:
        socket.send_fds(channel, [json.dumps(asked).encode()], [out, error, news_end])
    finally:
        os.close(news_end)
    return news


@contextlib.contextmanager
def forking() -> Iterator[Forks]:
    """Run a server, and lend what is forked from it."""
    if sys.platform != "linux":
        yield Forks()
        return
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, its:
        server = subprocess.Popen(
            [*ends_with_us(), sys.executable, "-m", "tests.fakes.forkserver", str(its.fileno())],
            cwd=REPOSITORY,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONUNBUFFERED": "1", **lateness.setting()},
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        its.close()
        yield Forks(ours)
        ours.close()
        server.wait()


async def _read(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader
