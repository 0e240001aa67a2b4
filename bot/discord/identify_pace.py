"""Holds the sessions that this process begins to Discord's pace: one in five seconds for each rate limit key.

discord.py waits five seconds before each IDENTIFY but its first, takes no notice of `max_concurrency`, and forgets what
the client before it began (discord-api-docs, Gateway, Sharding). Knows nothing of other processes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

PACE_SECONDS = 5.1  # Discord counts five from one's coming to the next one's

WaitTurn = Callable[[int, int], Awaitable[None]]
"""Wait until a shard may identify: its id, and Discord's `max_concurrency`."""


class IdentifyPace:
    """Deals out turns, to one client after the other."""

    def __init__(self) -> None:
        self._free_at: dict[int, float] = {}  # by rate limit key

    async def wait_turn(self, shard_id: int, max_concurrency: int) -> None:
        """Wait until this shard may identify. A turn that was waited for in vain is lost."""
        key, now = shard_id % max_concurrency, time.monotonic()
        turn = max(now, self._free_at.get(key, now))
        self._free_at[key] = turn + PACE_SECONDS
        await asyncio.sleep(turn - now)
