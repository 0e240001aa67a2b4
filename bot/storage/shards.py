"""How many shards our application has at Discord, and which process speaks for which: a lease for each.

All that a process has are renewed at once. A shard that nobody has is free since a moment: since it was given back, or
else since its lease lapsed, whose owner said nothing for as long as the lease had left.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, Update, case, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.shards import Shards
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.leases import DatabaseClock, Lease
from bot.storage.tables import installation, leases, processes
from bot.storage.tables.column_types import MICROSECOND
from bot.storage.upsert import Upsert, insert_once

COUNT = "shards"
PREFIX = "shard:"
WHOLE_DATABASE = "bot"
"""A lease that stands for all: of whoever copies the database, and of an older version, which works on it alone."""
NOBODY = ""


class ShardLeases(Aggregate):
    """The count, and the leases."""

    async def count(self) -> int | None:
        """Return how many shards there are; None before that is known."""
        async with self._database.read() as connection:
            return await _read_count(connection)

    async def settle(self, count: int) -> int:
        """Let there be so many, where that is not known yet; return how many there are."""
        row = {"name": COUNT, "text": str(count)}
        await self._database.execute(insert_once(installation, self._database.dialect_name), row)
        return await self.count() or count

    @transaction
    async def change_count(self, connection: AsyncConnection, count: int, *, gateway: str) -> bool:
        """Let there be so many from now on; False, and nothing is changed, while a process speaks for any.

        `gateway` is the word for those that do, or may at any moment. One that was stopped for a while loses all that
        it had.
        """
        now = (await connection.execute(select(DatabaseClock()))).scalar_one()
        live = select(processes.c.roles).where(processes.c.until > now)
        held = select(leases.c.name).where(leases.c.until > now, is_shard() | (leases.c.name == WHOLE_DATABASE))
        if (await connection.execute(held)).first() is not None or any(
            gateway in roles.split(",") for (roles,) in await connection.execute(live)
        ):
            return False
        await connection.execute(_take_from_all(now).where(is_shard()))
        await connection.execute(Upsert(installation).on(connection), {"name": COUNT, "text": str(count)})
        return True

    async def list_free(
        self, ids: Iterable[int], *, given_back_for: timedelta = timedelta(), lapsed_for: timedelta = timedelta()
    ) -> tuple[int, ...]:
        """Return which of these nobody has had for so long, in order."""
        is_given_back = leases.c.owner == NOBODY
        free_for = case((is_given_back, given_back_for // MICROSECOND), else_=lapsed_for // MICROSECOND)
        query = select(leases.c.name).where(is_shard(), leases.c.until > DatabaseClock() - free_for)
        async with self._database.read() as connection:
            busy = set((await connection.execute(query)).scalars())
        return tuple(one for one in ids if _name(one) not in busy)

    async def is_any_held(self) -> bool:
        """Tell whether a process speaks for any shard."""
        query = select(leases.c.name).where(is_shard(), leases.c.until > DatabaseClock()).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def count_owners(self) -> int:
        """Count the processes that speak for any shard."""
        query = select(func.count(leases.c.owner.distinct())).where(is_shard(), leases.c.until > DatabaseClock())
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()

    @transaction
    async def claim(
        self, connection: AsyncConnection, some: Shards, owner: str, period: timedelta
    ) -> dict[int, Lease] | None:
        """Take those of these shards that nobody has; None while somebody has the whole database.

        Whoever had that, and was stopped for longer than its lease, has it no more. There are none to take where the
        number of shards is another one by now.
        """
        if await _read_count(connection) != some.count:
            return {}
        now = (await connection.execute(select(DatabaseClock()))).scalar_one()
        query = select(leases).where(leases.c.name.in_([WHOLE_DATABASE, *map(_name, some.ids)]))
        known = {row.name: row for row in await connection.execute(query)}
        whole = known.get(WHOLE_DATABASE)
        if whole is not None and whole.until > now:
            return None
        if whole is not None and whole.until > 0:
            await connection.execute(_take_from_all(now).where(leases.c.name == WHOLE_DATABASE))
        taken: dict[int, Lease] = {}
        for one in some.ids:
            before = known.get(_name(one))
            if before is None or before.until <= now:
                fence = 1 if before is None else before.fence + 1
                taken[one] = Lease(name=_name(one), owner=owner, fence=fence)
        if taken:
            rows = [
                {"name": one.name, "owner": one.owner, "fence": one.fence, "until": now + period // MICROSECOND}
                for one in taken.values()
            ]
            await connection.execute(Upsert(leases).on(connection), rows)
        return taken

    @transaction
    async def renew(self, connection: AsyncConnection, held: Collection[Lease], period: timedelta) -> bool:
        """Keep all of these for as long again; False where somebody else has any of them by now."""
        statement = update(leases).where(_are(held)).values(until=DatabaseClock() + period // MICROSECOND)
        return (await connection.execute(statement)).rowcount == len(held)

    @transaction
    async def release(self, connection: AsyncConnection, held: Collection[Lease]) -> None:
        """Let others have these at once: those of them that are still ours."""
        await connection.execute(update(leases).where(_are(held)).values(owner=NOBODY, until=DatabaseClock()))


def _take_from_all(now: int) -> Update:
    """Build what ends leases that have ended by themselves: whoever had one cannot renew it any more."""
    return update(leases).where(leases.c.until <= now).values(owner=NOBODY, fence=leases.c.fence + 1, until=0)


async def _read_count(connection: AsyncConnection) -> int | None:
    text = (await connection.execute(select(installation.c.text).where(installation.c.name == COUNT))).scalar()
    return None if text is None else int(text)


def _name(shard_id: int) -> str:
    return f"{PREFIX}{shard_id}"


def is_shard() -> ColumnElement[bool]:
    """Select the leases on shards."""
    return leases.c.name.startswith(PREFIX, autoescape=True)


def _are(held: Collection[Lease]) -> ColumnElement[bool]:
    owners = {one.owner for one in held}
    return leases.c.owner.in_(owners) & tuple_(leases.c.name, leases.c.fence).in_(
        [(one.name, one.fence) for one in held]
    )
