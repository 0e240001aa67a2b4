"""Follows the ends of comps: tells whoever gave one three days before, once, and lets its person be planned at its end.

Both are stored facts, so that of several processes one does it, and none twice. A guild out of sight is left to whoever
sees it; the planner goes by the time in any case.
"""

import asyncio
from typing import NoReturn

import structlog

from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.domain.changes import Trigger
from bot.domain.comps import TOLD_BEFORE, Comp
from bot.domain.model import GuildId
from bot.domain.notices import CompEnding
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0


class CompEnds:
    """Looks every few seconds for comps that end."""

    def __init__(
        self, *, storage: Storage, observer: Observer, reconciler: Reconciler, notifier: Notifier, clock: Clock
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._reconciler = reconciler
        self._notifier = notifier
        self._clock = clock

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell of those that end soon, and follow those that have ended."""
        now, in_sight = self._clock.now(), frozenset[GuildId](self._observer.guild_ids())
        for comp in await self._storage.comps.list_ending(now, now + TOLD_BEFORE):
            if comp.guild_id in in_sight:
                await self._tell(comp)
        for comp in await self._storage.comps.list_over(now):
            if comp.guild_id in in_sight and await self._storage.comps.end(comp, at=now):
                log.info("a comp has ended", guild_id=comp.guild_id, discord_user_id=comp.discord_user_id)
                self._reconciler.mark(comp.guild_id, [comp.discord_user_id], trigger=Trigger.COMP_ENDED)

    async def _tell(self, comp: Comp) -> None:
        """Tell whoever gave it: rather never than twice."""
        if comp.until is None or not await self._storage.comps.note_told(comp, self._clock.now()):
            return
        look = self._observer.look_guild(comp.guild_id)
        role = look.roles.get(comp.role_id) if look is not None else None
        ending = CompEnding(
            discord_user_id=comp.discord_user_id,
            role="" if role is None else role.name,
            reason=comp.reason,
            given_by=comp.given_by,
            until=comp.until,
        )
        await self._notifier.tell_news(comp.guild_id, ending)
