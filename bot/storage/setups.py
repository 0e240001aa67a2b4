"""How far each server's setup is: one draft for all its admins, which only whoever saw its newest state may change."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import DiscordUserId, GuildId, RoleRule
from bot.domain.setup import SetupDraft
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.guilds import Guilds, change_settings
from bot.storage.rows import to_json
from bot.storage.rules import Rules, add_rule
from bot.storage.tables import setups
from bot.storage.upsert import insert_once


class Setups(Aggregate):
    """Every setup that is under way."""

    def __init__(self, database: Database, rules: Rules, guilds: Guilds) -> None:
        super().__init__(database)
        self._rules = rules
        self._guilds = guilds

    async def load(self, guild_id: GuildId) -> SetupDraft | None:
        """Return a guild's draft; None where no setup is under way."""
        query = select(setups.c.generation, setups.c.draft).where(setups.c.guild_id == guild_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None or row.draft is None else _read(row.draft, row.generation)

    @transaction
    async def begin(
        self, connection: AsyncConnection, draft: SetupDraft, *, by: DiscordUserId, at: datetime
    ) -> SetupDraft:
        """Store a first draft, and return it with its generation; where there is one already, return that."""
        await _ensure(connection, draft.guild_id)
        values = {"draft": to_json(draft), "changed_by": by, "changed_at": at}
        first = update(setups).where(setups.c.guild_id == draft.guild_id, setups.c.draft.is_(None))
        await connection.execute(first.values(**values, generation=setups.c.generation + 1))
        query = select(setups.c.generation, setups.c.draft).where(setups.c.guild_id == draft.guild_id)
        row = (await connection.execute(query)).one()
        return _read(row.draft, row.generation)

    @transaction
    async def change(
        self, connection: AsyncConnection, draft: SetupDraft, *, by: DiscordUserId, at: datetime
    ) -> SetupDraft | None:
        """Store a draft in place of the one of its generation, and return it with the next; None where that is over."""
        values = {"draft": to_json(draft), "changed_by": by, "changed_at": at}
        statement = update(setups).where(*_is(draft.guild_id, draft.generation))
        newer = statement.values(**values, generation=setups.c.generation + 1).returning(setups.c.generation)
        row = (await connection.execute(newer)).first()
        return None if row is None else msgspec.structs.replace(draft, generation=row.generation)

    @transaction
    async def turn_to(self, connection: AsyncConnection, draft: SetupDraft) -> None:
        """Remember at which step and page a draft was left, where it is the newest: that is no change."""
        statement = update(setups).where(*_is(draft.guild_id, draft.generation))
        await connection.execute(statement.values(draft=to_json(draft)))

    @transaction
    async def end(
        self, connection: AsyncConnection, guild_id: GuildId, generation: int, *, by: DiscordUserId, at: datetime
    ) -> bool:
        """Forget the draft of a generation; tell whether it was the newest."""
        return await _end(connection, guild_id, generation, by=by, at=at)

    async def go_live(
        self,
        draft: SetupDraft,
        rules: Sequence[RoleRule],
        settings: Mapping[str, object],
        *,
        by: DiscordUserId,
        at: datetime,
    ) -> tuple[RoleRule, ...] | None:
        """Store rules and settings in place of the draft, all or nothing; None where the draft is not the newest."""
        try:
            return await self._go_live(draft, rules, settings, by=by, at=at)
        finally:
            self._rules.kept.forget()
            self._guilds.kept.forget()

    @transaction
    async def _go_live(
        self,
        connection: AsyncConnection,
        draft: SetupDraft,
        rules: Sequence[RoleRule],
        settings: Mapping[str, object],
        *,
        by: DiscordUserId,
        at: datetime,
    ) -> tuple[RoleRule, ...] | None:
        if not await _end(connection, draft.guild_id, draft.generation, by=by, at=at):
            return None
        added = tuple([await add_rule(connection, rule, created_by=by, at=at) for rule in rules])
        if settings:
            await change_settings(connection, draft.guild_id, settings)
        return added

    @transaction
    async def note_invitation(self, connection: AsyncConnection, guild_id: GuildId, invited_at: datetime) -> bool:
        """Note when the bot was invited to a guild; tell whether that is a newer invitation than those noted."""
        await _ensure(connection, guild_id)
        is_newer = or_(setups.c.invited_at.is_(None), setups.c.invited_at < invited_at)
        statement = update(setups).where(setups.c.guild_id == guild_id, is_newer).values(invited_at=invited_at)
        return (await connection.execute(statement.returning(setups.c.guild_id))).first() is not None


async def _ensure(connection: AsyncConnection, guild_id: GuildId) -> None:
    await connection.execute(insert_once(setups, connection.dialect.name), {"guild_id": guild_id, "generation": 0})


async def _end(
    connection: AsyncConnection, guild_id: GuildId, generation: int, *, by: DiscordUserId, at: datetime
) -> bool:
    statement = update(setups).where(*_is(guild_id, generation))
    over = statement.values(draft=None, generation=setups.c.generation + 1, changed_by=by, changed_at=at)
    return (await connection.execute(over.returning(setups.c.guild_id))).first() is not None


def _is(guild_id: GuildId, generation: int) -> tuple[ColumnElement[bool], ...]:
    return (setups.c.guild_id == guild_id, setups.c.generation == generation, setups.c.draft.is_not(None))


def _read(draft: str, generation: int) -> SetupDraft:
    return msgspec.structs.replace(msgspec.json.decode(draft, type=SetupDraft), generation=generation)
