"""What was changed, for whom, and why: one row for each change. Written and read, never altered.

What belongs together has one number, a run's; which run an entry joins is decided in `domain/runs.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditFilter, AuditRow
from bot.domain.changes import Outcome, Trigger
from bot.domain.hooks import role_events
from bot.domain.model import AuditId, DiscordUserId, Grant, GuildId, RunId
from bot.domain.runs import Run, begins, goes_on
from bot.runtime.unhurried import portions
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.hooks import queue_events
from bot.storage.rows import read_row, to_json
from bot.storage.tables import audit, runs

# Built once: to build a statement takes as long as to execute it, and each change of a role asks this one.
_LATEST_AT = (
    select(audit.c.at)
    .where(audit.c.run_id == runs.c.run_id)
    .order_by(audit.c.audit_id.desc())
    .limit(1)
    .correlate(runs)
    .scalar_subquery()
)
_NEWEST_RUN = (
    select(runs.c.run_id, runs.c.began_at, _LATEST_AT.label("latest_at"))
    .where(runs.c.guild_id == bindparam("guild"), runs.c.trigger == bindparam("trigger"))
    .order_by(runs.c.run_id.desc())
    .limit(1)
)


class Audit(Aggregate):
    """Every audit entry, and every run."""

    async def add(self, *entries: AuditEntry) -> RunId | None:
        """Write entries, all of them or none; return the run of the last of them.

        Those of one trigger are one run: a new one where one of them says what an admin did.
        """
        together: dict[tuple[GuildId, Trigger], list[AuditEntry]] = {}
        for entry in entries:
            together.setdefault((entry.guild_id, entry.trigger), []).append(entry)
        # Beforehand, for transactions that read this fail each other. Two runs at once in one guild would do no harm.
        known = {one: await self._find_open(*one, its) for one, its in together.items()}
        return await self._add(known, together) if together else None

    @transaction
    async def _add(
        self,
        connection: AsyncConnection,
        known: Mapping[tuple[GuildId, Trigger], RunId | None],
        together: Mapping[tuple[GuildId, Trigger], Sequence[AuditEntry]],
    ) -> RunId | None:
        run_id = None
        for key, its in together.items():
            run_id = await write_entries(connection, its, known[key])
        return run_id

    async def _find_open(self, guild_id: GuildId, trigger: Trigger, entries: Sequence[AuditEntry]) -> RunId | None:
        """Return the run that entries join; None where they begin one."""
        if any(map(begins, entries)):
            return None
        async with self._database.read() as connection:
            row = (await connection.execute(_NEWEST_RUN, {"guild": guild_id, "trigger": trigger})).first()
        if row is None or not goes_on(trigger, row.latest_at or row.began_at, min(one.at for one in entries)):
            return None
        return RunId(row.run_id)

    async def recent(
        self, guild_id: GuildId, discord_user_id: DiscordUserId | None = None, *, limit: int = 20
    ) -> tuple[AuditEntry, ...]:
        """Return a guild's newest entries, the newest first; with a person, theirs only."""
        wanted = AuditFilter(guild_id=guild_id, discord_user_id=discord_user_id)
        return tuple(row.entry for row in await self.page(wanted, limit=limit))

    async def page(
        self, wanted: AuditFilter, *, before: AuditId | None = None, after: AuditId | None = None, limit: int
    ) -> tuple[AuditRow, ...]:
        """Return entries, the newest first: the newest before one, or those that came next after one."""
        query = select(audit).where(*_conditions(wanted)).limit(limit)
        if after is not None:
            query = query.where(audit.c.audit_id > after).order_by(audit.c.audit_id)
        else:
            query = query.order_by(audit.c.audit_id.desc())
        if before is not None:
            query = query.where(audit.c.audit_id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found = tuple(map(_audit_row, rows))
        return found[::-1] if after is not None else found

    async def of_run(self, run: Run) -> tuple[AuditRow, ...]:
        """Return all entries of a run, the oldest first."""
        query = select(audit).where(audit.c.run_id == run.run_id).order_by(audit.c.audit_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(map(_audit_row, rows))

    async def since(
        self, guild_id: GuildId, audit_id: AuditId, people: Collection[DiscordUserId]
    ) -> tuple[AuditRow, ...]:
        """Return what was written down of these people after an entry, for each of them the oldest first."""
        wanted, found = sorted(people), list[AuditRow]()
        later = select(audit).where(audit.c.guild_id == guild_id, audit.c.audit_id > audit_id)
        async with self._database.read() as connection:
            for few in portions(wanted, MAX_VALUES):
                some = later.where(audit.c.discord_user_id.in_(few))
                found += map(_audit_row, (await connection.execute(some.order_by(audit.c.audit_id))).all())
        return tuple(found)

    async def find_run(self, guild_id: GuildId, run_id: RunId) -> Run | None:
        """Return a run of this guild; None where the number is another's, or nobody's."""
        query = select(runs).where(runs.c.run_id == run_id, runs.c.guild_id == guild_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else read_row(row, Run)

    async def list_runs(self, guild_id: GuildId, *, limit: int) -> tuple[tuple[Run, int], ...]:
        """Return the newest runs of a guild that changed a role, the newest first, with how many they changed."""
        changed = (audit.c.outcome == Outcome.DONE, audit.c.action.in_((AuditAction.GRANT, AuditAction.REVOKE)))
        count = select(func.count()).where(audit.c.run_id == runs.c.run_id, *changed).scalar_subquery()
        any_ = select(audit.c.audit_id).where(audit.c.run_id == runs.c.run_id, *changed).exists()
        query = select(runs, count.label("roles")).where(runs.c.guild_id == guild_id, any_)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(runs.c.run_id.desc()).limit(limit))).all()
        return tuple((read_row(row, Run), row.roles) for row in rows)

    async def is_done(self, intent: Grant, action: AuditAction) -> bool:
        """Tell whether this was written down as done to that person and role since the intent."""
        query = select(audit.c.audit_id).order_by(audit.c.audit_id.desc()).limit(1)  # the newest first: soon found
        query = query.where(audit.c.guild_id == intent.guild_id, audit.c.discord_user_id == intent.discord_user_id)
        query = query.where(audit.c.role_id == intent.role_id, audit.c.at >= intent.since)
        query = query.where(audit.c.action == action, audit.c.outcome == Outcome.DONE)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def count_revokes(self, guild_id: GuildId, since: datetime) -> int:
        """Count the roles of people whose revokes after a moment count for the brake; one tried again counts once."""
        pairs = select(audit.c.discord_user_id, audit.c.role_id).distinct()
        pairs = pairs.where(audit.c.guild_id == guild_id, audit.c.is_counted, audit.c.at > since)
        query = select(func.count()).select_from(pairs.subquery())
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()


async def write_entries(
    connection: AsyncConnection, entries: Sequence[AuditEntry], run_id: RunId | None = None
) -> RunId:
    """Write entries of one guild and trigger within a transaction, as parts of a run (None: they begin one)."""
    guild_id, trigger = entries[0].guild_id, entries[0].trigger
    if run_id is None:
        begin = insert(runs).values(guild_id=guild_id, trigger=trigger, began_at=min(one.at for one in entries))
        run_id = RunId((await connection.execute(begin.returning(runs.c.run_id))).scalar_one())
    rows = [msgspec.structs.asdict(entry) | {"reason": to_json(entry.reason), "run_id": run_id} for entry in entries]
    await connection.execute(insert(audit), rows)
    await queue_events(connection, guild_id, role_events(entries))
    return run_id


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    asked = {
        audit.c.discord_user_id: wanted.discord_user_id,
        audit.c.role_id: wanted.role_id,
        audit.c.run_id: wanted.run_id,
    }
    return [audit.c.guild_id == wanted.guild_id, *(column == value for column, value in asked.items() if value)]


def _audit_row(row: Row[*tuple[object, ...]]) -> AuditRow:
    return AuditRow(audit_id=AuditId(row.audit_id), run_id=row.run_id, entry=read_row(row, AuditEntry, "reason"))
