"""The tokens of the API: whose they are, and when they were used last. With a guild's last one goes who is in it."""

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.api_token import ApiToken
from bot.domain.model import ApiTokenId, GuildId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.rows import read_row, read_rows
from bot.storage.tables import api_tokens, guild_members
from bot.storage.unlinks import Revoked, UnlinkFile

_NOTE_USED = update(api_tokens).where(api_tokens.c.token_id == bindparam("token")).values(used_at=bindparam("at"))


class ApiTokens(Aggregate):
    """Every token that works."""

    def __init__(self, database: Database, unlinks: UnlinkFile | None = None) -> None:
        super().__init__(database)
        self._unlinks = unlinks

    @transaction
    async def add(self, connection: AsyncConnection, token: ApiToken, *, most: int) -> ApiToken | None:
        """Store a token, and return it with its number; None where its guild has so many already."""
        count = select(func.count()).where(api_tokens.c.guild_id == token.guild_id)
        if (await connection.execute(count)).scalar_one() >= most:
            return None
        row = msgspec.structs.asdict(token)
        del row["token_id"]
        add = insert(api_tokens).values(row).returning(api_tokens.c.token_id)
        return msgspec.structs.replace(token, token_id=ApiTokenId((await connection.execute(add)).scalar_one()))

    async def find(self, token_id: ApiTokenId) -> ApiToken | None:
        """Return a token."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(api_tokens).where(api_tokens.c.token_id == token_id))).first()
        return None if row is None else read_row(row, ApiToken)

    async def list_guild(self, guild_id: GuildId) -> tuple[ApiToken, ...]:
        """Return a guild's tokens, the oldest first."""
        query = select(api_tokens).where(api_tokens.c.guild_id == guild_id).order_by(api_tokens.c.token_id)
        async with self._database.read() as connection:
            return tuple(read_rows(await connection.execute(query), ApiToken))

    async def guilds(self) -> frozenset[GuildId]:
        """Return the guilds that have a token.

        Where others write too the answer may be some seconds old, but for what this process has written.
        """
        return await self.kept.get_lately("guilds", self._guilds)

    async def _guilds(self) -> frozenset[GuildId]:
        async with self._database.read() as connection:
            found = (await connection.execute(select(api_tokens.c.guild_id).distinct())).scalars()
            return frozenset(map(GuildId, found))

    async def note_used(self, token: ApiToken, at: datetime) -> None:
        """Remember when a token was used last."""
        await self._database.execute(_NOTE_USED, {"token": token.token_id, "at": at})

    async def revoke(self, guild_id: GuildId, token_id: ApiTokenId, *, at: datetime) -> ApiToken | None:
        """End a guild's token; return it, or None where it has none of that number."""
        if self._unlinks is not None and token_id in {one.token_id for one in await self.list_guild(guild_id)}:
            await self._unlinks.note_revoked(Revoked(api_tokens.name, token_id), at)
        return await self._revoke(guild_id, token_id)

    @transaction
    async def _revoke(self, connection: AsyncConnection, guild_id: GuildId, token_id: ApiTokenId) -> ApiToken | None:
        mine = (api_tokens.c.guild_id == guild_id, api_tokens.c.token_id == token_id)
        row = (await connection.execute(delete(api_tokens).where(*mine).returning(api_tokens))).first()
        if row is None:
            return None
        if not await has_token(connection, guild_id):
            await connection.execute(delete(guild_members).where(guild_members.c.guild_id == guild_id))
        return read_row(row, ApiToken)

    async def revoke_all(self, guild_id: GuildId, *, at: datetime) -> tuple[ApiToken, ...]:
        """End all of a guild's tokens, and return them: the bot is there no more."""
        if self._unlinks is not None:
            for one in await self.list_guild(guild_id):
                await self._unlinks.note_revoked(Revoked(api_tokens.name, one.token_id), at)
        return await self._revoke_all(guild_id)

    @transaction
    async def _revoke_all(self, connection: AsyncConnection, guild_id: GuildId) -> tuple[ApiToken, ...]:
        ended = await connection.execute(
            delete(api_tokens).where(api_tokens.c.guild_id == guild_id).returning(api_tokens)
        )
        tokens = tuple(sorted(read_rows(ended, ApiToken), key=lambda one: one.token_id))
        await connection.execute(delete(guild_members).where(guild_members.c.guild_id == guild_id))
        return tokens


async def has_token(connection: AsyncConnection, guild_id: GuildId) -> bool:
    """Tell whether a guild has a token, inside a transaction that the caller began."""
    query = select(api_tokens.c.token_id).where(api_tokens.c.guild_id == guild_id).limit(1)
    return (await connection.execute(query)).first() is not None
