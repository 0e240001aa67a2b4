"""Processes of the bench's own, each a module that speaks one line, and what the kernel knows of a process."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LONGEST_LINE = 2**24  # a line may name thousands of people


async def ask(module: str, *arguments: str, told: str = "") -> str:
    """Run a module in a process, hand it one line, and return what it says. RuntimeError where it fails."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    said, _ = await process.communicate(f"{told}\n".encode())
    if process.returncode != 0:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with {process.returncode}")
    return said.decode()


@asynccontextmanager
async def serving(module: str, *arguments: str) -> AsyncIterator[str]:
    """Run a module that serves until its input ends, and lend the line that it says when it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  both are pipes
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


async def closed_input() -> None:
    """Wait until our standard input ends: whoever started us is done with us, or gone."""
    await asyncio.to_thread(sys.stdin.read)


def memory_kib(name: str, pid: int | str = "self") -> int:
    """Return a process's VmRSS (resident now) or VmHWM (the most it ever was), in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"the kernel tells no {name} of {pid}")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of those that it started, also of those that ended."""
    told = _stat(pid)
    if told is None:
        return 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(int(child)) for child in children)


def _stat(pid: int) -> list[str] | None:
    """Return the columns of /proc/PID/stat behind the name, which may hold spaces; None once it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
