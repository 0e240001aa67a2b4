"""What was changed, for whom, and why: one row for each change. Written and read, never altered."""

from datetime import datetime

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome
from bot.domain.model import DiscordUserId, Grant, GuildId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.rows import read_row, to_json
from bot.storage.tables import audit


class Audit(Aggregate):
    """Every audit entry."""

    @transaction
    async def add(self, connection: AsyncConnection, *entries: AuditEntry) -> None:
        """Write entries, all of them or none."""
        if not entries:
            return
        rows = [msgspec.structs.asdict(entry) | {"reason": to_json(entry.reason)} for entry in entries]
        await connection.execute(insert(audit), rows)

    async def recent(
        self, guild_id: GuildId, discord_user_id: DiscordUserId | None = None, *, limit: int = 20
    ) -> tuple[AuditEntry, ...]:
        """Return a guild's newest entries, the newest first; with a person, theirs only."""
        query = select(audit).where(audit.c.guild_id == guild_id).order_by(audit.c.audit_id.desc()).limit(limit)
        if discord_user_id is not None:
            query = query.where(audit.c.discord_user_id == discord_user_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(read_row(row, AuditEntry, "reason") for row in rows)

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
