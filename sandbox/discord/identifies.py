"""How many sessions a bot may start: so many a day, and with each rate limit key one in five seconds.

Rules: Discord docs, "Session Start Limit Object", "Sharding" (Max Concurrency), "Identifying". One that comes too soon
counts as well (discord-api-docs #1328). An IDENTIFY that names no shard is not paced: a bot alone that restarts at once
would only wait. Anyone may set other numbers.
"""

import time
from enum import Enum, auto

A_DAY = 1_000
DAY_SECONDS = 24 * 3600.0
PACE_SECONDS = 5.0


class Verdict(Enum):
    """What becomes of an IDENTIFY."""

    MAY_START = auto()
    TOO_SOON = auto()
    NONE_LEFT = auto()


class Identifies:
    """Counts the IDENTIFYs of one application, from whatever process they come."""

    def __init__(self) -> None:
        self.total = A_DAY
        self.max_concurrency = 1
        self.pace_seconds = PACE_SECONDS
        self._used = 0
        self._day_ends = 0.0
        self._started: dict[int, float] = {}  # by rate limit key

    @property
    def left(self) -> int:
        """How many more may come today."""
        return max(0, self.total - self._used) if time.monotonic() < self._day_ends else self.total

    @property
    def reset_after_seconds(self) -> float:
        """After how long there are new ones."""
        return max(0.0, self._day_ends - time.monotonic()) or DAY_SECONDS

    def take(self, shard_id: int | None) -> Verdict:
        """Count one IDENTIFY of this shard (None: it names none)."""
        now = time.monotonic()
        if now >= self._day_ends:
            self._day_ends, self._used = now + DAY_SECONDS, 0
        if self._used >= self.total:
            self._used = 0  # no source says what is left to the new token; here a day
            return Verdict.NONE_LEFT
        self._used += 1
        if shard_id is None:
            return Verdict.MAY_START
        key = shard_id % self.max_concurrency
        if now < self._started.get(key, -self.pace_seconds) + self.pace_seconds:
            return Verdict.TOO_SOON
        self._started[key] = now
        return Verdict.MAY_START
