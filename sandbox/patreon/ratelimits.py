"""Patreon's limits, in real time: so many requests in a window for a client, for a token, for an address.

Patreon docs, Rate limits: 100 requests in 2 seconds for a client, 100 in a minute for a token; a refresh does not
start a new count. Edge rule of the newer docs: about 2,000 refused requests in 10 minutes block for 30 minutes.
"""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Window:
    """At most `most` requests within `seconds`."""

    most: int
    seconds: float


class Limits:
    """Counts requests. The windows are attributes, so that a test can make them small."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.per_client = Window(100, 2)
        self.per_token = Window(100, 60)
        self.refusals = Window(2000, 600)
        self.block_seconds = 1800.0
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)
        self._refused: deque[float] = deque()
        self._blocked_until = 0.0

    def seconds_to_wait(self, client_id: str, consent: str) -> int:
        """Count a request and return 0, or return the whole seconds until the next one is let through."""
        now = self._monotonic()
        windows = ((f"client {client_id}", self.per_client), (f"token {consent}", self.per_token))
        waits = [_wait(self._seen[name], window, now) for name, window in windows]
        if max(waits) > 0:
            return max(1, math.ceil(max(waits)))
        for name, _window in windows:
            self._seen[name].append(now)
        return 0

    def note_refusal(self) -> None:
        """Count a 4xx answer; too many of them close the door for half an hour."""
        now = self._monotonic()
        wait = _wait(self._refused, self.refusals, now)
        self._refused.append(now)
        if wait > 0:
            self._blocked_until = now + self.block_seconds

    def is_blocked(self) -> bool:
        """Tell whether the door is closed."""
        return self._monotonic() < self._blocked_until

    def forget(self) -> None:
        """Start all counts anew."""
        self._seen.clear()
        self._refused.clear()
        self._blocked_until = 0.0


def _wait(seen: deque[float], window: Window, now: float) -> float:
    while seen and seen[0] <= now - window.seconds:
        seen.popleft()
    return 0.0 if len(seen) < window.most else seen[-window.most] + window.seconds - now
