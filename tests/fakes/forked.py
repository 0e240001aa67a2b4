"""Bots that are forked from one process that has loaded the bot (`tests/fakes/forkserver.py`), instead of started.

Knows nothing of the bot. Where a platform has no such thing, they are started.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from sandbox.botprocess import REPOSITORY, Child, Launch, ends_with_us, launch

RUN = (sys.executable, "run.py")


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


@contextlib.contextmanager
def forking() -> Iterator[Launch]:
    """Run a server, and lend what launches a bot from it."""
    if sys.platform != "linux":
        yield launch
        return
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, its:
        server = subprocess.Popen(
            [*ends_with_us(), sys.executable, "-m", "tests.fakes.forkserver", str(its.fileno())],
            cwd=REPOSITORY,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONUNBUFFERED": "1"},
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        its.close()

        async def fork(command: Sequence[str], environment: Mapping[str, str]) -> Child:
            if tuple(command[: len(RUN)]) != RUN or "LD_PRELOAD" in environment:  # which is read at a start only
                return await launch(command, environment)
            request = json.dumps({"arguments": list(command[1:]), "environment": dict(environment)}).encode()
            (log, log_end), (news, news_end) = os.pipe(), os.pipe()
            try:
                socket.send_fds(ours, [request], [log_end, news_end])
            finally:
                os.close(log_end)
                os.close(news_end)
                stdout, told = await _read(log), await _read(news)
            return ForkedChild(int(await told.readline()), stdout, told)

        yield fork
        ours.close()
        server.wait()


async def _read(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader
