"""Roles that admins gave without a pledge: what was given to whom, until when, and whether its end was followed."""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.comps import Comp
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.runtime.unhurried import portions
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.due import make_due
from bot.storage.rows import read_row, read_rows
from bot.storage.tables import comps, grants
from bot.storage.upsert import Upsert

_FIELDS = [comps.c[name] for name in Comp.__struct_fields__]
_WITH_GRANT = exists().where(
    grants.c.guild_id == comps.c.guild_id,
    grants.c.discord_user_id == comps.c.discord_user_id,
    grants.c.role_id == comps.c.role_id,
)


class Comps(Aggregate):
    """Every comp: those that run, and those that ended and on which a role still rests."""

    @transaction
    async def give(self, connection: AsyncConnection, comp: Comp) -> Comp | None:
        """Store a comp, in place of the one for the same person and role; return that where it had not ended."""
        running = select(*_FIELDS).where(*_is(comp), _runs(comp.given_at))
        before = (await connection.execute(running)).first()
        told_at = None if comp.is_told_of else comp.given_at
        row = {**msgspec.structs.asdict(comp), "told_at": told_at, "ended_at": None}
        await connection.execute(Upsert(comps).on(connection), row)
        await make_due(connection, comp.guild_id, [comp.discord_user_id], trigger=Trigger.COMP)
        return None if before is None else read_row(before, Comp)

    @transaction
    async def remove(
        self,
        connection: AsyncConnection,
        guild_id: GuildId,
        discord_user_id: DiscordUserId,
        role_id: RoleId,
        *,
        at: datetime,
    ) -> Comp | None:
        """End a comp now, on an admin's word; return it, or None where none runs."""
        mine = (
            comps.c.guild_id == guild_id,
            comps.c.discord_user_id == discord_user_id,
            comps.c.role_id == role_id,
        )
        statement = update(comps).where(*mine, _runs(at)).values(until=at, ended_at=at).returning(*_FIELDS)
        row = (await connection.execute(statement)).first()
        if row is None:
            return None
        await make_due(connection, guild_id, [discord_user_id], trigger=Trigger.COMP)
        return read_row(row, Comp)

    async def list_running(self, guild_id: GuildId, now: datetime) -> tuple[Comp, ...]:
        """Return a guild's comps that have not ended, the oldest first."""
        return await self._list(comps.c.guild_id == guild_id, _runs(now))

    async def load_guilds(
        self, guild_ids: Collection[GuildId]
    ) -> dict[GuildId, dict[DiscordUserId, dict[RoleId, Comp]]]:
        """Return every comp of several guilds, ended ones too, by person and role."""
        return await self.kept.get_all(guild_ids, self._load_guilds)

    async def load_people(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId]
    ) -> dict[DiscordUserId, dict[RoleId, Comp]]:
        """Return the comps of these people in a guild, without those who have none."""
        people = sorted(set(discord_user_ids))
        if not self._database.is_shared:  # they are few, and asked for at every turn
            known = (await self.load_guilds([guild_id]))[guild_id]
            return {person: known[person] for person in people if person in known}
        found: dict[DiscordUserId, dict[RoleId, Comp]] = {}
        for few in portions(people, MAX_VALUES):
            some = comps.c.discord_user_id.in_(few)
            found |= await self._load(comps.c.guild_id == guild_id, some)
        return found

    async def load_member(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> dict[RoleId, Comp]:
        """Return one person's comps in a guild, by role."""
        return (await self.load_people(guild_id, [discord_user_id])).get(discord_user_id, {})

    async def has_any(self, guild_id: GuildId) -> bool:
        """Tell whether anybody has, or had, a comp in a guild."""
        return await self._has(comps.c.guild_id == guild_id)

    async def is_given(self, discord_user_id: DiscordUserId, now: datetime) -> bool:
        """Tell whether a comp of this person runs anywhere."""
        return await self._has(comps.c.discord_user_id == discord_user_id, _runs(now))

    async def list_ending(self, now: datetime, before: datetime) -> tuple[Comp, ...]:
        """Return those that run and end before a moment, and of whose end nobody was told."""
        return await self._list(comps.c.told_at.is_(None), comps.c.until > now, comps.c.until <= before)

    @transaction
    async def note_told(self, connection: AsyncConnection, comp: Comp, at: datetime) -> bool:
        """Note that the end of a comp is being told of; False where it has been, or where the comp is another now."""
        mine = (*_is(comp), comps.c.until == comp.until, comps.c.told_at.is_(None))
        statement = update(comps).where(*mine).values(told_at=at).returning(comps.c.role_id)
        return (await connection.execute(statement)).first() is not None

    async def list_over(self, now: datetime) -> tuple[Comp, ...]:
        """Return those whose end has come and was not followed."""
        return await self._list(comps.c.ended_at.is_(None), comps.c.until <= now)

    @transaction
    async def end(self, connection: AsyncConnection, comp: Comp, *, at: datetime) -> bool:
        """Let the person be planned whose comp has ended; False where another process did, or where it goes on."""
        mine = (*_is(comp), comps.c.until <= at, comps.c.ended_at.is_(None))
        statement = update(comps).where(*mine).values(ended_at=at).returning(comps.c.role_id)
        if (await connection.execute(statement)).first() is None:
            return False
        await make_due(connection, comp.guild_id, [comp.discord_user_id], trigger=Trigger.COMP_ENDED)
        return True

    @transaction
    async def drop(self, connection: AsyncConnection, ended: Iterable[Comp]) -> None:
        """Forget comps that have ended; one that was given again stays."""
        for comp in ended:
            mine = (*_is(comp), comps.c.given_at == comp.given_at, comps.c.ended_at.is_not(None))
            await connection.execute(delete(comps).where(*mine))

    @transaction
    async def purge(self, connection: AsyncConnection) -> None:
        """Forget those that have ended and whose role nobody holds by us."""
        await connection.execute(delete(comps).where(comps.c.ended_at.is_not(None), ~_WITH_GRANT))

    async def _load_guilds(self, guild_ids: list[GuildId]) -> dict[GuildId, dict[DiscordUserId, dict[RoleId, Comp]]]:
        found: dict[GuildId, dict[DiscordUserId, dict[RoleId, Comp]]] = {guild_id: {} for guild_id in guild_ids}
        for comp in await self._list(comps.c.guild_id.in_(guild_ids)):
            found[comp.guild_id].setdefault(comp.discord_user_id, {})[comp.role_id] = comp
        return found

    async def _load(self, *conditions: ColumnElement[bool]) -> dict[DiscordUserId, dict[RoleId, Comp]]:
        found: dict[DiscordUserId, dict[RoleId, Comp]] = {}
        for comp in await self._list(*conditions):
            found.setdefault(comp.discord_user_id, {})[comp.role_id] = comp
        return found

    async def _list(self, *conditions: ColumnElement[bool]) -> tuple[Comp, ...]:
        order = (comps.c.given_at, comps.c.discord_user_id, comps.c.role_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(select(*_FIELDS).where(*conditions).order_by(*order))).all()
        return tuple(read_rows(rows, Comp))

    async def _has(self, *conditions: ColumnElement[bool]) -> bool:
        query = select(comps.c.role_id).where(*conditions).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None


def _is(comp: Comp) -> tuple[ColumnElement[bool], ...]:
    return (
        comps.c.guild_id == comp.guild_id,
        comps.c.discord_user_id == comp.discord_user_id,
        comps.c.role_id == comp.role_id,
    )


def _runs(now: datetime) -> ColumnElement[bool]:
    return comps.c.until.is_(None) | (comps.c.until > now)
