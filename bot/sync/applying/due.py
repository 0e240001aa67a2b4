"""Takes who waits, by the rows that facts left, into the queues of the guilds that this process owns.

Whoever stores a fact in this process lets it be followed at once, so a row is taken only when it has stood for a
moment: then that was cut off, or another process stored the fact. A bell says that the latter is so.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import NoReturn

import structlog

from bot.discord.observe import Observer
from bot.domain.changes import Urgency
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId
from bot.storage import Storage
from bot.storage.due import EVERYONE, Due
from bot.sync.applying.reconcile import Reconciler

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
SETTLED = timedelta(seconds=1)  # how long a row stands before it is taken without a bell
RECENT = timedelta(seconds=10)  # whom a bulk of facts made due, is asked for while they are new
GUILDS_AT_ONCE = 4  # are planned: a large one must not keep the others waiting, nor all of them fill the memory
EVERYBODY_SECONDS = 30.0  # between two looks at all who wait
MISSED_SECONDS = 5.0  # the same, after one that could not let all be planned whom it found


class DueTaker:
    """Looks every two seconds, and when the bell rings."""

    def __init__(self, *, storage: Storage, observer: Observer, reconciler: Reconciler) -> None:
        self._storage = storage
        self._observer = observer
        self._reconciler = reconciler
        self._bell = asyncio.Event()
        self._planning: dict[GuildId, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(GUILDS_AT_ONCE)
        self._everybody_at = time.monotonic()

    def ring(self) -> None:
        """Look now. Rung twice is rung once."""
        self._bell.set()

    async def run(self) -> NoReturn:
        """Take whoever waits, until cancelled."""
        self._everybody_at = time.monotonic()
        while True:
            is_rung, is_for_all = self._bell.is_set(), time.monotonic() >= self._everybody_at
            self._bell.clear()
            if is_for_all:
                self._everybody_at = time.monotonic() + EVERYBODY_SECONDS
            await self.take(None if is_for_all else RECENT, settled=timedelta() if is_rung else SETTLED)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()

    async def take(self, period: timedelta | None, *, settled: timedelta) -> None:
        """Take whom somebody waits for, and whom a fact of this period (None: any) made due."""
        in_sight = frozenset(self._observer.guild_ids())
        guilds = defaultdict[GuildId, list[Due]](list)
        for one in await self._storage.due.list_since(period, settled=settled):
            if one.guild_id in in_sight and not self._reconciler.stands(one.guild_id, one.discord_user_id):
                guilds[one.guild_id].append(one)
        for guild_id, waiting in guilds.items():
            self._take_in(guild_id, waiting)

    @property
    def is_planning(self) -> bool:
        """Tell whether people whom it took are being planned."""
        return bool(self._planning)

    async def close(self) -> None:
        """Leave the rest to the next process."""
        for task in self._planning.values():
            task.cancel()
        await asyncio.gather(*self._planning.values(), return_exceptions=True)

    def _take_in(self, guild_id: GuildId, waiting: Iterable[Due]) -> None:
        """Queue those for whom somebody waits, and let the others be planned beside other guilds."""
        bulk = list[Due]()
        for one in waiting:
            if one.urgency is Urgency.WAITING and one.discord_user_id != EVERYONE:
                self._reconciler.mark(guild_id, [one.discord_user_id], trigger=one.trigger)
            else:
                bulk.append(one)
        if bulk and guild_id in self._planning:
            self._miss()
        elif bulk:
            task = asyncio.create_task(self._plan(guild_id, bulk), name=f"those who wait in guild {guild_id}")
            self._planning[guild_id] = task
            task.add_done_callback(lambda _: self._planning.pop(guild_id, None))

    async def _plan(self, guild_id: GuildId, bulk: list[Due]) -> None:
        people = frozenset[DiscordUserId](one.discord_user_id for one in bulk)
        async with self._at_once:
            if self._reconciler.is_planning(guild_id):  # perhaps these; if not, a later look finds them
                self._miss()
                return
            try:
                whom = None if EVERYONE in people else people
                await self._reconciler.consider(guild_id, whom, trigger=bulk[0].trigger)
            except TryLater as error:  # they are considered again when the guild is seen
                log.info("a server is looked at later", guild_id=guild_id, why=str(error))
                self._miss()
            except Exception:
                log.exception("people who wait could not be planned", guild_id=guild_id)
                self._miss()

    def _miss(self) -> None:
        """Let those be found again who are not new any more by the time of a later look."""
        self._everybody_at = min(self._everybody_at, time.monotonic() + MISSED_SECONDS)
