"""Who is in a guild, of those who are tied to it: for processes that see no gateway. Only of guilds with a token."""

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import DiscordUserId, GuildId
from bot.runtime.unhurried import portions
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.api_tokens import has_token
from bot.storage.tables import guild_members


class GuildMembers(Aggregate):
    """Who is where."""

    async def is_member(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool:
        """Tell whether somebody is in a guild."""
        mine = (guild_members.c.guild_id == guild_id, guild_members.c.discord_user_id == discord_user_id)
        async with self._database.read() as connection:
            return (await connection.execute(select(guild_members).where(*mine))).first() is not None

    async def list_after(self, guild_id: GuildId, place: DiscordUserId, *, most: int) -> list[DiscordUserId]:
        """Return some of those who are in a guild, in order, after a place."""
        person = guild_members.c.discord_user_id
        query = select(person).where(guild_members.c.guild_id == guild_id, person > place).order_by(person).limit(most)
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def load_guild(self, guild_id: GuildId) -> frozenset[DiscordUserId]:
        """Return all who are in a guild."""
        async with self._database.read() as connection:
            return await _load(connection, guild_members.c.guild_id == guild_id)

    async def note(self, guild_id: GuildId, presence: Mapping[DiscordUserId, bool]) -> bool:
        """Store of these people whether they are in a guild and tied to it; tell whether that was news."""
        async with self._database.read() as connection:
            came, left = await _news_of(connection, guild_id, presence)
        return await self._note(guild_id, presence) if came or left else False

    @transaction
    async def _note(
        self, connection: AsyncConnection, guild_id: GuildId, presence: Mapping[DiscordUserId, bool]
    ) -> bool:
        if not await has_token(connection, guild_id):
            return False
        came, left = await _news_of(connection, guild_id, presence)
        await _store(connection, guild_id, came, left)
        return bool(came or left)

    @transaction
    async def save_guild(
        self,
        connection: AsyncConnection,
        guild_id: GuildId,
        *,
        came: Collection[DiscordUserId],
        left: Collection[DiscordUserId],
    ) -> None:
        """Store who came and who left; nothing where the guild has no token any more."""
        if await has_token(connection, guild_id):
            await _store(connection, guild_id, came, left)


async def _news_of(
    connection: AsyncConnection, guild_id: GuildId, presence: Mapping[DiscordUserId, bool]
) -> tuple[set[DiscordUserId], set[DiscordUserId]]:
    """Return who of these people came and who left, by what is stored."""
    people, stored = sorted(presence), set[DiscordUserId]()
    for few in portions(people, MAX_VALUES):
        some = guild_members.c.discord_user_id.in_(few)
        stored |= await _load(connection, guild_members.c.guild_id == guild_id, some)
    here = {person for person in people if presence[person]}
    return here - stored, stored - here


async def _store(
    connection: AsyncConnection, guild_id: GuildId, came: Collection[DiscordUserId], left: Collection[DiscordUserId]
) -> None:
    changed = sorted({*came, *left})
    for few in portions(changed, MAX_VALUES):
        some = guild_members.c.discord_user_id.in_(few)
        await connection.execute(delete(guild_members).where(guild_members.c.guild_id == guild_id, some))
    rows = [{"guild_id": guild_id, "discord_user_id": person} for person in sorted(came)]
    if rows:
        await connection.execute(insert(guild_members), rows)


async def _load(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> frozenset[DiscordUserId]:
    found = await connection.execute(select(guild_members.c.discord_user_id).where(*conditions))
    return frozenset(map(DiscordUserId, found.scalars()))
