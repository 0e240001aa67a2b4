"""The exclusive groups of every guild, as admins ordered them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.model import GuildId, RoleId
from bot.domain.role_groups import RoleGroup
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.due import make_everyone_due
from bot.storage.tables import role_groups


class RoleGroups(Aggregate):
    """Every exclusive group."""

    @transaction
    async def put(self, connection: AsyncConnection, group: RoleGroup) -> None:
        """Store a group, in place of each that has one of its roles."""
        await _drop(connection, group.guild_id, group.role_ids)
        common = {"guild_id": group.guild_id, "highest_role_id": group.role_ids[0]}
        rows = [{**common, "role_id": role_id, "position": place} for place, role_id in enumerate(group.role_ids)]
        await connection.execute(insert(role_groups), rows)
        await make_everyone_due(connection, [group.guild_id], trigger=Trigger.GROUP)

    @transaction
    async def remove(self, connection: AsyncConnection, guild_id: GuildId, role_id: RoleId) -> bool:
        """Forget the group of a role; tell whether there was one."""
        is_known = await _drop(connection, guild_id, [role_id])
        if is_known:
            await make_everyone_due(connection, [guild_id], trigger=Trigger.GROUP)
        return is_known

    async def list_guild(self, guild_id: GuildId) -> tuple[RoleGroup, ...]:
        """Return a guild's groups."""
        return (await self.list_guilds([guild_id]))[guild_id]

    async def list_guilds(self, guild_ids: Collection[GuildId]) -> dict[GuildId, tuple[RoleGroup, ...]]:
        """Return the groups of several guilds."""
        return await self.kept.get_all(guild_ids, self._list_guilds)

    async def _list_guilds(self, guild_ids: list[GuildId]) -> dict[GuildId, tuple[RoleGroup, ...]]:
        order = (role_groups.c.guild_id, role_groups.c.highest_role_id, role_groups.c.position)
        query = select(role_groups).where(role_groups.c.guild_id.in_(guild_ids)).order_by(*order)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        groups: dict[tuple[GuildId, RoleId], list[Row[Any]]] = {}
        for row in rows:
            groups.setdefault((row.guild_id, row.highest_role_id), []).append(row)
        found: dict[GuildId, list[RoleGroup]] = {guild_id: [] for guild_id in guild_ids}
        for (guild_id, _), theirs in groups.items():
            found[guild_id].append(RoleGroup(guild_id=guild_id, role_ids=tuple(row.role_id for row in theirs)))
        return {guild_id: tuple(those) for guild_id, those in found.items()}


async def _drop(connection: AsyncConnection, guild_id: GuildId, role_ids: Collection[RoleId]) -> bool:
    """Forget the groups that have one of these roles; tell whether there were any."""
    in_guild = role_groups.c.guild_id == guild_id
    touched = select(role_groups.c.highest_role_id).where(in_guild, role_groups.c.role_id.in_(role_ids))
    statement = delete(role_groups).where(in_guild, role_groups.c.highest_role_id.in_(touched))
    return (await connection.execute(statement.returning(role_groups.c.role_id))).first() is not None
