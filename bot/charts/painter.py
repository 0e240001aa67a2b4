"""Has charts drawn by a process of its own, one at a time. Knows nothing of how they look."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from bot.domain.chart import Chart

LIMIT_SECONDS = 10.0
PNG = b"\x89PNG\r\n\x1a\n"
_DRAW = (sys.executable, "-m", "bot.charts.draw")
_FOLDER = Path(__file__).resolve().parents[2]
# Where Python and matplotlib find themselves and their cache of fonts. Nothing secret: no setting of ours goes along.
_HANDED_ON = frozenset(
    {
        *("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"),
        *("SYSTEMROOT", "USERPROFILE", "LOCALAPPDATA", "TEMP", "TMP"),
    }
)

log = structlog.get_logger(__name__)


class ChartPainter:
    """Has charts drawn."""

    def __init__(self, command: Sequence[str] = _DRAW, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._command = tuple(command)
        self._limit_seconds = limit_seconds
        self._turn = asyncio.Semaphore(1)

    async def draw(self, chart: Chart) -> bytes | None:
        """Return a PNG; None where it could not be drawn, which the log tells of. Whoever is cancelled ends it."""
        async with self._turn:
            try:
                return await self._draw(chart)
            except (OSError, RuntimeError) as error:  # also of a loop that knows no processes, and of one too late
                log.warning("a chart could not be drawn", why=repr(error))
                return None

    async def _draw(self, chart: Chart) -> bytes:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=_FOLDER,
            env={name: value for name, value in os.environ.items() if name.upper() in _HANDED_ON},
        )
        try:
            async with asyncio.timeout(self._limit_seconds):
                png, said = await process.communicate(msgspec.json.encode(chart))
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode or not png.startswith(PNG):
            *_, last = ["", *said.decode(errors="replace").splitlines()]
            raise RuntimeError(f"it ended with {process.returncode}: {last[:200]}")
        return png
