"""Who waits to be planned: a row for each person and guild, written in the transaction of the fact that made it so.

Whoever owns the guild plans them, and ends the row as they found it before they read the facts: where another fact
came meanwhile, the row has another generation by then and stays. A row is not work to do; a plan is made from facts.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Executable,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger, Urgency
from bot.domain.model import CampaignId, DiscordUserId, GuildId, PatreonUserId
from bot.runtime.unhurried import portions, unhurried
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.bell import CHANNEL
from bot.storage.leases import DatabaseClock
from bot.storage.rows import read_row, read_rows
from bot.storage.tables import bindings, due, grants, links, memberships, role_rules
from bot.storage.tables.column_types import EPOCH, MICROSECOND

RUNG = f"due {secrets.token_hex(8)}"  # the word of this process
MAX_ROWS = 300  # in one statement, by three columns: databases limit how many values it may carry
MINUTE = timedelta(minutes=1)
EVERYONE = DiscordUserId(0)  # stands for all in a guild; Discord numbers nobody so

_COLUMNS = [due.c[name] for name in ("guild_id", "discord_user_id", "urgency", "trigger", "generation")]
_ONE = select(*_COLUMNS).where(due.c.guild_id == bindparam("guild"), due.c.discord_user_id == bindparam("person"))
_END = delete(due).where(  # one by one: SQLite finds no tuple by an index
    due.c.guild_id == bindparam("guild"),
    due.c.discord_user_id == bindparam("person"),
    due.c.generation == bindparam("mark"),
)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody, or EVERYONE, waits in a guild."""

    guild_id: GuildId
    discord_user_id: DiscordUserId
    urgency: Urgency
    trigger: Trigger
    generation: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait, and for how long the first of them has."""

    people: int
    oldest: timedelta


class DuePeople(Aggregate):
    """Everybody who waits."""

    async def list_since(self, period: timedelta | None, *, settled: timedelta = timedelta()) -> tuple[Due, ...]:
        """Return whom somebody waits for, and whom a fact of this last period made due (None: all), the urgent first.

        Left out is what is younger than `settled`. All by the database's clock.
        """
        now = DatabaseClock()
        recent = due.c.noted_at > now - (period or timedelta()) // MICROSECOND
        wanted = [due.c.noted_at <= now - settled // MICROSECOND] if settled else []
        if period is not None:
            wanted.append(or_(due.c.urgency == Urgency.WAITING, recent))
        return await self._list(*wanted)

    async def list_guild(self, guild_id: GuildId) -> tuple[Due, ...]:
        """Return everybody who waits in a guild."""
        return await self._list(due.c.guild_id == guild_id)

    async def list_people(self, guild_id: GuildId, people: Iterable[DiscordUserId]) -> list[Due]:
        """Return those of these people who wait in a guild."""
        found = list[Due]()
        wanted = sorted(people)
        for few in portions(wanted, MAX_ROWS):
            some = due.c.discord_user_id.in_(few)
            found += await self._list(due.c.guild_id == guild_id, some)
        return found

    async def list_guilds(self, guild_ids: Collection[GuildId]) -> dict[GuildId, list[Due]]:
        """Return the same of several guilds, which are no more than a statement may carry values."""
        found: dict[GuildId, list[Due]] = {guild_id: [] for guild_id in guild_ids}
        for one in await self._list(due.c.guild_id.in_(guild_ids)):
            found[one.guild_id].append(one)
        return found

    async def find(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> Due | None:
        """Return the row of one person."""
        async with self._database.read() as connection:
            row = (await connection.execute(_ONE, {"guild": guild_id, "person": discord_user_id})).first()
        return None if row is None else read_row(row, Due)

    async def add(
        self,
        guild_id: GuildId,
        people: Iterable[DiscordUserId],
        *,
        trigger: Trigger,
        urgency: Urgency = Urgency.WAITING,
    ) -> None:
        """Let people wait, without another fact."""
        await self._add(guild_id, list(people), trigger, urgency)

    @transaction
    async def _add(
        self,
        connection: AsyncConnection,
        guild_id: GuildId,
        people: list[DiscordUserId],
        trigger: Trigger,
        urgency: Urgency,
    ) -> None:
        await make_due(connection, guild_id, people, trigger=trigger, urgency=urgency)

    async def is_awaited(self, discord_user_id: DiscordUserId, guild_ids: Collection[GuildId]) -> bool:
        """Tell whether somebody waits in one of these guilds that is looked after.

        One is not where whoever is most urgent has waited for a minute: nobody shows it.
        """
        other = due.alias()
        minute_ago = DatabaseClock() - MINUTE // MICROSECOND
        is_left_alone = exists().where(
            other.c.guild_id == due.c.guild_id, other.c.urgency == Urgency.WAITING, other.c.since < minute_ago
        )
        query = select(due.c.guild_id).where(
            due.c.guild_id.in_(sorted(guild_ids)), due.c.discord_user_id == discord_user_id, ~is_left_alone
        )
        async with self._database.read() as connection:
            return (await connection.execute(query.limit(1))).first() is not None

    async def end(self, served: Collection[Due]) -> None:
        """Let those wait no more whom no newer fact made due."""
        keys = [{"guild": one.guild_id, "person": one.discord_user_id, "mark": one.generation} for one in served]
        if len(keys) == 1:
            await self._database.execute(_END, keys[0])
        for some in portions(keys) if len(keys) > 1 else ():
            await self._end(some)

    @transaction
    async def _end(self, connection: AsyncConnection, keys: list[dict[str, int]]) -> None:
        await connection.execute(_END, keys)

    @transaction
    async def purge(self, connection: AsyncConnection, older_than: timedelta) -> None:
        """Forget those in guilds that nobody looked after for so long: who owns one again plans everyone there."""
        await connection.execute(delete(due).where(due.c.noted_at < DatabaseClock() - older_than // MICROSECOND))

    async def count(self) -> Waiting:
        """Count who waits."""
        query = select(func.count(), func.coalesce(DatabaseClock() - func.min(due.c.since), 0)).select_from(due)
        async with self._database.read() as connection:
            people, oldest = (await connection.execute(query)).one()
        return Waiting(people=people, oldest=max(timedelta(), oldest * MICROSECOND))

    async def _list(self, *conditions: ColumnElement[bool]) -> tuple[Due, ...]:
        query = select(*_COLUMNS).where(*conditions).order_by(due.c.urgency, due.c.since)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple([one async for one in unhurried(read_rows(rows, Due))])


# --- within the transaction of a fact


async def make_due(
    connection: AsyncConnection,
    guild_id: GuildId,
    people: Iterable[DiscordUserId],
    *,
    trigger: Trigger,
    urgency: Urgency = Urgency.WAITING,
) -> None:
    """Let people of a guild wait."""
    common = {"guild_id": guild_id, **_common(trigger, urgency)}
    rows = [{"discord_user_id": person, **common} for person in people]
    if rows:
        await connection.execute(_THESE[connection.dialect.name], rows)
        await _ring(connection)


async def make_everyone_due(connection: AsyncConnection, guild_ids: Iterable[GuildId], *, trigger: Trigger) -> None:
    """Let all in these guilds be planned anew."""
    for guild_id in guild_ids:
        await make_due(connection, guild_id, [EVERYONE], trigger=trigger, urgency=Urgency.BULK_GRANT)


async def make_people_due(connection: AsyncConnection, people: Iterable[DiscordUserId], *, trigger: Trigger) -> None:
    """Let people wait wherever anything ties them to a guild."""
    await _execute(connection, _PEOPLE, sorted(set(people)), _common(trigger, Urgency.WAITING))


async def make_patrons_due(
    connection: AsyncConnection, patrons: Iterable[PatreonUserId], *, trigger: Trigger, urgency: Urgency
) -> None:
    """Let those wait to whom these patrons are linked, wherever anything ties them to a guild."""
    await _execute(connection, _PATRONS, sorted(set(patrons)), _common(trigger, urgency))


async def make_unlisted_due(
    connection: AsyncConnection, campaign_id: CampaignId, *, linked_since: datetime | None, trigger: Trigger
) -> None:
    """Let those wait who hold a role of ours where a campaign is followed, and of whom it has told nothing.

    `linked_since` leaves out whose link is older.
    """
    values = {"campaign": campaign_id, "linked_since": linked_since or EPOCH, **_common(trigger, Urgency.BULK_REVOKE)}
    if (await connection.execute(_UNLISTED[connection.dialect.name], values)).rowcount:  # after nearly no read
        await _ring(connection)


async def _execute(
    connection: AsyncConnection, statements: Mapping[str, Executable], wanted: list[Any], common: dict[str, Any]
) -> None:
    made = 0
    for few in portions(wanted, MAX_ROWS):
        some = {"ids": few, **common}
        made += (await connection.execute(statements[connection.dialect.name], some)).rowcount
    if made:
        await _ring(connection)


async def _ring(connection: AsyncConnection) -> None:
    """Let the other processes look when the transaction has ended; twice in one is once."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_RING)


def _common(trigger: Trigger, urgency: Urgency) -> dict[str, Any]:
    """Return what all rows of a statement have in common. No generation is made twice."""
    return {"urgency": urgency.value, "trigger": trigger, "generation": secrets.randbits(63)}


def _merging(insert: Any) -> Any:
    """Let who waits already do so since then, and as urgently as before."""
    is_first = insert.excluded.urgency < due.c.urgency
    return insert.on_conflict_do_update(
        index_elements=[due.c.guild_id, due.c.discord_user_id],
        set_={
            "urgency": case((is_first, insert.excluded.urgency), else_=due.c.urgency),
            "trigger": case((is_first, insert.excluded.trigger), else_=due.c.trigger),
            "noted_at": insert.excluded.noted_at,
            "generation": insert.excluded.generation,
        },
    )


def _known(wanted: ColumnElement[bool]) -> Select[Any]:
    """Select linked people whom a campaign has known, in the guilds that follow it and have rules."""
    return (
        select(bindings.c.guild_id, links.c.discord_user_id)
        .join_from(links, memberships, memberships.c.patreon_user_id == links.c.patreon_user_id)
        .join(bindings, bindings.c.campaign_id == memberships.c.campaign_id)
        .where(wanted, exists().where(role_rules.c.guild_id == bindings.c.guild_id))
    )


def _tied(known: Select[Any], holders: Select[Any]) -> dict[str, Executable]:
    """Build, for each kind of database, the INSERT of those people."""
    return _making_due(union(known, holders))


def _making_due(people: CompoundSelect[Any] | Select[Any]) -> dict[str, Executable]:
    """Build, for each kind of database, the INSERT of people in guilds."""
    ties = people.subquery()
    common = [bindparam(name, type_=due.c[name].type) for name in ("urgency", "trigger", "generation")]
    rows = select(ties.c.guild_id, ties.c.discord_user_id, *common, _NOW, _NOW).where(true())
    names = ["guild_id", "discord_user_id", "urgency", "trigger", "generation", "since", "noted_at"]
    return {
        kind: _merging(insert(due).from_select(names, rows)).execution_options(preserve_rowcount=True)
        for kind, insert in _INSERTS.items()
    }


# Built once: to build a statement takes as long as to execute it.
_RING = select(func.pg_notify(CHANNEL, RUNG))
_NOW = DatabaseClock()
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_GRANTS = select(grants.c.guild_id, grants.c.discord_user_id)
_THESE = {kind: _merging(insert(due).values(since=_NOW, noted_at=_NOW)) for kind, insert in _INSERTS.items()}
_PEOPLE = _tied(_known(links.c.discord_user_id.in_(_IDS)), _GRANTS.where(grants.c.discord_user_id.in_(_IDS)))
_PATRONS = _tied(
    _known(links.c.patreon_user_id.in_(_IDS)),
    _GRANTS.join(links, links.c.discord_user_id == grants.c.discord_user_id).where(links.c.patreon_user_id.in_(_IDS)),
)
_UNLISTED = _making_due(
    select(grants.c.guild_id, grants.c.discord_user_id)
    .distinct()
    .join(bindings, bindings.c.guild_id == grants.c.guild_id)
    .join(links, links.c.discord_user_id == grants.c.discord_user_id)
    .where(
        bindings.c.campaign_id == bindparam("campaign"),
        links.c.linked_at >= bindparam("linked_since", type_=links.c.linked_at.type),
        ~exists().where(
            memberships.c.campaign_id == bindings.c.campaign_id,
            memberships.c.patreon_user_id == links.c.patreon_user_id,
        ),
    )
)
