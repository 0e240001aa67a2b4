"""What becomes of a person's roles in the servers of other processes: waits for it, and tells it by what is stored.

Only where several processes share a database. Who plans there is the process that shows the server: it ends the row by
which the person waits (`storage/due.py`), and stores what the server is called
(`discord/guild_names.py`).
"""

import asyncio
import time
from collections.abc import Collection

from bot.domain.model import DiscordUserId, GuildId
from bot.domain.role_news import RoleNews, stored_news
from bot.runtime.clock import Clock
from bot.storage import Storage

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.2
MOST_ENTRIES = 100  # of a person's audit in one server: their roles, each several times


class Elsewhere:
    """The servers that this process does not show."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def follow(
        self, discord_user_id: DiscordUserId, guild_ids: Collection[GuildId], *, in_sight: Collection[GuildId]
    ) -> tuple[RoleNews, ...]:
        """Wait until somebody waits no more in those of these servers that are not in sight; say what came of it.

        What takes too long is told as it stands.
        """
        others = self._others(guild_ids, in_sight)
        until = time.monotonic() + PATIENCE_SECONDS
        is_awaited = self._storage.due.is_awaited
        while others and time.monotonic() < until and await is_awaited(discord_user_id, others):  # noqa: ASYNC110  rows
            await asyncio.sleep(POLL_SECONDS)
        return await self._tell(discord_user_id, others)

    async def know(self, discord_user_id: DiscordUserId, *, in_sight: Collection[GuildId]) -> tuple[RoleNews, ...]:
        """Say how somebody's roles stand in every server of theirs that is not in sight."""
        if not self._storage.database.is_shared:
            return ()
        theirs = await self._storage.links.guilds_of([discord_user_id])
        return await self._tell(discord_user_id, self._others(theirs, in_sight))

    def _others(self, guild_ids: Collection[GuildId], in_sight: Collection[GuildId]) -> list[GuildId]:
        return sorted(set(guild_ids).difference(in_sight)) if self._storage.database.is_shared else []

    async def _tell(self, discord_user_id: DiscordUserId, guild_ids: Collection[GuildId]) -> tuple[RoleNews, ...]:
        names = await self._storage.guilds.names(guild_ids) if guild_ids else {}
        told = list[RoleNews]()
        for guild_id in guild_ids:
            grants = await self._storage.ledger.load_member(guild_id, discord_user_id)
            entries = await self._storage.audit.recent(guild_id, discord_user_id, limit=MOST_ENTRIES)
            name = names.get(guild_id, "")
            told += stored_news(guild_id, grants, entries, guild_name=name, now=self._clock.now())
        return tuple(told)
