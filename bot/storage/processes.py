"""Which processes work on this database, and which of them answers a command: several sessions may be told of one."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.processes import Process, ProcessRole
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.leases import DatabaseClock
from bot.storage.tables import interactions, processes
from bot.storage.tables.column_types import EPOCH, MICROSECOND
from bot.storage.upsert import Upsert, insert_once


class Processes(Aggregate):
    """Every process, while it says that it lives."""

    @transaction
    async def enter(self, connection: AsyncConnection, process: Process, period: timedelta) -> None:
        """Be known for a period, or for as long again; those whose period is over are forgotten."""
        now = (await connection.execute(select(DatabaseClock()))).scalar_one()
        await connection.execute(delete(processes).where(processes.c.until <= now))
        row = {
            "process_id": process.process_id,
            "roles": ",".join(sorted(process.roles)),
            "address": process.address,
            "version": process.version,
            "since": (process.since - EPOCH) // MICROSECOND,
            "until": now + period // MICROSECOND,
        }
        await connection.execute(Upsert(processes).on(connection), row)

    async def leave(self, process_id: str) -> None:
        """Be known no more."""
        await self._database.execute(delete(processes).where(processes.c.process_id == process_id))

    async def list_live(self) -> tuple[Process, ...]:
        """Return those that live, the oldest first."""
        query = select(processes).where(processes.c.until > DatabaseClock())
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(processes.c.since, processes.c.process_id))).all()
        return tuple(
            Process(
                process_id=row.process_id,
                roles=frozenset(map(ProcessRole, row.roles.split(","))),
                address=row.address,
                version=row.version,
                since=EPOCH + row.since * MICROSECOND,
            )
            for row in rows
        )


class Interactions(Aggregate):
    """Commands and buttons that some process has taken."""

    async def claim(self, interaction_id: int) -> bool:
        """Take one; False where another process has it."""
        claim = insert_once(interactions, self._database.dialect_name).values(claimed_at=DatabaseClock())
        return await self._database.execute(claim, {"interaction_id": interaction_id}) is not None

    async def purge(self, kept: timedelta) -> None:
        """Forget those that no session will tell of any more."""
        before = DatabaseClock() - kept // MICROSECOND
        await self._database.execute(delete(interactions).where(interactions.c.claimed_at < before))
