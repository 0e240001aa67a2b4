"""Webhooks that tell an admin's own program what happens: to whom, what is on its way, and what they were told last.

An event is written in the transaction of the fact that it tells of (`queue_events`); of how people stand, in that of
what is told last (`Hooks.tell_members`). It stays until it has arrived or its hook is off, and is kept for some days
then. Which hook wants which event is looked up as the event is written: a server without hooks costs that one look.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.hooks import (
    MOST_HOOKS,
    Delivery,
    Hook,
    HookAnswer,
    HookEvent,
    HookEventType,
    NewEvent,
    OffReason,
)
from bot.domain.member_answer import MemberAnswer
from bot.domain.member_changes import ToldMember, member_event, told_of
from bot.domain.model import DiscordUserId, GuildId, HookId, Secret
from bot.runtime.unhurried import portions
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.bell import CHANNEL
from bot.storage.database import Database
from bot.storage.rows import columns_of, read_row, to_json
from bot.storage.tables import hook_events, hook_told, hooks
from bot.storage.unlinks import Revoked, UnlinkFile
from bot.storage.upsert import Upsert
from bot.storage.vault import Vault

RUNG = "hooks"  # the word by which other processes are told

_TOLD_MEMBER = msgspec.json.Decoder(ToldMember)

# Built once: to build a statement takes as long as to execute it, and each change of a role asks the first.
_WANTING = select(hooks.c.hook_id, hooks.c.events).where(
    hooks.c.guild_id == bindparam("guild"), hooks.c.off_at.is_(None)
)
_QUEUE = insert(hook_events)
_RING = select(func.pg_notify(CHANNEL, RUNG))
_EARLIER = hook_events.alias("earlier")
IS_FIRST = ~exists().where(  # of those of the same hook and person that have not arrived
    _EARLIER.c.hook_id == hook_events.c.hook_id,
    _EARLIER.c.discord_user_id == hook_events.c.discord_user_id,
    _EARLIER.c.event_id < hook_events.c.event_id,
    _EARLIER.c.due_at.is_not(None),
)
_DUE = and_(hook_events.c.due_at <= bindparam("now", type_=hook_events.c.due_at.type), IS_FIRST)
_BUSY = select(hooks.c.hook_id).where(
    or_(
        and_(hooks.c.off_at.is_(None), exists().where(hook_events.c.hook_id == hooks.c.hook_id, _DUE)),
        and_(hooks.c.off_at.is_not(None), hooks.c.told_off_at.is_(None)),
    )
)
_TAKE = (
    select(*(hook_events.c[name] for name in HookEvent.__struct_fields__))
    .where(hook_events.c.hook_id == bindparam("hook"), _DUE)
    .order_by(hook_events.c.due_at, hook_events.c.event_id)
    .limit(bindparam("most"))
)


class HookTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A hook with what it takes to send something there."""

    hook: Hook
    url: Secret
    secret: Secret
    is_told_off: bool  # the admins know that it is off, or it is not


class Hooks(Aggregate):
    """Every hook, and every event on its way."""

    def __init__(self, database: Database, vault: Vault, unlinks: UnlinkFile | None = None) -> None:
        super().__init__(database)
        self._vault = vault
        self._unlinks = unlinks

    # --- the hooks of a server

    async def wants(self, guild_id: GuildId) -> bool:
        """Tell whether a server has a hook that is not off.

        Where others write too the answer may be some seconds old, but for what this process has written.
        """
        return guild_id in await self.kept.get_lately("wanting", self._load_wanting)

    @transaction
    async def add(
        self,
        connection: AsyncConnection,
        hook: Hook,
        *,
        url: Secret,
        secret: Secret,
        members: Sequence[MemberAnswer],
    ) -> Hook | None:
        """Store a hook, and return it with its number; None where the server has as many as it may have.

        Of `members`, who are all that are entitled now, the first hook is told nothing: what comes is what changes.
        """
        query = select(hooks.c.off_at).where(hooks.c.guild_id == hook.guild_id)
        others = (await connection.execute(query)).scalars().all()
        if len(others) >= MOST_HOOKS:
            return None
        if None not in others:  # nobody was told of any change
            await connection.execute(delete(hook_told).where(hook_told.c.guild_id == hook.guild_id))
            rows = [_told_row(hook.guild_id, one, hook.created_at) for one in members]
            if rows:
                await connection.execute(insert(hook_told), rows)
        row = msgspec.structs.asdict(hook) | {
            "events": to_json(hook.events),
            "url_sealed": self._vault.seal(url),
            "secret_sealed": self._vault.seal(secret),
        }
        del row["hook_id"]
        number = (await connection.execute(insert(hooks).values(row).returning(hooks.c.hook_id))).scalar_one()
        return msgspec.structs.replace(hook, hook_id=HookId(number))

    async def list_guild(self, guild_id: GuildId) -> tuple[Hook, ...]:
        """Return the hooks of a server, those that are off too, the oldest first."""
        query = select(hooks).where(hooks.c.guild_id == guild_id).order_by(hooks.c.hook_id)
        async with self._database.read() as connection:
            return tuple(map(_hook, (await connection.execute(query)).all()))

    async def open(self, hook_id: HookId) -> HookTarget | None:
        """Return a hook with its address and its secret; None where it was removed. Raises VaultKeyMissing."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(hooks).where(hooks.c.hook_id == hook_id))).first()
        if row is None:
            return None
        return HookTarget(
            hook=_hook(row),
            url=self._vault.open(row.url_sealed),
            secret=self._vault.open(row.secret_sealed),
            is_told_off=row.off_at is None or row.told_off_at is not None,
        )

    async def remove(self, guild_id: GuildId, hook_id: HookId, *, at: datetime) -> Hook | None:
        """Forget a hook and all that was on its way to it; return it, or None where this server has no such hook."""
        if self._unlinks is not None and hook_id in {one.hook_id for one in await self.list_guild(guild_id)}:
            await self._unlinks.note_revoked(Revoked(hooks.name, hook_id), at)
        return await self._remove(guild_id, hook_id)

    @transaction
    async def _remove(self, connection: AsyncConnection, guild_id: GuildId, hook_id: HookId) -> Hook | None:
        mine = (hooks.c.hook_id == hook_id, hooks.c.guild_id == guild_id)
        row = (await connection.execute(delete(hooks).where(*mine).returning(hooks))).first()
        if row is None:
            return None
        await connection.execute(delete(hook_events).where(hook_events.c.hook_id == hook_id))
        left = select(hooks.c.hook_id).where(hooks.c.guild_id == guild_id).limit(1)
        if (await connection.execute(left)).first() is None:
            await connection.execute(delete(hook_told).where(hook_told.c.guild_id == guild_id))
        return _hook(row)

    # --- what they are told of people

    async def load_told(
        self, guild_id: GuildId, people: Collection[DiscordUserId] | None
    ) -> dict[DiscordUserId, ToldMember]:
        """Return what a server's hooks were last told of these people (None: of all who were entitled by that)."""
        mine = hook_told.c.guild_id == guild_id
        if people is None:
            return await self._load_told(mine, hook_told.c.is_entitled)
        wanted, found = sorted(people), dict[DiscordUserId, ToldMember]()
        for few in portions(wanted, MAX_VALUES):
            some = hook_told.c.discord_user_id.in_(few)
            found |= await self._load_told(mine, some)
        return found

    @transaction
    async def tell_members(
        self, connection: AsyncConnection, guild_id: GuildId, members: Sequence[MemberAnswer], *, at: datetime
    ) -> None:
        """Tell how these people stand by the facts of a moment, where that is news; older facts are none."""
        people = [int(one.discord_user_id) for one in members]
        known: dict[int, Row[Any]] = {}
        for few in portions(people, MAX_VALUES):
            some = hook_told.c.discord_user_id.in_(few)
            rows = await connection.execute(select(hook_told).where(hook_told.c.guild_id == guild_id, some))
            known |= {row.discord_user_id: row for row in rows}
        events, told = list[NewEvent](), list[dict[str, Any]]()
        for person, answer in zip(people, members, strict=True):
            row = known.get(person)
            if row is not None and row.facts_at > at:
                continue
            before = ToldMember() if row is None else _TOLD_MEMBER.decode(row.member)
            event = member_event(guild_id, before, answer, at=at)
            if event is not None:
                events.append(event)
                told.append(_told_row(guild_id, answer, at))
        if told:
            await connection.execute(Upsert(hook_told).on(connection), told)
        await queue_events(connection, guild_id, events)

    # --- what is on its way

    async def list_busy(self, now: datetime) -> tuple[HookId, ...]:
        """Return the hooks to which something is due, and those that are off and of which nobody was told."""
        async with self._database.read() as connection:
            return tuple((await connection.execute(_BUSY, {"now": now})).scalars())

    async def list_due(self, hook_id: HookId, now: datetime, *, most: int) -> tuple[HookEvent, ...]:
        """Return what is due, the longest due first; of each person the first event that has not arrived."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_TAKE, {"hook": hook_id, "now": now, "most": most})).all()
        return tuple(read_row(row, HookEvent) for row in rows)

    @transaction
    async def note_answer(
        self,
        connection: AsyncConnection,
        event: HookEvent,
        answer: HookAnswer,
        *,
        at: datetime,
        again_at: datetime | None,
        off: OffReason | None = None,
    ) -> None:
        """Write down what came of a try: that it is over, when it is tried again, or that the hook is off by it.

        Then all that is on its way there is over. Nothing is tried again where the hook is off already.
        """
        live = (hooks.c.hook_id == event.hook_id, hooks.c.off_at.is_(None))
        if (await connection.execute(select(hooks.c.hook_id).where(*live))).first() is None:
            again_at = None
        values: dict[str, Any] = {
            "tries": event.tries + 1,
            "first_tried_at": event.first_tried_at or at,
            "due_at": again_at,
            "ended_at": at if again_at is None else None,
            "status": answer.status,
            "failure": answer.failure,
        }
        mine = hook_events.c.event_id == event.event_id
        await connection.execute(update(hook_events).where(mine).values(values))
        if off is not None:
            waiting = (hook_events.c.hook_id == event.hook_id, hook_events.c.due_at.is_not(None))
            await connection.execute(update(hook_events).where(*waiting).values(due_at=None, ended_at=at))
            await connection.execute(update(hooks).where(*live).values(off_at=at, off_reason=off))

    @transaction
    async def note_told_off(self, connection: AsyncConnection, hook_id: HookId, at: datetime) -> None:
        """Note that the admins know that a hook is off."""
        await connection.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(told_off_at=at))

    @transaction
    async def hurry(self, connection: AsyncConnection, hook_id: HookId, now: datetime) -> int:
        """Let all that waits for another try be tried now; return how much that is."""
        later = (hook_events.c.hook_id == hook_id, hook_events.c.due_at > now)
        hurried = (await connection.execute(update(hook_events).where(*later).values(due_at=now))).rowcount
        if hurried:
            await _ring(connection)
        return hurried

    async def list_newest(self, guild_id: GuildId, *, most: int) -> tuple[Delivery, ...]:
        """Return the newest events of each hook of a server, the newest first."""
        number = func.row_number().over(partition_by=hook_events.c.hook_id, order_by=hook_events.c.event_id.desc())
        numbered = (
            select(hook_events, number.label("number"))
            .join(hooks, hooks.c.hook_id == hook_events.c.hook_id)
            .where(hooks.c.guild_id == guild_id)
            .subquery()
        )
        query = select(numbered).where(numbered.c.number <= most).order_by(numbered.c.event_id.desc())
        async with self._database.read() as connection:
            return tuple(map(_delivery, (await connection.execute(query)).all()))

    @transaction
    async def purge(self, connection: AsyncConnection, before: datetime) -> None:
        """Forget what was over before a moment, and of whom nothing is left to tell."""
        await connection.execute(delete(hook_events).where(hook_events.c.ended_at < before))
        over = (~hook_told.c.is_entitled, hook_told.c.facts_at < before)
        await connection.execute(delete(hook_told).where(*over))

    async def _load_wanting(self) -> frozenset[GuildId]:
        query: Select[Any] = select(hooks.c.guild_id).where(hooks.c.off_at.is_(None)).distinct()
        async with self._database.read() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def _load_told(self, *conditions: ColumnElement[bool]) -> dict[DiscordUserId, ToldMember]:
        query = select(hook_told.c.discord_user_id, hook_told.c.member).where(*conditions)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {DiscordUserId(row.discord_user_id): _TOLD_MEMBER.decode(row.member) for row in rows}


def new_message_id() -> str:
    """Make an id by which a receiver knows a message again, whoever else sends to it."""
    return f"msg_{secrets.token_hex(12)}"


# --- within the transaction of a fact


async def queue_events(connection: AsyncConnection, guild_id: GuildId, events: Sequence[NewEvent]) -> None:
    """Let those hooks of a server be told that want to be."""
    if not events:
        return
    wanting = (await connection.execute(_WANTING, {"guild": guild_id})).all()
    rows = [row for hook in wanting for row in _rows_for(HookId(hook.hook_id), hook.events, events)]
    if rows:
        await connection.execute(_QUEUE, rows)
        await _ring(connection)


def _rows_for(hook_id: HookId, wanted: str, events: Iterable[NewEvent]) -> list[dict[str, Any]]:
    types = frozenset(msgspec.json.decode(wanted, type=tuple[HookEventType, ...]))
    return [
        {
            "hook_id": hook_id,
            "message_id": new_message_id(),
            "discord_user_id": event.discord_user_id,
            "type": event.type,
            "body": event.body,
            "created_at": event.at,
            "due_at": event.at,
        }
        for event in events
        if event.type in types
    ]


async def _ring(connection: AsyncConnection) -> None:
    """Let the workers look when the transaction has ended; twice in one is once."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_RING)


def _told_row(guild_id: GuildId, answer: MemberAnswer, at: datetime) -> dict[str, Any]:
    return {
        "guild_id": guild_id,
        "discord_user_id": int(answer.discord_user_id),
        "member": to_json(told_of(answer)),
        "is_entitled": answer.standing.is_entitled,
        "facts_at": at,
    }


def _hook(row: Row[Any]) -> Hook:
    columns: Mapping[str, Any] = columns_of(row)
    known = {name: columns[name] for name in Hook.__struct_fields__}
    return msgspec.convert(known | {"events": msgspec.json.decode(known["events"])}, Hook)


def _delivery(row: Row[Any]) -> Delivery:
    columns = columns_of(row)
    was_tried = columns["status"] is not None or columns["failure"] is not None
    answer = {"status": columns["status"], "failure": columns["failure"]} if was_tried else None
    known = {name: columns[name] for name in Delivery.__struct_fields__ if name != "answer"}
    return msgspec.convert(known | {"answer": answer}, Delivery)
