"""The ledger: the roles that we gave, and what we are about to do. Its moves are decided in `domain/ledger.py`."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Executable, Select, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger, Urgency
from bot.domain.ledger import STAYS_AWAY
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, RoleId
from bot.runtime.unhurried import portions, unhurried
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.due import make_due
from bot.storage.rows import read_row, read_rows
from bot.storage.tables import grants
from bot.storage.upsert import Upsert

OPEN = (GrantState.GRANTING, GrantState.REVOKING, GrantState.WITHDRAWING)  # begun, and not seen done

# Built once: to build a statement takes as long as to execute it, and whoever waits for a role waits for this one.
_OF_MEMBER = (
    select(grants)
    .where(grants.c.guild_id == bindparam("guild"), grants.c.discord_user_id == bindparam("person"))
    .order_by(grants.c.role_id)
)


_ORDER = (grants.c.discord_user_id, grants.c.role_id)
_OF_PEOPLE = (
    select(grants)
    .where(grants.c.guild_id == bindparam("guild"), grants.c.discord_user_id.in_(bindparam("people", expanding=True)))
    .order_by(*_ORDER)
)


_CHANGING = ("state", "since", "granted_at", "unearned_since")
_SEEN = (
    grants.c.guild_id == bindparam("guild"),
    grants.c.discord_user_id == bindparam("person"),
    grants.c.role_id == bindparam("role"),
    grants.c.state == bindparam("was"),
    grants.c.since == bindparam("was_since", type_=grants.c.since.type),
)
_DROP_SEEN = delete(grants).where(*_SEEN).returning(grants.c.role_id)
_CHANGE_SEEN = update(grants).where(*_SEEN).returning(grants.c.role_id)
_CHANGE_SEEN = _CHANGE_SEEN.values({name: bindparam(f"new_{name}") for name in _CHANGING})


class Ledger(Aggregate):
    """Every grant."""

    async def load_guild(self, guild_id: GuildId) -> dict[DiscordUserId, dict[RoleId, Grant]]:
        """Return a guild's grants by person and role."""
        return _by_person(await self._load(grants.c.guild_id == guild_id))

    async def load_people(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId]
    ) -> dict[DiscordUserId, dict[RoleId, Grant]]:
        """Return the grants of these people in a guild, without those who have none."""
        people, found = sorted(set(discord_user_ids)), list[Grant]()
        for few in portions(people, MAX_VALUES):
            found += await self._read(_OF_PEOPLE, guild=guild_id, people=few)
        return _by_person(found)

    async def has_any(self, guild_id: GuildId) -> bool:
        """Tell whether anybody has, or had, a role by us in a guild."""
        query = select(grants.c.role_id).where(grants.c.guild_id == guild_id).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def load_member(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> dict[RoleId, Grant]:
        """Return one person's grants in a guild, by role."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_OF_MEMBER, {"guild": guild_id, "person": discord_user_id})).all()
        return {grant.role_id: grant for grant in read_rows(rows, Grant)}

    async def open_intents(self, guild_ids: Collection[GuildId]) -> tuple[Grant, ...]:
        """Return the writes in these guilds of which we do not know whether they happened."""
        states, wanted, found = OPEN, sorted(guild_ids), list[Grant]()
        for few in portions(wanted, MAX_VALUES):
            some = grants.c.guild_id.in_(few)
            found += await self._load(some, grants.c.state.in_(states))
        return tuple(found)

    async def count_held(self, guild_id: GuildId) -> int:
        """Count the roles that people hold by us, those about to go included."""
        states = (GrantState.HELD, *OPEN)
        query = select(func.count()).where(grants.c.guild_id == guild_id, grants.c.state.in_(states))
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def put(self, *changed: Grant) -> None:
        """Store grants, each in place of what the ledger said about that person and role."""
        rows = [*map(msgspec.structs.asdict, changed)]
        if len(rows) == 1:  # somebody waits for it
            await self._database.execute(Upsert(grants).build(self._database.dialect_name), rows[0])
        elif rows:
            await self._put(rows)

    @transaction
    async def _put(self, connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
        await connection.execute(Upsert(grants).on(connection), rows)

    async def replace(self, changed: Collection[tuple[Grant, Grant | None]]) -> bool:
        """Store what became of rows as they were seen (None: they are forgotten); tell whether all were still so.

        A row that has moved on meanwhile is let be: whoever moved it made its person due.
        """
        steps = [_step(seen, after) for seen, after in changed]
        if len(steps) == 1:  # somebody waits for it
            statement, values = steps[0]
            return await self._database.execute(statement, values) is not None
        return await self._replace(steps) if steps else True

    @transaction
    async def _replace(self, connection: AsyncConnection, steps: Collection[tuple[Executable, dict[str, Any]]]) -> bool:
        return all([(await connection.execute(*step)).first() is not None for step in steps])

    @transaction
    async def adopt(self, connection: AsyncConnection, guild_id: GuildId, adopted: Collection[Grant]) -> None:
        """Take over, on an admin's word, roles of a guild that others gave."""
        if adopted:
            await connection.execute(Upsert(grants).on(connection), [*map(msgspec.structs.asdict, adopted)])
            people = {grant.discord_user_id for grant in adopted}
            await make_due(connection, guild_id, people, trigger=Trigger.ADOPT, urgency=Urgency.BULK_GRANT)

    @transaction
    async def restore(
        self, connection: AsyncConnection, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId
    ) -> Grant | None:
        """Let a role come again, on an admin's word, that stays away; return its row as it was. None: it doesn't.

        One that was not seen to go may be about to: a look tells, as after any write of ours that was begun.
        """
        mine = _one(guild_id, discord_user_id, role_id)
        row = (await connection.execute(select(grants).where(*mine, grants.c.state.in_(STAYS_AWAY)))).first()
        if row is None:
            return None
        if row.state == GrantState.WITHDRAWING:
            await connection.execute(update(grants).where(*mine).values(state=GrantState.REVOKING))
        else:
            await connection.execute(delete(grants).where(*mine))
        await make_due(connection, guild_id, [discord_user_id], trigger=Trigger.RESTORE)
        return read_row(row, Grant)

    @transaction
    async def note_unearned(
        self,
        connection: AsyncConnection,
        guild_id: GuildId,
        discord_user_id: DiscordUserId,
        role_id: RoleId,
        since: datetime | None,
    ) -> None:
        """Note since when a role is not earned that stays for a while; None: it is earned."""
        mine = _one(guild_id, discord_user_id, role_id)
        await connection.execute(update(grants).where(*mine).values(unearned_since=since))

    @transaction
    async def drop(
        self, connection: AsyncConnection, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId
    ) -> None:
        """Forget a grant: the role is no longer ours."""
        await connection.execute(delete(grants).where(*_one(guild_id, discord_user_id, role_id)))

    @transaction
    async def drop_role(self, connection: AsyncConnection, guild_id: GuildId, role_id: RoleId) -> tuple[Grant, ...]:
        """Forget every grant of a role that is gone; return them."""
        statement = delete(grants).where(grants.c.guild_id == guild_id, grants.c.role_id == role_id)
        rows = (await connection.execute(statement.returning(grants))).all()
        return tuple(read_rows(rows, Grant))

    async def _load(self, *conditions: ColumnElement[bool]) -> tuple[Grant, ...]:
        return await self._read(select(grants).where(*conditions).order_by(*_ORDER))

    async def _read(self, query: Select[Any], **values: object) -> tuple[Grant, ...]:
        async with self._database.read() as connection:
            rows = await connection.execute(query, values)
            return tuple([one async for one in unhurried(read_rows(rows, Grant))])


def _one(guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId) -> tuple[ColumnElement[bool], ...]:
    return grants.c.guild_id == guild_id, grants.c.discord_user_id == discord_user_id, grants.c.role_id == role_id


def _step(seen: Grant, after: Grant | None) -> tuple[Executable, dict[str, Any]]:
    """Return the statement that changes a row which is still as it was seen, and its values."""
    values = {
        "guild": seen.guild_id,
        "person": seen.discord_user_id,
        "role": seen.role_id,
        "was": seen.state,
        "was_since": seen.since,
    }
    if after is None:
        return _DROP_SEEN, values
    return _CHANGE_SEEN, values | {f"new_{name}": getattr(after, name) for name in _CHANGING}


def _by_person(found: Iterable[Grant]) -> dict[DiscordUserId, dict[RoleId, Grant]]:
    people: dict[DiscordUserId, dict[RoleId, Grant]] = {}
    for grant in found:
        people.setdefault(grant.discord_user_id, {})[grant.role_id] = grant
    return people
