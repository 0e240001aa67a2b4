"""For which shards this process speaks, and for how long that is certain: by leases, renewed again and again.

Rules:
1. Only whoever has a shard's lease says anything to Discord for its servers. A tenure ends by itself, by the steady
   clock, before its leases do; that of one that was stopped, or cut off from its database, has ended when it wakes.
2. While the database is away nobody can take a shard. When it is back, and nobody did, the same tenure goes on.
3. A process takes its fair share of what is free, or what it was told to (`--shards`). What stays free, though
   whoever waits in reserve looks each second, is taken by one that has others: soon where a lease lapsed, because its
   time was long enough for its owner to be started anew.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from enum import StrEnum

import structlog

from bot.domain.errors import DatabaseAway, NeedsOwner, Setup
from bot.domain.shards import Shards, fair_share
from bot.storage.leases import Lease
from bot.storage.shards import ShardLeases

log = structlog.get_logger(__name__)

PERIOD = timedelta(seconds=10)
MARGIN_SECONDS = 1.0  # for what is on its way to Discord when a lease ends
RENEWED_AFTER_SECONDS = 3.0
SETTLED_SECONDS = 4.0  # so much longer than its shards somebody who was killed is taken to live
PAUSE_SECONDS = 0.5
GIVEN_BACK_FOR = timedelta(seconds=8)  # by then one that is started anew is back
LAPSED_FOR = timedelta(seconds=2)  # in reserve one looks each second


class Tenure:
    """That this process, and no other one, speaks for some shards. One that ended does not begin again."""

    def __init__(self, shards: Shards, leases: Iterable[Lease] = (), until: float = math.inf) -> None:
        self.shards = shards
        self.leases = tuple(leases)
        self._until = until  # monotonic: it goes on while a process is stopped
        self._has_ended = False

    @property
    def is_certain(self) -> bool:
        """Tell whether no other process can speak for any of them by now."""
        return not self._has_ended and time.monotonic() < self._until

    def extend(self, asked_at: float) -> None:
        """Take it that the leases were given for a period, after a moment (monotonic)."""
        self._until = _end_of_lease(asked_at)

    def end(self) -> None:
        """Let nothing more be said."""
        self._has_ended = True

    def widened(self, more: dict[int, Lease]) -> "Tenure":
        """Return one of more shards, for as long as this one."""
        ids = tuple(sorted({*self.shards.ids, *more}))
        return Tenure(Shards(ids, self.shards.count), (*self.leases, *more.values()), self._until)


class NoShard(StrEnum):
    """Why there is no shard for this process now."""

    NONE_FREE = "other processes have all shards"
    DATABASE_IN_USE = "an older version, or a copy of the database, is at work"


class ShardClaims:
    """Takes shards, keeps them, and gives them back."""

    def __init__(
        self,
        shards: ShardLeases,
        *,
        owner: str,
        live_gateways: Callable[[], Awaitable[int]],
        wanted: tuple[int, ...] | None = None,
    ) -> None:
        self._shards = shards
        self._owner = owner
        self._live_gateways = live_gateways
        self._wanted = wanted  # None: any

    async def claim(self, count: int) -> Tenure | NoShard:
        """Take of so many shards what is free for this process, or say why it has to wait.

        Where that leaves some free, they are nobody's before it is sure who lives. Raises DatabaseAway, and NeedsOwner
        where it was told to take shards that there are not.
        """
        self._check(count)
        held: dict[int, Lease] = {}
        began_at, until = 0.0, time.monotonic() + SETTLED_SECONDS
        while True:
            asked_at = time.monotonic()
            taken = await self._take(await self._shards.list_free(self._ids(count)), count, len(held))
            if not held:
                began_at = asked_at
            held |= taken or {}
            if not held:
                return NoShard.NONE_FREE if taken is not None else NoShard.DATABASE_IN_USE
            if time.monotonic() >= until or not await self._shards.list_free(self._ids(count)):
                return Tenure(Shards(tuple(sorted(held)), count), held.values(), _end_of_lease(began_at))
            await asyncio.sleep(PAUSE_SECONDS)

    async def keep(self, tenure: Tenure) -> Tenure | None:
        """Renew a tenure until a wider one follows it, which is returned; None once somebody else has a shard of it."""
        while True:
            asked_at = time.monotonic()
            try:
                if not await self._shards.renew(tenure.leases, PERIOD):
                    return None
                tenure.extend(asked_at)
                if more := await self._take_left(tenure):
                    return tenure.widened(more)
            except DatabaseAway as away:
                log.warning("the leases on shards could not be renewed", why=str(away))
            await asyncio.sleep(RENEWED_AFTER_SECONDS)

    async def release(self, tenure: Tenure) -> None:
        """Let others have the shards at once; where the database is away, once their leases have ended."""
        with contextlib.suppress(DatabaseAway):
            await self._shards.release(tenure.leases)

    def _ids(self, count: int) -> tuple[int, ...]:
        return tuple(range(count)) if self._wanted is None else self._wanted

    def _check(self, count: int) -> None:
        if self._wanted is not None and max(self._wanted) >= count:
            raise NeedsOwner(Setup.SHARDS_UNKNOWN, shards=count)

    async def _most(self, count: int) -> int:
        return fair_share(count, await self._live_gateways()) if self._wanted is None else len(self._wanted)

    async def _take(self, free: tuple[int, ...], count: int, held: int, *, least: int = 0) -> dict[int, Lease] | None:
        """Take of what is free up to this process's share; None while the database is somebody's as a whole."""
        some = free[: max(await self._most(count) - held, least)] if free else ()
        return await self._shards.claim(Shards(some, count), self._owner, PERIOD) if some else {}

    async def _take_left(self, tenure: Tenure) -> dict[int, Lease]:
        """Take what nobody wants, one more than a fair share at a time."""
        count, held = tenure.shards.count, len(tenure.shards.ids)
        ids = self._ids(count)
        if held == len(ids):
            return {}
        free = await self._shards.list_free(ids, given_back_for=GIVEN_BACK_FOR, lapsed_for=LAPSED_FOR)
        return await self._take(free, count, held, least=1) or {}


def _end_of_lease(asked_at: float) -> float:
    return asked_at + PERIOD.total_seconds() - MARGIN_SECONDS
