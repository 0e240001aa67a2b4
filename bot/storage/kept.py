"""Rows that are read at every turn and written by an admin now and then, kept in memory until they are written.

Only for tables that nobody but the aggregate itself writes, and only where one process owns the database: each write of
its verbs ends here (`aggregate.transaction`). Where others write too, everything is read anew, or after some seconds
where that does no harm (`get_lately`). All the same each round forgets what is kept, so that nothing wrong is believed
for longer than that.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from bot.storage.database import Database

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_KEPT = 10_000  # who is asked about may be anybody in a large guild
LATELY_SECONDS = 5.0


class Kept:
    """Values by key; every write forgets them all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: dict[object, Any] = {}
        self._lately: dict[object, tuple[float, Any]] = {}  # by when it was asked for (monotonic)
        self._writes = 0

    async def get(
        self, key: object, load: Callable[[], Awaitable[V]], *, also: Callable[[V], Iterable[object]] = lambda _: ()
    ) -> V:
        """Return what is kept, or load it; `also` says under which other keys it will be asked for."""
        if key in self._values:
            kept: V = self._values[key]
            return kept
        writes = self._writes
        value = await load()
        if self._may_keep(writes):
            if len(self._values) >= MAX_KEPT:
                self._values.clear()
            self._values.update(dict.fromkeys((key, *also(value)), value))
        return value

    async def get_lately(self, key: object, load: Callable[[], Awaitable[V]]) -> V:
        """Return the same; where others write too it may be some seconds old, but for what is written here.

        Only for a few keys: none is dropped but by a write.
        """
        if not self._database.is_shared:
            return await self.get(key, load)
        now = time.monotonic()
        at, kept = self._lately.get(key, (-LATELY_SECONDS, None))
        if now - at < LATELY_SECONDS and key in self._lately:
            value: V = kept
            return value
        writes = self._writes
        value = await load()
        if writes == self._writes:
            self._lately[key] = now, value
        return value

    async def get_all(self, keys: Collection[K], load: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> dict[K, V]:
        """Return what is kept under these keys; what is not is loaded all at once, and left out where there is none."""
        missing = [key for key in keys if key not in self._values]
        found: dict[K, V] = {key: self._values[key] for key in keys if key in self._values}
        if missing:
            writes = self._writes
            loaded = await load(missing)
            found |= loaded
            if self._may_keep(writes):
                if len(self._values) >= MAX_KEPT:
                    self._values.clear()
                for key, value in loaded.items():
                    self._values[key] = value
        return found

    @property
    def writes(self) -> int:
        """Return a number that is another one as soon as anything may have changed."""
        return self._writes

    def put(self, key: object, value: object) -> None:
        """Keep a value that was just written."""
        self._end_lately()
        if not self._database.is_shared:
            self._values[key] = value

    def drop(self, *keys: object) -> None:
        """Load anew what is asked for under these keys: a write changed nothing else."""
        self._end_lately()
        for key in keys:
            self._values.pop(key, None)

    def forget(self) -> None:
        """Load anew whatever is asked for from now on."""
        self._end_lately()
        self._values.clear()

    def _end_lately(self) -> None:
        self._writes += 1
        self._lately.clear()

    def _may_keep(self, writes: int) -> bool:
        """Tell whether what was loaded is surely not from before a write that ended meanwhile."""
        return writes == self._writes and not self._database.is_shared
