"""So many requests of each program within each minute. Knows no clock and nobody by name.

The minute is the same for all, so that what was counted is forgotten all at once. Each process counts for itself.
"""

import math

import msgspec

MOST_KEYS = 10_000  # those beyond count as one


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to a program after a request; `is_over`: this one was too many."""

    left: int
    reset_seconds: int
    is_over: bool


class Quota:
    """Counts requests by whose they are."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._window = -1
        self._used: dict[str, int] = {}

    def take(self, key: str, now: float) -> Allowance:
        """Count a request at a moment (monotonic)."""
        window = int(now // self.seconds)
        if window != self._window:
            self._window = window
            self._used.clear()
        if key not in self._used and len(self._used) >= MOST_KEYS:
            key = ""
        used = self._used[key] = self._used.get(key, 0) + 1
        reset_seconds = math.ceil((window + 1) * self.seconds - now)
        return Allowance(left=max(self.most - used, 0), reset_seconds=max(reset_seconds, 1), is_over=used > self.most)
