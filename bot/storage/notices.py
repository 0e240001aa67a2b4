"""What the owner was already told, so that a trouble makes one message, and its end another one."""

import math
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.tables import notices
from bot.storage.upsert import Upsert

KEPT_SECONDS = 2.0  # where others write too
LAST = "\U0010ffff"  # comes after everything that a key goes on with


class Notices(Aggregate):
    """Every trouble that the owner knows of and that is not over.

    The keys are kept in memory: each round asks for most of them, and hardly ever one has come or gone. Where others
    write too they may be some seconds old. Then a trouble that ended is told of by the next look; what is written asks
    the table.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._keys: list[str] | None = None  # in order; None: as the table has them
        self._read_at = -math.inf  # monotonic
        self._writes = 0

    def forget_kept(self) -> None:
        """Read the keys anew."""
        self._writes += 1
        self._keys = None

    async def seen(self, key: str) -> str | None:
        """Return what the owner was told, None where they were told nothing."""
        async with self._database.read() as connection:
            return (await connection.execute(select(notices.c.text).where(notices.c.key == key))).scalar()

    async def note(self, key: str, at: datetime, text: str = "") -> bool:
        """Remember a message; True where it is news: no such key was noted, or another text."""
        if await self.seen(key) == text:
            return False
        return await self.edit(key, at, lambda _: text) != text

    async def edit(self, key: str, at: datetime, change: Callable[[str | None], str]) -> str | None:
        """Change a message (None if there is none) in one transaction, and return what it was; it may run twice."""
        with self._forgotten_when_cut_off():
            before = await self._edit(key, at, change)
        self._writes += 1
        if self._keys is not None and not _has(self._keys, key):
            insort(self._keys, key)
        return before

    async def clear(self, key: str) -> bool:
        """Forget a message, for its trouble is over; True where the owner had been told of it."""
        return _has(await self._all_keys(), key) and await self.take(key) is not None

    async def take(self, key: str) -> str | None:
        """Forget a message and return it; None where there was none, or another has taken it."""
        with self._forgotten_when_cut_off():
            taken = await self._take(key)
        self._writes += 1
        if self._keys is not None and _has(self._keys, key):
            del self._keys[bisect_left(self._keys, key)]
        return taken

    @contextmanager
    def _forgotten_when_cut_off(self) -> Iterator[None]:
        """Read the keys anew where a write is cut off: it may be stored all the same."""
        try:
            yield
        except BaseException:
            self.forget_kept()
            raise

    @transaction
    async def _edit(
        self, connection: AsyncConnection, key: str, at: datetime, change: Callable[[str | None], str]
    ) -> str | None:
        known = select(notices.c.text).where(notices.c.key == key)
        before: str | None = (await connection.execute(known)).scalar()
        text = change(before)
        if text != before:
            await connection.execute(Upsert(notices).on(connection), {"key": key, "told_at": at, "text": text})
        return before

    @transaction
    async def _take(self, connection: AsyncConnection, key: str) -> str | None:
        return (
            await connection.execute(delete(notices).where(notices.c.key == key).returning(notices.c.text))
        ).scalar()

    async def keys(self, prefix: str) -> frozenset[str]:
        """Return the keys that begin so."""
        keys = await self._all_keys()
        return frozenset(keys[bisect_left(keys, prefix) : bisect_left(keys, prefix + LAST)])

    async def _all_keys(self) -> list[str]:
        if self._database.is_shared and time.monotonic() - self._read_at >= KEPT_SECONDS:
            self._keys = None
        while self._keys is None:
            writes, began = self._writes, time.monotonic()
            async with self._database.read() as connection:
                found = sorted((await connection.execute(select(notices.c.key))).scalars())
            if writes == self._writes:  # else they may be from before a write that ended meanwhile
                self._keys, self._read_at = found, began
        return self._keys


def _has(keys: list[str], key: str) -> bool:
    place = bisect_left(keys, key)
    return place < len(keys) and keys[place] == key
