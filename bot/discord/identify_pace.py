"""Holds the sessions that this process begins to Discord's pace: one in five seconds for each rate limit key.

discord.py waits five seconds before each IDENTIFY but its first, takes no notice of `max_concurrency`, and forgets what
the client before it began (discord-api-docs, Gateway, Sharding). Where several processes share the shards, they have
one pace together: a turn is a lease that nobody gives back.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.domain.errors import DatabaseAway
from bot.storage.leases import Leases

PACE_SECONDS = 5.1  # Discord counts five from one's coming to the next one's
TURN_WITHIN_SECONDS = 45.0  # discord.py gives a connection up that has not identified within a minute, and begins anew
LOOK_SECONDS = 0.5

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


class SharedIdentifyPace:
    """Deals out turns among all processes that work on one database."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    async def wait_turn(self, shard_id: int, max_concurrency: int) -> None:
        """Wait until this shard may identify. TimeoutError where that takes too long for one connection."""
        async with asyncio.timeout(TURN_WITHIN_SECONDS):
            while not await self._take(f"identify:{shard_id % max_concurrency}"):  # noqa: ASYNC110  no event tells
                await asyncio.sleep(LOOK_SECONDS)

    async def _take(self, name: str) -> bool:
        try:
            return await self._leases.claim(name, secrets.token_hex(8), timedelta(seconds=PACE_SECONDS)) is not None
        except DatabaseAway:  # and nobody knows who else begins
            return False
