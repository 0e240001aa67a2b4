"""Fresh pairs that have no place yet, sealed: nobody knows whose they are, or the stored one is to be used up first.

A row is here from the moment Patreon gave the pair, so that a process killed then loses none. Decides nothing.
"""

from datetime import datetime
from typing import Any, NewType

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CredentialId, PatreonUserId, TokenPair
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.rows import join_scopes, open_pair, seal_pair
from bot.storage.tables import arrivals, credentials
from bot.storage.vault import Vault, VaultKeyMissing

ArrivalId = NewType("ArrivalId", int)

# A pair of which nobody knows whose it is, and Patreon may still tell. A stranger can make one that Patreon refuses, by
# changing what they consent to: nobody else's pair waits for that.
AWAITED = select(arrivals.c.arrival_id).where(arrivals.c.patreon_user_id.is_(None), arrivals.c.is_refused.is_(False))


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A pair, and when the exchange that brought it was asked for."""

    arrival_id: ArrivalId
    pair: TokenPair
    asked_at: datetime


class Arrivals(Aggregate):
    """Every pair that waits."""

    def __init__(self, database: Database, vault: Vault) -> None:
        super().__init__(database)
        self._vault = vault

    @transaction
    async def keep(self, connection: AsyncConnection, pair: TokenPair, *, asked_at: datetime) -> ArrivalId:
        """Store what Patreon has just given."""
        row = {
            "pair_sealed": seal_pair(self._vault, pair),
            "scopes": join_scopes(pair),
            "expires_at": pair.expires_at,
            "asked_at": asked_at,
            "is_refused": False,
        }
        add = insert(arrivals).values(row).returning(arrivals.c.arrival_id)
        return ArrivalId((await connection.execute(add)).scalar_one())

    async def list_awaited(self, until: datetime) -> tuple[Arrival, ...]:
        """Return those of whom nobody knows whose they are, and that were asked for until then, the oldest first.

        One that no key opens is of no use to anybody, and left out.
        """
        is_due = (arrivals.c.patreon_user_id.is_(None), arrivals.c.asked_at <= until)
        query = select(arrivals).where(*is_due).order_by(arrivals.c.asked_at, arrivals.c.arrival_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found: list[Arrival] = []
        for row in rows:
            try:
                pair = open_pair(self._vault, row.pair_sealed, scopes=row.scopes, expires_at=row.expires_at)
            except VaultKeyMissing:
                continue
            found.append(Arrival(arrival_id=ArrivalId(row.arrival_id), pair=pair, asked_at=row.asked_at))
        return tuple(found)

    @transaction
    async def note_refused(self, connection: AsyncConnection, arrival_id: ArrivalId) -> None:
        """Remember that Patreon refused to say whose it is: it waits on, and nothing waits for it."""
        refused = update(arrivals).where(arrivals.c.arrival_id == arrival_id)
        await connection.execute(refused.values(is_refused=True))

    async def list_held_back(self) -> frozenset[CredentialId]:
        """Return the stored pairs for whose end a fresh one waits that may do less."""
        query = select(credentials.c.credential_id).join(
            arrivals, arrivals.c.patreon_user_id == credentials.c.patreon_user_id
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return frozenset(CredentialId(row.credential_id) for row in rows)

    @transaction
    async def drop(self, connection: AsyncConnection, arrival_id: ArrivalId) -> None:
        """Forget one."""
        await connection.execute(delete(arrivals).where(arrivals.c.arrival_id == arrival_id))

    @transaction
    async def purge(self, connection: AsyncConnection, before: datetime) -> int:
        """Forget those of whom nobody found out whose they are; return how many."""
        is_old = (arrivals.c.patreon_user_id.is_(None), arrivals.c.asked_at < before)
        return (await connection.execute(delete(arrivals).where(*is_old))).rowcount


async def hold_back(connection: AsyncConnection, arrival_id: ArrivalId, patreon_user_id: PatreonUserId) -> None:
    """Let a pair wait for the end of its person's stored one, inside a transaction that the caller began."""
    older = delete(arrivals).where(arrivals.c.patreon_user_id == patreon_user_id, arrivals.c.arrival_id != arrival_id)
    await connection.execute(older)
    theirs = update(arrivals).where(arrivals.c.arrival_id == arrival_id)
    await connection.execute(theirs.values(patreon_user_id=patreon_user_id))


async def take_held_back(connection: AsyncConnection, patreon_user_id: str) -> dict[str, Any] | None:
    """Take the pair that waits for the end of a person's stored one, as the columns that it fills there."""
    statement = delete(arrivals).where(arrivals.c.patreon_user_id == patreon_user_id).returning(arrivals)
    rows = (await connection.execute(statement)).all()
    if not rows:
        return None
    row = max(rows, key=lambda one: (one.asked_at, one.arrival_id))
    return {
        "pair_sealed": row.pair_sealed,
        "scopes": row.scopes,
        "expires_at": row.expires_at,
        "consented_at": row.asked_at,
    }
