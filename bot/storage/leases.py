"""Who may do what only one process may do: for a while, renewed again and again, by the clock of the database.

Each lease has a fence, one higher with each new owner: whoever comes late with an older one is refused. What it is for
stands in its name.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import BigInteger, ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bot.domain.errors import Later, TryLater
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.tables import leases
from bot.storage.tables.column_types import EPOCH, MICROSECOND
from bot.storage.upsert import Upsert


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """That `owner` may do what the lease is for, while nobody has a higher fence."""

    name: str
    owner: str
    fence: int


class LeaseLost(TryLater):
    """Somebody else does by now what the lease was for; nothing was stored."""

    def __init__(self, name: str) -> None:
        super().__init__(Later.ELSEWHERE, work=name)


class DatabaseClock(FunctionElement[int]):
    """The database's time in whole microseconds since 1970: the one clock that all processes share."""

    type = BigInteger()
    inherit_cache = True


@compiles(DatabaseClock, "postgresql")
def _on_postgresql(*_: object, **__: object) -> str:
    return "CAST(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000000 AS BIGINT)"


@compiles(DatabaseClock, "sqlite")
def _on_sqlite(*_: object, **__: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000"


class Leases(Aggregate):
    """Every lease."""

    @transaction
    async def claim(self, connection: AsyncConnection, name: str, owner: str, period: timedelta) -> Lease | None:
        """Take a lease that is free or has ended; None while somebody else has it."""
        row = (await connection.execute(select(leases).where(leases.c.name == name))).first()
        now = (await connection.execute(select(DatabaseClock()))).scalar_one()
        if row is not None and row.until > now and row.owner != owner:
            return None
        lease = Lease(name=name, owner=owner, fence=1 if row is None else row.fence + 1)
        await connection.execute(
            Upsert(leases).on(connection), msgspec.structs.asdict(lease) | {"until": now + period // MICROSECOND}
        )
        return lease

    @transaction
    async def renew(self, connection: AsyncConnection, lease: Lease, period: timedelta) -> bool:
        """Keep a lease for as long again; False where somebody else has it by now."""
        statement = update(leases).where(*_is(lease)).values(until=DatabaseClock() + period // MICROSECOND)
        return (await connection.execute(statement)).rowcount > 0

    @transaction
    async def release(self, connection: AsyncConnection, lease: Lease) -> None:
        """Let the next one have it at once; its fence goes on counting."""
        await connection.execute(update(leases).where(*_is(lease)).values(until=0))

    async def tell_time(self) -> datetime:
        """Tell the time by which leases end: the database's, which all processes share."""
        async with self._database.read() as connection:
            return EPOCH + timedelta(microseconds=(await connection.execute(select(DatabaseClock()))).scalar_one())

    async def is_held(self, name: str) -> bool:
        """Tell whether somebody has it now."""
        query = select(leases.c.name).where(leases.c.name == name, leases.c.until > DatabaseClock())
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None


async def require(connection: AsyncConnection, lease: Lease) -> None:
    """Go on with a transaction only while a lease is its owner's, and let nobody take it before the end; LeaseLost."""
    query = select(leases.c.name).where(*_is(lease)).with_for_update(read=True)
    if (await connection.execute(query)).first() is None:
        raise LeaseLost(lease.name)


def _is(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return leases.c.name == lease.name, leases.c.fence == lease.fence, leases.c.owner == lease.owner
