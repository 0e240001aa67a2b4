"""Warnings that strangers can cause as often as they like: the log tells of each kind once a minute, with a count.

The first is told at once; what follows within the minute is counted, and told at its end. Does not know what it counts.
"""

import asyncio
import logging

import structlog

log = structlog.get_logger(__name__)

SECONDS = 60.0


class Tally:
    """One kind of warning. Used inside a running loop."""

    def __init__(self, event: str, *, level: str = "warning") -> None:
        self._event = event
        self._level = logging.getLevelNamesMapping()[level.upper()]
        self._untold = 0
        self._facts: dict[str, object] = {}
        self._minute: asyncio.TimerHandle | None = None

    def note(self, **facts: object) -> None:
        """Count one; of several that are told together, the last one's facts are."""
        self._untold += 1
        self._facts = facts
        if self._minute is None:
            self._tell()

    def _tell(self) -> None:
        self._minute = None
        if self._untold:
            log.log(self._level, self._event, count=self._untold, **self._facts)
            self._untold = 0
            self._minute = asyncio.get_running_loop().call_later(SECONDS, self._tell)
