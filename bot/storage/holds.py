"""Revokes that the brake holds, what admins answered, and what they undid.

What must be held is decided in `domain/safeguards.py`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit_entry import AuditEntry
from bot.domain.changes import Trigger, Urgency
from bot.domain.holds import ANSWERS, Hold, HoldItem, HoldState
from bot.domain.hooks import hold_event
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, HoldId, RoleId, RunId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.audit import write_entries
from bot.storage.due import make_due
from bot.storage.hooks import queue_events
from bot.storage.rows import read_row, read_rows, to_json
from bot.storage.tables import grants, hold_items, holds
from bot.storage.upsert import Upsert


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The hold that revokes went into, and how many it has now."""

    hold_id: HoldId
    is_new: bool
    size: int


class HeldRevokes(Aggregate):
    """Every hold. A guild has at most one open hold: later revokes join it."""

    async def load_guild(self, guild_id: GuildId) -> dict[DiscordUserId, dict[RoleId, HoldItem]]:
        """Return every held revoke of a guild, answered ones too, by person and role."""
        return (await self.load_guilds([guild_id]))[guild_id]

    async def load_guilds(
        self, guild_ids: Collection[GuildId]
    ) -> dict[GuildId, dict[DiscordUserId, dict[RoleId, HoldItem]]]:
        """Return the same of several guilds."""
        return await self.kept.get_all(guild_ids, self._load_guilds)

    async def _load_guilds(
        self, guild_ids: list[GuildId]
    ) -> dict[GuildId, dict[DiscordUserId, dict[RoleId, HoldItem]]]:
        async with self._database.read() as connection:
            items = await _items(connection, hold_items.c.guild_id.in_(guild_ids))
        found: dict[GuildId, dict[DiscordUserId, dict[RoleId, HoldItem]]] = {guild_id: {} for guild_id in guild_ids}
        for item in items:
            found[item.guild_id].setdefault(item.discord_user_id, {})[item.role_id] = item
        return found

    async def load_person(
        self, guild_id: GuildId, discord_user_id: DiscordUserId
    ) -> dict[DiscordUserId, dict[RoleId, HoldItem]]:
        """Return the same of one person: a turn costs no more while a hold grows large."""
        if not await self.kept.get(("any", guild_id), lambda: self._has_any(guild_id)):
            return {}
        one = (hold_items.c.guild_id == guild_id, hold_items.c.discord_user_id == discord_user_id)
        return await self.kept.get((guild_id, discord_user_id), lambda: self._load(*one))

    async def _has_any(self, guild_id: GuildId) -> bool:
        query = select(hold_items.c.hold_id).where(hold_items.c.guild_id == guild_id).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def _load(self, *conditions: ColumnElement[bool]) -> dict[DiscordUserId, dict[RoleId, HoldItem]]:
        async with self._database.read() as connection:
            items = await _items(connection, *conditions)
        found: dict[DiscordUserId, dict[RoleId, HoldItem]] = {}
        for item in items:
            found.setdefault(item.discord_user_id, {})[item.role_id] = item
        return found

    async def list_open(self, guild_id: GuildId) -> tuple[Hold, ...]:
        """Return the holds that wait for an answer, the oldest first."""
        query = (
            select(holds.c.opened_at, hold_items)
            .join_from(holds, hold_items)
            .where(holds.c.guild_id == guild_id, holds.c.closed_at.is_(None))
            .order_by(holds.c.hold_id, hold_items.c.discord_user_id, hold_items.c.role_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found: dict[HoldId, tuple[datetime, list[HoldItem]]] = {}
        for row in rows:
            item = read_row(row, HoldItem, "reason", table=hold_items)
            found.setdefault(item.hold_id, (row.opened_at, []))[1].append(item)
        return tuple(
            Hold(hold_id=hold_id, guild_id=guild_id, opened_at=opened_at, items=tuple(items))
            for hold_id, (opened_at, items) in found.items()
        )

    @transaction
    async def add(
        self, connection: AsyncConnection, guild_id: GuildId, items: Sequence[HoldItem], *, at: datetime
    ) -> Held | None:
        """Hold these revokes in the guild's open hold, or in a new one.

        But for those that an admin has answered: they are of a plan that began before the hold they were in. None where
        none is left.
        """
        items = await _unanswered(connection, guild_id, items, *ANSWERS)
        if not items:
            return None
        query = select(holds).where(holds.c.guild_id == guild_id, holds.c.closed_at.is_(None))
        start = insert(holds).values(guild_id=guild_id, opened_at=at).returning(holds)
        known = (await connection.execute(query)).first()
        row = known or (await connection.execute(start)).one()
        await _put(connection, items, HoldId(row.hold_id))
        count = select(func.count()).where(hold_items.c.hold_id == row.hold_id)
        size = (await connection.execute(count)).scalar_one()
        if known is None:
            await queue_events(connection, guild_id, [hold_event(guild_id, HoldId(row.hold_id), items, at=at)])
        return Held(hold_id=HoldId(row.hold_id), is_new=known is None, size=size)

    @transaction
    async def close(
        self, connection: AsyncConnection, guild_id: GuildId, hold_id: HoldId, *, state: HoldState, at: datetime
    ) -> Hold | None:
        """Answer an open hold of this guild; return it as it was. None where it is over, or another guild's."""
        one = (holds.c.hold_id == hold_id, holds.c.guild_id == guild_id, holds.c.closed_at.is_(None))
        end = update(holds).where(*one).values(closed_at=at).returning(holds)
        answer = update(hold_items).where(hold_items.c.hold_id == hold_id).values(state=state)
        row = (await connection.execute(end)).first()
        if row is None:
            return None
        hold = await _hold(connection, hold_id, guild_id, row.opened_at)
        await connection.execute(answer)
        await _make_due(connection, guild_id, hold.items)
        return hold

    @transaction
    async def approve(
        self, connection: AsyncConnection, guild_id: GuildId, items: Sequence[HoldItem], *, at: datetime
    ) -> tuple[HoldId, ...]:
        """Note revokes that an admin wants, taking them out of an open hold; return the one that is over by that."""
        start = insert(holds).values(guild_id=guild_id, opened_at=at, closed_at=at).returning(holds.c.hold_id)
        still_open = select(holds.c.hold_id).where(holds.c.guild_id == guild_id, holds.c.closed_at.is_(None))
        await _put(connection, items, HoldId((await connection.execute(start)).scalar_one()))
        await _make_due(connection, guild_id, items)
        return await _end_empty(connection, (await connection.execute(still_open)).scalars().all(), at)

    async def load_returned(
        self, guild_id: GuildId, people: Collection[DiscordUserId]
    ) -> dict[DiscordUserId, tuple[HoldItem, ...]]:
        """Return the roles of these people whose removal an admin undid."""
        if not self._database.is_shared:
            items = (item for roles in (await self.load_guild(guild_id)).values() for item in roles.values())
            returned = tuple(item for item in items if item.state is HoldState.RETURNED)
        else:
            async with self._database.read() as connection:
                its = (hold_items.c.guild_id == guild_id, hold_items.c.state == HoldState.RETURNED)
                returned = await _items(connection, *its)
        found: dict[DiscordUserId, tuple[HoldItem, ...]] = {}
        for item in returned:
            if item.discord_user_id in people:
                found[item.discord_user_id] = (*found.get(item.discord_user_id, ()), item)
        return found

    @transaction
    async def undo(
        self,
        connection: AsyncConnection,
        entry: AuditEntry,
        *,
        returned: Sequence[HoldItem],
        withdrawn: Sequence[Grant],
        disowned: Sequence[Grant],
    ) -> RunId | None:
        """Undo, on an admin's word, what was done to roles; return the run that this word begins.

        The first are given back: a row that keeps one away goes. The second go and stay away. The third are a person's
        own again. A row by which a role is no longer there is let be; that it was seen meanwhile changes nothing. These
        people are to be planned. `entry` is the word; it is not written, and the answer is None, where another admin
        has just undone all of this.
        """
        guild_id, at = entry.guild_id, entry.at
        returned = await _unanswered(connection, guild_id, returned, HoldState.RETURNED)
        changed = len(returned)
        if returned:
            start = insert(holds).values(guild_id=guild_id, opened_at=at, closed_at=at).returning(holds.c.hold_id)
            await _put(connection, returned, HoldId((await connection.execute(start)).scalar_one()))
            await connection.execute(_DROP_WITHDRAWN, [_pair(guild_id, item) for item in returned])
        if withdrawn:
            rows = [_pair(guild_id, grant) | {"at": at} for grant in withdrawn]
            changed += (await connection.execute(_WITHDRAW, rows)).rowcount
            await connection.execute(_DROP_RETURNED, [_pair(guild_id, grant) for grant in withdrawn])
        if disowned:
            changed += (await connection.execute(_DISOWN, [_pair(guild_id, one) for one in disowned])).rowcount
        if not changed:
            return None
        people = {one.discord_user_id for one in returned}
        people |= {one.discord_user_id for one in (*withdrawn, *disowned)}
        await make_due(connection, guild_id, people, trigger=Trigger.UNDO, urgency=Urgency.BULK_GRANT)
        return await write_entries(connection, [entry])

    @transaction
    async def drop(
        self, connection: AsyncConnection, guild_id: GuildId, items: Collection[HoldItem], *, at: datetime
    ) -> tuple[HoldId, ...]:
        """Forget held revokes that are no longer planned; return the open holds that are empty and over by that."""
        for item in items:
            await connection.execute(
                delete(hold_items).where(
                    hold_items.c.guild_id == guild_id,
                    hold_items.c.discord_user_id == item.discord_user_id,
                    hold_items.c.role_id == item.role_id,
                )
            )
        return await _end_empty(connection, sorted({item.hold_id for item in items}), at)


def _pair(guild_id: GuildId, one: HoldItem | Grant) -> dict[str, Any]:
    return {"guild": guild_id, "person": one.discord_user_id, "role": one.role_id}


def _is_pair(table: Table) -> tuple[ColumnElement[bool], ...]:
    its = table.c
    return (
        its.guild_id == bindparam("guild"),
        its.discord_user_id == bindparam("person"),
        its.role_id == bindparam("role"),
    )


# Of an undo, one by one: SQLite finds no tuple by an index. A row that is not as it was is let be.
_IS_GIVEN = or_(grants.c.state == GrantState.GRANTING, grants.c.state == GrantState.HELD)  # the second once it was seen
_DROP_WITHDRAWN = delete(grants).where(*_is_pair(grants), grants.c.state == GrantState.WITHDRAWN)
_WITHDRAW = (
    update(grants).where(*_is_pair(grants), _IS_GIVEN).values(state=GrantState.WITHDRAWING, since=bindparam("at"))
)
_DROP_RETURNED = delete(hold_items).where(*_is_pair(hold_items), hold_items.c.state == HoldState.RETURNED)
_DISOWN = delete(grants).where(*_is_pair(grants), _IS_GIVEN)


async def _put(connection: AsyncConnection, items: Iterable[HoldItem], hold_id: HoldId) -> None:
    rows = [msgspec.structs.asdict(item) | {"hold_id": hold_id, "reason": to_json(item.reason)} for item in items]
    await connection.execute(Upsert(hold_items).on(connection), rows)


async def _unanswered(
    connection: AsyncConnection, guild_id: GuildId, items: Sequence[HoldItem], *answers: HoldState
) -> tuple[HoldItem, ...]:
    """Leave out what admins have answered so already, while that answer holds."""
    is_answered = hold_items.c.state.in_(answers)
    answered = {
        (one.discord_user_id, one.role_id): one
        for one in await _items(connection, hold_items.c.guild_id == guild_id, is_answered)
    }

    def is_open(item: HoldItem) -> bool:
        answer = answered.get((item.discord_user_id, item.role_id))
        return answer is None or not answer.holds_for(item.mark)

    return tuple(filter(is_open, items))


async def _make_due(connection: AsyncConnection, guild_id: GuildId, items: Iterable[HoldItem]) -> None:
    people = {item.discord_user_id for item in items}
    await make_due(connection, guild_id, people, trigger=Trigger.HOLDS, urgency=Urgency.BULK_REVOKE)


async def _end_empty(connection: AsyncConnection, hold_ids: Iterable[HoldId], at: datetime) -> tuple[HoldId, ...]:
    """Close the open ones among these holds that nothing is left of; return them."""
    ended: list[HoldId] = []
    for hold_id in hold_ids:
        if await _items(connection, hold_items.c.hold_id == hold_id):
            continue
        end = update(holds).where(holds.c.hold_id == hold_id, holds.c.closed_at.is_(None))
        if (await connection.execute(end.values(closed_at=at))).rowcount > 0:
            ended.append(hold_id)
    return tuple(ended)


async def _items(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> tuple[HoldItem, ...]:
    query = select(hold_items).where(*conditions).order_by(hold_items.c.discord_user_id, hold_items.c.role_id)
    return tuple(read_rows(await connection.execute(query), HoldItem, "reason"))


async def _hold(connection: AsyncConnection, hold_id: HoldId, guild_id: GuildId, opened_at: datetime) -> Hold:
    items = await _items(connection, hold_items.c.hold_id == hold_id)
    return Hold(hold_id=hold_id, guild_id=guild_id, opened_at=opened_at, items=items)
