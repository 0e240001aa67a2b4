"""The bot as a child process: start it, stop it as an operator would, kill it as a power cut would, keep its log.

Knows the command line and an environment, and nothing of what the bot does.
"""

import asyncio
import shutil
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

REPOSITORY = Path(__file__).resolve().parent.parent
BOT_COMMAND = (sys.executable, "run.py", "bot")
KEPT_LINES = 100_000
"""Enough for a long evening at INFO, and an end to what a forgotten sandbox can eat."""
STOP_SECONDS = 20.0
"""How long a bot may take to end its work after SIGTERM before it is killed."""
CHUNK_BYTES = 65_536


def ends_with_us() -> tuple[str, ...]:
    """Return what to put before a command so that it is told to end when we are killed.

    Where we end by ourselves, we stop it: this is for a SIGKILL, after which nobody else would. On Linux with
    util-linux; nothing elsewhere.
    """
    found = shutil.which("setpriv")
    return (found, "--pdeathsig", "TERM", "--") if found else ()


class Child(Protocol):
    """A running process as `asyncio` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def send_signal(self, signal: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


async def launch(command: Sequence[str], environment: Mapping[str, str]) -> Child:
    """Start a process in a group of its own, whose output is read from `stdout`."""
    return await asyncio.create_subprocess_exec(
        *ends_with_us(),
        *command,
        cwd=REPOSITORY,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


class BotProcess:
    """One bot, started any number of times with its command and environment, and so on the same database."""

    def __init__(self, environment: Mapping[str, str], *, command: Sequence[str] = BOT_COMMAND) -> None:
        self.environment = dict(environment)
        self.command = tuple(command)
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.exit_code: int | None = None
        self.paused = False
        self._was_told = False
        self._process: Child | None = None
        self._reader: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[], None]] = []
        self._line_watchers: list[Callable[[str], None]] = []

    @property
    def running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def ended_by_itself(self) -> bool:
        """Tell whether it is over though nobody stopped or killed it."""
        return self.exit_code is not None and not self._was_told

    @property
    def pid(self) -> int | None:
        """The process id, while it lives."""
        return self._process.pid if self._process is not None and self.running else None

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher()` after each start, end and piece of log."""
        self._watchers.append(watcher)

    def on_line(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(line)` for each line that the bot writes."""
        self._line_watchers.append(watcher)

    async def start(self) -> None:
        """Start the bot unless it runs; it has a process group of its own, so Ctrl-C reaches us alone."""
        if self.running:
            return
        await self._finish_reading()
        self.exit_code, self._was_told, self.paused = None, False, False
        self._process = await launch(self.command, self.environment)
        self._reader = asyncio.create_task(self._read(self._process), name="bot log")
        self._tell()

    async def stop(self) -> int | None:
        """Ask it to end (SIGTERM), wait, kill it if it does not; return the exit code."""
        process = self._process
        if process is not None and process.returncode is None:
            self._was_told = True
            self.resume()
            process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                self._add_line(f"sandbox: the bot did not stop in {STOP_SECONDS:.0f} s and was killed")
                process.kill()
        await self._finish_reading()
        return self.exit_code

    async def kill(self) -> int | None:
        """End it at once (SIGKILL), as a crash would; return the exit code."""
        if self._process is not None and self._process.returncode is None:
            self._was_told = True
            self._process.kill()
        await self._finish_reading()
        return self.exit_code

    def pause(self) -> None:
        """Stop it where it stands (SIGSTOP), as a machine that sleeps: its connections stay open and say nothing."""
        self._signal(signal.SIGSTOP, paused=True)

    def resume(self) -> None:
        """Let it go on from there (SIGCONT)."""
        self._signal(signal.SIGCONT, paused=False)

    def _signal(self, number: signal.Signals, *, paused: bool) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)
            self.paused = paused
            self._tell()

    async def ended(self) -> int | None:
        """Wait until the process is over and its last line is read; return the exit code."""
        if self._reader is not None:
            await asyncio.shield(self._reader)
        return self.exit_code

    async def _finish_reading(self) -> None:
        if self._reader is not None:
            await asyncio.shield(self._reader)
            self._reader = None

    async def _read(self, process: Child) -> None:
        """Keep whole lines; read by pieces, for a line at DEBUG may be longer than any limit of a line reader."""
        if process.stdout is None:
            raise RuntimeError("the bot was started without a pipe for its log")
        rest = b""
        while chunk := await process.stdout.read(CHUNK_BYTES):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self._add_line(line.decode(errors="replace"))
            self._tell()
        if rest:
            self._add_line(rest.decode(errors="replace"))
        self.exit_code = await process.wait()
        self._tell()

    def _add_line(self, line: str) -> None:
        self.lines.append(line.rstrip("\r"))
        for watcher in self._line_watchers:
            watcher(self.lines[-1])

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()
