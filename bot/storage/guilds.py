"""What admins set for their guild, and what it is called. A guild without a row has the defaults of `GuildSettings`."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.model import REPLANNED, GuildId, GuildSettings
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.due import make_everyone_due
from bot.storage.rows import read_row
from bot.storage.tables import guild_names, guild_settings
from bot.storage.upsert import Upsert


class Guilds(Aggregate):
    """The settings of every guild."""

    async def settings(self, guild_id: GuildId) -> GuildSettings:
        """Return a guild's settings."""
        return (await self.settings_of([guild_id]))[guild_id]

    async def settings_of(self, guild_ids: Collection[GuildId]) -> dict[GuildId, GuildSettings]:
        """Return the settings of several guilds."""
        return await self.kept.get_all(guild_ids, self._read)

    @transaction
    async def change(self, connection: AsyncConnection, /, guild_id: GuildId, **changes: Any) -> GuildSettings:
        """Change some settings by their names, and return them all. Judges no value."""
        return await change_settings(connection, guild_id, changes)

    @transaction
    async def save_names(self, connection: AsyncConnection, names: Mapping[GuildId, str]) -> None:
        """Remember what guilds are called, for processes that don't see them."""
        rows = [{"guild_id": guild_id, "name": name} for guild_id, name in sorted(names.items())]
        if rows:
            await connection.execute(Upsert(guild_names).on(connection), rows)

    async def names(self, guild_ids: Collection[GuildId]) -> dict[GuildId, str]:
        """Return what guilds are called, as far as it was saved."""
        query = select(guild_names).where(guild_names.c.guild_id.in_(sorted(guild_ids)))
        async with self._database.read() as connection:
            return {GuildId(row.guild_id): row.name for row in (await connection.execute(query)).all()}

    async def _read(self, guild_ids: list[GuildId]) -> dict[GuildId, GuildSettings]:
        async with self._database.read() as connection:
            query = select(guild_settings).where(guild_settings.c.guild_id.in_(guild_ids))
            rows = (await connection.execute(query)).all()
        stored = {row.guild_id: read_row(row, GuildSettings) for row in rows}
        return {guild_id: stored.get(guild_id, GuildSettings()) for guild_id in guild_ids}


async def change_settings(connection: AsyncConnection, guild_id: GuildId, changes: Mapping[str, Any]) -> GuildSettings:
    """Do what `Guilds.change` does, within a transaction."""
    changed = msgspec.structs.replace(await _load(connection, guild_id), **changes)
    row = {"guild_id": guild_id, **msgspec.structs.asdict(changed)}
    await connection.execute(Upsert(guild_settings).on(connection), row)
    if REPLANNED & changes.keys():
        await make_everyone_due(connection, [guild_id], trigger=Trigger.SETTINGS)
    return changed


async def _load(connection: AsyncConnection, guild_id: GuildId) -> GuildSettings:
    row = (await connection.execute(select(guild_settings).where(guild_settings.c.guild_id == guild_id))).first()
    return GuildSettings() if row is None else read_row(row, GuildSettings)
