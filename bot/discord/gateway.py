"""The loop of a process that connects to Discord: it takes shards, serves them until they are another one's, and so on.

Where several processes share a database each has shards of its own, by leases (`tenure.py`). Who finds none waits in
reserve: that is healthy, and it looks every second. A file of SQLite has one process, which has all shards.

A client lives within one tenure: whoever takes further shards gets a fresh one, so that everything in its servers is
looked at anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from bot.discord.client import PledgekeeperBot
from bot.discord.supervisor import DiscordSupervisor
from bot.discord.tenure import ShardClaims, Tenure
from bot.domain.errors import DatabaseAway
from bot.domain.shards import MOST_SHARDS, Shards
from bot.runtime.health import HealthBoard, Note
from bot.storage.shards import ShardLeases

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
TOGETHER_SECONDS = 1.0  # for so long others may start that share the shards with us

Build = Callable[[Tenure, bool], PledgekeeperBot]
"""Builds a client for a tenure, told whether to ask for the members intent."""


class Gateway:
    """Serves shards, for as long as the process lives."""

    def __init__(
        self,
        *,
        shards: ShardLeases,
        claims: ShardClaims | None,
        build: Build,
        supervise: Callable[[Callable[[bool], PledgekeeperBot]], DiscordSupervisor],
        ask_recommended: Callable[[], Awaitable[int]],
        health: HealthBoard,
    ) -> None:
        self._shards = shards
        self._claims = claims  # None: there is no other process
        self._build = build
        self._supervisor = supervise(self._build_client)
        self._ask_recommended = ask_recommended
        self._health = health
        self._tenure: Tenure | None = None

    async def run(self) -> NoReturn:
        """Serve until cancelled. Raises SettingsInvalid where Discord never took the token, NeedsOwner as `claim`."""
        if self._claims is None:
            count = await self._find_count()
            self._tenure = Tenure(Shards(tuple(range(count)), count))
            await self._supervisor.run()
        wider: Tenure | None = None
        while True:
            wider = await self._serve(self._claims, wider or await self._claim(self._claims))

    def _build_client(self, has_members_intent: bool) -> PledgekeeperBot:
        assert self._tenure is not None  # noqa: S101  the supervisor runs within one
        return self._build(self._tenure, has_members_intent)

    async def _find_count(self) -> int:
        """Return how many shards there are: what Discord recommended when we first came, unless somebody changed it."""
        count = await self._shards.count()
        if count is None:
            recommended = await self._supervisor.ask(self._ask_recommended)
            count = await self._shards.settle(min(max(recommended, 1), MOST_SHARDS))
            log.info("there are so many shards from now on", shards=count)
        return count

    async def _claim(self, claims: ShardClaims) -> Tenure:
        """Wait in reserve until there are shards for us."""
        is_first, told = True, ""
        while True:
            try:
                count = await self._find_count()
                if is_first and count > 1:
                    await asyncio.sleep(TOGETHER_SECONDS)
                is_first = False
                found = await claims.claim(count)
                if isinstance(found, Tenure):
                    self._health.withdraw(Note.IN_RESERVE)
                    return found
                why: str = found
                self._health.ok("gateway")
                self._health.note(Note.IN_RESERVE)
            except DatabaseAway as away:
                why = str(away)
                self._health.failed("gateway", why)
            if why != told:
                log.info("in reserve: there is no shard for this process", why=why)
                told = why
            await asyncio.sleep(LOOK_SECONDS)

    async def _serve(self, claims: ShardClaims, tenure: Tenure) -> Tenure | None:
        """Keep a client of these shards connected; return a wider tenure that follows, None where this one is lost."""
        log.info("this process speaks for shards", shards=list(tenure.shards.ids), of=tenure.shards.count)
        self._tenure, wider = tenure, None
        life = asyncio.create_task(self._supervisor.run(), name="discord supervisor")
        keeping = asyncio.create_task(claims.keep(tenure), name="leases of shards")
        try:
            await asyncio.wait({life, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                life.result()
            wider = keeping.result()
            if wider is None:
                tenure.end()
                log.warning("another process speaks for shards of this one: it waits in reserve")
        finally:
            for task in (life, keeping):  # the leases are renewed until the client is closed
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            tenure.end()
            if wider is None:
                await claims.release(tenure)
        return wider
