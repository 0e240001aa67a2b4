"""Keeps what runs for ever running: whatever ends it is logged, health says so, and it begins anew. Knows no part."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

import structlog

from bot.domain.errors import PledgekeeperError
from bot.runtime.health import HealthBoard, Part

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0
SOUND_AFTER_SECONDS = 60.0  # whoever ran that long begins again at the first pause


@dataclass(frozen=True)
class Loop:
    """Something that runs for ever; `part` is not well while it is down."""

    name: str
    run: Callable[[], Awaitable[object]]
    part: Part | None = None


class Pauses:
    """How long to wait before the next try: a moment, twice as long each time, and a moment again after a sound run."""

    def __init__(self, first: float = FIRST_PAUSE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def after_run(self, seconds: float) -> float:
        """Return the pause after a run that lasted `seconds`."""
        self._failures = 1 if seconds >= SOUND_AFTER_SECONDS else self._failures + 1
        return min(self._first * 2.0 ** min(self._failures - 1, 10), self._longest)


async def supervise(loop: Loop, *, health: HealthBoard, pauses: Pauses | None = None) -> NoReturn:
    """Run a loop, again and again, until cancelled."""
    pauses = pauses or Pauses()
    while True:
        started = time.monotonic()
        try:
            await loop.run()
            why = "it ended"
        except PledgekeeperError as error:
            why = str(error)
        except Exception as error:
            log.exception("a part crashed", name=loop.name)
            why = repr(error)
        pause = pauses.after_run(time.monotonic() - started)
        log.warning("a part begins anew", name=loop.name, why=why, seconds=pause)
        if loop.part is not None:
            health.failed(loop.part, why)
        await asyncio.sleep(pause)
