"""What a process has to say that is not at Discord: a row until a process that is has said it, the oldest first."""

from collections.abc import Collection
from datetime import timedelta

import msgspec
from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import GuildId
from bot.runtime.unhurried import portions
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.bell import CHANNEL
from bot.storage.leases import DatabaseClock
from bot.storage.rows import read_rows
from bot.storage.tables import messages
from bot.storage.tables.column_types import MICROSECOND

RUNG = "messages"  # the word

_ADD = insert(messages).values(noted_at=DatabaseClock())
_RING = select(func.pg_notify(CHANNEL, RUNG))


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something to say, in a server or to one person."""

    message_id: int
    guild_id: GuildId | None
    body: str  # JSON: a saying (`discord/sayings.py`)
    secret_sealed: str | None


class Messages(Aggregate):
    """Everything that waits to be said."""

    @transaction
    async def add(
        self, connection: AsyncConnection, guild_id: GuildId | None, body: str, *, secret_sealed: str | None = None
    ) -> None:
        """Let something be said by whoever is at Discord there; without a guild, to one person."""
        await connection.execute(_ADD, {"guild_id": guild_id, "body": body, "secret_sealed": secret_sealed})
        if connection.dialect.name == "postgresql":
            await connection.execute(_RING)

    async def list_guilds(self) -> frozenset[GuildId | None]:
        """Return where something waits to be said; None: to single people."""
        async with self._database.read() as connection:
            return frozenset((await connection.execute(select(messages.c.guild_id).distinct())).scalars())

    async def list_for(self, guild_ids: Collection[GuildId], *, with_people: bool, limit: int) -> tuple[Message, ...]:
        """Return what waits to be said in these guilds, and (`with_people`) to single people."""
        where = [messages.c.guild_id.in_(sorted(guild_ids))] + [messages.c.guild_id.is_(None)] * with_people
        query = select(*(messages.c[name] for name in Message.__struct_fields__)).where(or_(*where))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(messages.c.message_id).limit(limit))).all()
        return tuple(read_rows(rows, Message))

    async def end(self, said: Collection[Message]) -> None:
        """Forget what was said."""
        numbers = [one.message_id for one in said]
        for few in portions(numbers, MAX_VALUES):
            await self._database.execute(delete(messages).where(messages.c.message_id.in_(few)))

    @transaction
    async def purge(self, connection: AsyncConnection, older_than: timedelta) -> int:
        """Forget what nobody could say for so long; return how many."""
        statement = delete(messages).where(messages.c.noted_at < DatabaseClock() - older_than // MICROSECOND)
        return (await connection.execute(statement)).rowcount

    async def count(self) -> int:
        """Count what waits."""
        async with self._database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(messages))).scalar_one()
