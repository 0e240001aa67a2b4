"""What a process has to say that is not at Discord: a row until a process that is has said it, the oldest first."""

from collections.abc import Collection

import msgspec
from sqlalchemy import delete, func, insert, or_, select

from bot.domain.model import GuildId
from bot.storage.aggregate import Aggregate
from bot.storage.leases import DatabaseClock
from bot.storage.tables import messages

MAX_ROWS = 500  # in one statement: databases limit how many values it may carry

_ADD = insert(messages).values(noted_at=DatabaseClock())


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something to say, in a server or to one person."""

    message_id: int
    guild_id: GuildId | None
    body: str  # JSON, which `discord/outbox.py` writes and reads


class Messages(Aggregate):
    """Everything that waits to be said."""

    async def add(self, guild_id: GuildId | None, body: str) -> None:
        """Let something be said by whoever is at Discord there; without a guild, to one person."""
        await self._database.execute(_ADD, {"guild_id": guild_id, "body": body})

    async def list_for(self, guild_ids: Collection[GuildId], *, with_people: bool, limit: int) -> tuple[Message, ...]:
        """Return what waits to be said in these guilds, and (`with_people`) to single people."""
        where = [messages.c.guild_id.in_(sorted(guild_ids))] + [messages.c.guild_id.is_(None)] * with_people
        query = select(messages).where(or_(*where)).order_by(messages.c.message_id).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            Message(
                message_id=row.message_id,
                guild_id=None if row.guild_id is None else GuildId(row.guild_id),
                body=row.body,
            )
            for row in rows
        )

    async def end(self, said: Collection[Message]) -> None:
        """Forget what was said."""
        numbers = [one.message_id for one in said]
        for start in range(0, len(numbers), MAX_ROWS):
            await self._database.execute(
                delete(messages).where(messages.c.message_id.in_(numbers[start : start + MAX_ROWS]))
            )

    async def count(self) -> int:
        """Count what waits."""
        async with self._database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(messages))).scalar_one()
