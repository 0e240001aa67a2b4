"""What admins set for their guild. A guild without a row has the defaults of `GuildSettings`."""

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import GuildId, GuildSettings
from bot.storage.database import Database
from bot.storage.kept import Kept
from bot.storage.rows import read_row
from bot.storage.tables import guild_settings
from bot.storage.upsert import Upsert


class Guilds:
    """The settings of every guild."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.kept = Kept(database)

    async def settings(self, guild_id: GuildId) -> GuildSettings:
        """Return a guild's settings."""
        return await self.kept.get(guild_id, lambda: self._read(guild_id))

    async def change(self, guild_id: GuildId, **changes: Any) -> GuildSettings:
        """Change some settings by their names, and return them all. Judges no value."""
        async with self.kept.write() as connection:
            changed = msgspec.structs.replace(await _load(connection, guild_id), **changes)
            row = {"guild_id": guild_id, **msgspec.structs.asdict(changed)}
            await connection.execute(Upsert(guild_settings).on(connection), row)
        return changed

    async def _read(self, guild_id: GuildId) -> GuildSettings:
        async with self._database.read() as connection:
            return await _load(connection, guild_id)


async def _load(connection: AsyncConnection, guild_id: GuildId) -> GuildSettings:
    row = (await connection.execute(select(guild_settings).where(guild_settings.c.guild_id == guild_id))).first()
    return GuildSettings() if row is None else read_row(row, GuildSettings)
