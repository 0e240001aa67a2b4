"""Keeps us inside Patreon's limits before Patreon has to say so, and obeys when it says so. Knows times and keys only.

Patreon docs, Rate limits: 100 requests in 2 seconds for a client, 100 in a minute for a token; a refresh
does not reset it. Whoever goes on after a 429 is shut out for half an hour in the end.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.domain.errors import PatreonCode, PatreonThrottled
from bot.domain.model import Secret
from bot.patreon.protocol.retry import LONGEST_WAIT_SECONDS
from bot.runtime.sliding_window import SlidingWindow

TOKEN_LIMIT, TOKEN_SECONDS = 100, 60.0
CLIENT_LIMIT, CLIENT_SECONDS = 100, 2.0


Key = Secret | str  # a token; where a request has none, its path


class Rests:
    """Until when nothing is asked with some keys, by a steady clock."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def left(self, key: Key) -> float:
        """Return how long a key has to rest; raises PatreonThrottled where nobody waits that long for an answer."""
        now = self._monotonic()
        rest = self._until.get(key, now) - now
        if rest >= LONGEST_WAIT_SECONDS:
            raise PatreonThrottled(PatreonCode.RESTING, retry_after_seconds=rest)
        return rest

    def note(self, key: Key, seconds: float) -> None:
        """Let nothing be asked with this key for so long; a longer rest under way goes on."""
        now = self._monotonic()
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[key] = max(self._until.get(key, now), now + seconds)

    def succeed(self, old: Key, fresh: Key) -> None:
        """Let another key go on with this one's rest."""
        if old in self._until:
            self.note(fresh, self._until[old] - self._monotonic())


class Limiter:
    """Makes each request wait its turn, by token and all together. For the one process that there is."""

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
        self._rests = Rests(monotonic)

    async def turn(self, key: Key) -> None:
        """Return once a request with this key may leave; it is counted from then on.

        Raises PatreonThrottled at once where the key rests for long: nobody waits that long for an answer.
        """
        while True:
            now = self._monotonic()
            rest = self._rests.left(key)
            window = self._window(key, now)
            wait = max(self._client.wait_seconds(now), window.wait_seconds(now) if window else 0.0, rest)
            if wait <= 0:
                break
            await self._sleep(wait)
        self._client.note(now)
        if window:
            window.note(now)

    async def rest(self, key: Key, seconds: float) -> None:
        """Let nothing be asked with this key for so long; a longer rest under way goes on."""
        self._rests.note(key, seconds)

    def ring(self) -> None:
        """Nothing: no other process sends."""

    async def succeed(self, old: Secret, fresh: Secret) -> None:
        """Let a token that took another's place go on with its rest and its count: a refresh resets neither."""
        if old == fresh:
            return
        self._rests.succeed(old, fresh)
        if old in self._tokens:
            self._tokens[fresh] = self._tokens[old]

    def _window(self, key: Key, now: float) -> SlidingWindow | None:
        if not isinstance(key, Secret):
            return None
        if key not in self._tokens:
            self._tokens = {known: window for known, window in self._tokens.items() if not window.is_idle(now)}
            self._tokens[key] = SlidingWindow(TOKEN_LIMIT, TOKEN_SECONDS)
        return self._tokens[key]
