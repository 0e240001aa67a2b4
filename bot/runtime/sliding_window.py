"""So many events within so many seconds, wherever a window of that length begins. Knows no clock."""

from collections import deque

SLACK_SECONDS = 0.1  # requests do not travel equally fast: what leaves evenly may arrive bunched


class SlidingWindow:
    """At most `limit` events within any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._seconds = seconds + SLACK_SECONDS
        self._times: deque[float] = deque(maxlen=limit)

    def wait_seconds(self, now: float) -> float:
        """Return how long the next event must wait."""
        if len(self._times) < (self._times.maxlen or 0):
            return 0.0
        return max(0.0, self._times[0] + self._seconds - now)

    def note(self, now: float) -> None:
        """Count an event."""
        self._times.append(now)

    def is_idle(self, now: float) -> bool:
        """Tell whether no counted event matters any more."""
        return not self._times or self._times[-1] + self._seconds <= now
