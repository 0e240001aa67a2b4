"""How many requests all processes together have sent to Patreon, and who has to rest: by the clock of the database.

What is left of a limit is `domain/pace.py`'s to say. A token stands here by its fingerprint.
"""

from collections.abc import Mapping
from datetime import timedelta

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import Secret
from bot.domain.pace import Demand, Share, Taken, share_out
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.bell import CHANNEL
from bot.storage.leases import DatabaseClock
from bot.storage.tables import paces
from bot.storage.tables.column_types import MICROSECOND
from bot.storage.upsert import Upsert, insert_once
from bot.storage.vault import fingerprint

RUNG = "paces"  # the word by which other processes are told of a rest

KEPT = timedelta(minutes=2)  # longer than any limit's window

_RING = select(func.pg_notify(CHANNEL, RUNG))
_TAKEN = msgspec.json.Decoder(dict[int, int])

PaceKey = Secret | str
"""A token, or the name of something else that is counted."""


class Paces(Aggregate):
    """Every count."""

    @transaction
    async def take(self, connection: AsyncConnection, wanted: Mapping[PaceKey, Demand]) -> dict[PaceKey, Share]:
        """Take slots of several limits, as many as are left; none of what has to rest."""
        names = {_name(key): key for key in sorted(wanted, key=_name)}  # in one order: nobody waits for the other
        query = select(paces, DatabaseClock().label("now")).where(paces.c.name.in_(names))
        known = {row.name: row for row in await connection.execute(query)}
        now = max((row.now for row in known.values()), default=None)
        if now is None:
            now = (await connection.execute(select(DatabaseClock()))).scalar_one()
        shares, rows = dict[PaceKey, Share](), []
        for name, key in names.items():
            row = known.get(name)
            if row is not None and row.rest_until > now:
                shares[key] = Share(slots=0, seconds=(row.rest_until - now) / 1_000_000, is_rest=True)
                continue
            before: Taken = {} if row is None else _TAKEN.decode(row.taken)
            share, taken = share_out(wanted[key], before, now)
            shares[key] = share
            if share.slots:
                rows.append(_row(name, taken, 0, now))
        if rows:
            await connection.execute(Upsert(paces).on(connection), rows)
        return shares

    @transaction
    async def rest(self, connection: AsyncConnection, key: PaceKey, period: timedelta) -> None:
        """Let nobody ask with this for so long; a longer rest under way goes on. Other processes are told."""
        name, now = _name(key), (await connection.execute(select(DatabaseClock()))).scalar_one()
        row = (await connection.execute(select(paces).where(paces.c.name == name))).first()
        until = max(now + period // MICROSECOND, 0 if row is None else row.rest_until)
        taken: Taken = {} if row is None else _TAKEN.decode(row.taken)
        await connection.execute(Upsert(paces).on(connection), _row(name, taken, until, now))
        if self._database.is_shared:
            await connection.execute(_RING)

    @transaction
    async def succeed(self, connection: AsyncConnection, old: PaceKey, fresh: PaceKey) -> None:
        """Let a token that took another's place go on with its count and its rest: a refresh resets neither."""
        row = (await connection.execute(select(paces).where(paces.c.name == _name(old)))).first()
        if row is not None and old != fresh:
            copied = {"name": _name(fresh), "taken": row.taken, "rest_until": row.rest_until, "until": row.until}
            await connection.execute(insert_once(paces, connection.dialect.name), copied)

    async def purge(self) -> None:
        """Forget what counts no more."""
        await self._database.execute(delete(paces).where(paces.c.until < DatabaseClock()))


def _row(name: str, taken: Taken, rest_until: int, now: int) -> dict[str, str | int]:
    written = msgspec.json.encode(dict(taken)).decode()
    until = max(rest_until, now) + KEPT // MICROSECOND
    return {"name": name, "taken": written, "rest_until": rest_until, "until": until}


def _name(key: PaceKey) -> str:
    return f"token {fingerprint(key)}" if isinstance(key, Secret) else key
