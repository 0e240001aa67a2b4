"""Stores what the servers are called that this process shows: processes without a client speak of them too."""

import asyncio
from typing import NoReturn

from bot.discord.holder import ClientHolder
from bot.domain.model import GuildId
from bot.storage import Storage

LOOK_SECONDS = 5.0


class GuildNames:
    """Looks every few seconds, and stores what is new."""

    def __init__(self, *, holder: ClientHolder, storage: Storage) -> None:
        self._holder = holder
        self._storage = storage
        self._saved: dict[GuildId, str] = {}

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            await self.save()
            await asyncio.sleep(LOOK_SECONDS)

    async def save(self) -> None:
        """Store each name that this process has not stored so before."""
        client = self._holder.current
        names = {} if client is None else {GuildId(one.id): one.name for one in client.guilds if not one.unavailable}
        new = {guild_id: name for guild_id, name in names.items() if self._saved.get(guild_id) != name}
        if new:
            await self._storage.guilds.save_names(new)
        self._saved = names
