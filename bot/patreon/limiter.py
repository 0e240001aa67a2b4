"""Keeps us inside Patreon's limits before Patreon has to say so. Knows times and keys, no request.

Patreon docs, Rate limits: 100 requests in 2 seconds for a client, 100 in a minute for a token; a refresh
does not reset it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from bot.model import Secret

TOKEN_LIMIT, TOKEN_SECONDS = 100, 60.0
CLIENT_LIMIT, CLIENT_SECONDS = 100, 2.0
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


class Limiter:
    """Makes each request wait its turn, by token and all together."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._client = SlidingWindow(CLIENT_LIMIT, CLIENT_SECONDS)
        self._tokens: dict[Secret, SlidingWindow] = {}

    async def turn(self, token: Secret | None) -> None:
        """Return once a request with this token (None: without one) may leave; it is counted from then on."""
        while True:
            now = self._monotonic()
            window = self._window(token, now)
            wait = max(self._client.wait_seconds(now), window.wait_seconds(now) if window else 0.0)
            if wait <= 0:
                break
            await self._sleep(wait)
        self._client.note(now)
        if window:
            window.note(now)

    def _window(self, token: Secret | None, now: float) -> SlidingWindow | None:
        if token is None:
            return None
        if token not in self._tokens:
            self._tokens = {known: window for known, window in self._tokens.items() if not window.is_idle(now)}
            self._tokens[token] = SlidingWindow(TOKEN_LIMIT, TOKEN_SECONDS)
        return self._tokens[token]
