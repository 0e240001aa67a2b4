"""What the owner was already told, so that a trouble makes one message, and its end another one."""

from datetime import datetime

from sqlalchemy import delete, select

from bot.storage.database import Database
from bot.storage.kept import Kept
from bot.storage.tables import notices
from bot.storage.upsert import Upsert


class Notices:
    """Every trouble that the owner knows of and that is not over."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.kept = Kept(database)  # which keys there are, by how they begin: asked of each guild in each round

    async def seen(self, key: str) -> str | None:
        """Return what the owner was told, None where they were told nothing."""
        async with self._database.read() as connection:
            return (await connection.execute(select(notices.c.text).where(notices.c.key == key))).scalar()

    async def note(self, key: str, at: datetime, text: str = "") -> bool:
        """Remember a message; True where it is news: no such key was noted, or another text."""
        known = select(notices.c.text).where(notices.c.key == key)
        async with self.kept.write() as connection:
            if (await connection.execute(known)).scalar() == text:
                return False
            await connection.execute(Upsert(notices).on(connection), {"key": key, "told_at": at, "text": text})
        return True

    async def clear(self, key: str) -> bool:
        """Forget a message, for its trouble is over; True where the owner had been told of it."""
        async with self.kept.write() as connection:
            return (await connection.execute(delete(notices).where(notices.c.key == key))).rowcount > 0

    async def keys(self, prefix: str) -> frozenset[str]:
        """Return the keys that begin so."""

        async def load() -> frozenset[str]:
            query = select(notices.c.key).where(notices.c.key.startswith(prefix, autoescape=True))
            async with self._database.read() as connection:
                return frozenset((await connection.execute(query)).scalars())

        return await self.kept.get(prefix, load)
