"""What a town needs of a process: its time, its hold on the database that ends with it, and waits that cost nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.model import Secret
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.patreon.protocol.exchange import Request
from bot.storage.database import Database


class TownClock:
    """Time that moves only when told to."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._watchers: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        return self._now

    def move(self, step: timedelta) -> None:
        self._now += step
        for watcher in self._watchers:
            watcher(self._now)

    def on_move(self, watcher: Callable[[datetime], None]) -> None:
        self._watchers.append(watcher)


class Life:
    """One process's hold on the database: at its end, what is under way there ends too, and nothing new begins."""

    def __init__(self, database: Database) -> None:
        self._is_over = False
        self._under_way = 0
        for name in ("read", "write"):
            setattr(database, name, self._guarded(getattr(database, name)))
        execute, guarded = database.execute, self._guarded(contextlib.nullcontext)

        async def execute_while_alive(*asked: Any) -> Any:
            async with guarded():
                return await execute(*asked)

        setattr(database, "execute", execute_while_alive)  # noqa: B010  a stand-in for one database

    async def end(self) -> None:
        self._is_over = True
        while self._under_way:
            await asyncio.sleep(0.0005)

    def _guarded(self, lend: Callable[[], Any]) -> Callable[[], Any]:
        @contextlib.asynccontextmanager
        async def guarded() -> AsyncIterator[Any]:
            if self._is_over:
                await asyncio.get_running_loop().create_future()
            self._under_way += 1
            try:
                async with lend() as connection:
                    yield connection
            finally:
                self._under_way -= 1

        return guarded


class TownHttp(Http):
    """The way to Patreon, on which a read of the members can be stopped between two of its pages."""

    def __init__(self) -> None:
        super().__init__(limiter=Limiter(monotonic=Leaps(), sleep=no_sleep), sleep=no_sleep)
        self.list_tokens: set[Secret] = set()  # with which the list of members was asked for
        self.has_stopped = asyncio.Event()
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    async def fetch(self, base_url: str, request: Request, *, tries_spent: int = 0) -> bytes:
        if request.path.endswith("/members"):
            if not self._may_go_on.is_set() and any("cursor" in name for name, _ in request.query):
                self.has_stopped.set()
                await self._may_go_on.wait()
            if request.token is not None:
                self.list_tokens.add(request.token)
        return await super().fetch(base_url, request, tries_spent=tries_spent)

    def stop_reads(self) -> None:
        """Let no read of the members go on beyond its first page."""
        self.has_stopped.clear()
        self._may_go_on.clear()

    def go_on(self) -> None:
        self._may_go_on.set()


class Leaps:
    """A monotonic time in which nobody ever has to wait."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1000.0
        return self._now


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)
