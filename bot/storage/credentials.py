"""Token pairs, sealed. One pair for a patron, one for a creator; the pair of the settings is the creator "seed".

Implements what `patreon/tokens.py` asks of a store. Decides nothing about when a pair is refreshed.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import CredentialId, PatreonUserId, TokenPair
from bot.patreon.tokens import StoredPair
from bot.storage.database import Database
from bot.storage.rows import join_scopes, open_pair, seal_pair
from bot.storage.tables import bindings, credentials
from bot.vault import Vault

SEED = "seed"


class Kind(enum.StrEnum):
    """Whose consent a pair stands for."""

    PATRON = "patron"
    CREATOR = "creator"


# Built once: to build a statement takes as long as to execute it, and each page of a read asks for this one.
_BY_ID = select(credentials).where(credentials.c.credential_id == bindparam("id"))


class Credentials:
    """Every token pair."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def load(self, credential_id: CredentialId) -> StoredPair:
        """Return a pair by its id; LookupError where it was dropped meanwhile."""
        async with self._database.read() as connection:
            row = (await connection.execute(_BY_ID, {"id": credential_id})).first()
        if row is None:
            raise LookupError(f"there is no credential {credential_id}")
        return self._open(row)

    async def note_refresh_started(self, credential_id: CredentialId, at: datetime) -> None:
        """Remember that a refresh is about to be sent, so that a lost answer is known for what it is."""
        await self._change(credential_id, refresh_started_at=at)

    async def save_pair(self, credential_id: CredentialId, pair: TokenPair) -> None:
        """Replace a pair by the one that its refresh brought; it counts as obtained when that refresh was sent."""
        obtained_at = func.coalesce(credentials.c.refresh_started_at, credentials.c.obtained_at)
        await self._change(credential_id, **_fresh(self._vault, pair, obtained_at))

    async def mark_dead(self, credential_id: CredentialId, at: datetime) -> None:
        """Remember that Patreon no longer takes this pair."""
        await self._change(credential_id, dead_at=at)

    async def save_patron(self, patreon_user_id: PatreonUserId, pair: TokenPair, *, at: datetime) -> CredentialId:
        """Store the pair that a patron's consent brought, in place of an older one."""
        return await self._put(Kind.PATRON, patreon_user_id, pair, at=at)

    async def find_patron(self, patreon_user_id: PatreonUserId) -> StoredPair | None:
        """Return a patron's pair."""
        return await self._find(is_patron(patreon_user_id))

    async def patron_ended_at(self, patreon_user_id: PatreonUserId) -> datetime | None:
        """Return since when Patreon no longer takes a patron's pair; None while it does, and where there is none."""
        query = select(credentials.c.dead_at).where(is_patron(patreon_user_id))
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar()

    async def drop_patron(self, patreon_user_id: PatreonUserId) -> None:
        """Forget a patron's pair."""
        async with self._database.write() as connection:
            await connection.execute(delete(credentials).where(is_patron(patreon_user_id)))

    async def list_patrons(self, *, is_living: bool = True) -> tuple[tuple[PatreonUserId, CredentialId], ...]:
        """Return who has a living pair, or one that Patreon no longer takes, without opening any."""
        is_dead = credentials.c.dead_at.is_not(None)
        query = (
            select(credentials.c.subject, credentials.c.credential_id)
            .where(credentials.c.kind == Kind.PATRON, ~is_dead if is_living else is_dead)
            .order_by(credentials.c.credential_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple((PatreonUserId(row.subject), CredentialId(row.credential_id)) for row in rows)

    async def save_creator(self, subject: str, pair: TokenPair, *, at: datetime) -> CredentialId:
        """Store the pair that a creator's consent brought, in place of an older one."""
        return await self._put(Kind.CREATOR, subject, pair, at=at)

    async def find_creator(self, subject: str) -> StoredPair | None:
        """Return a creator's pair; the subject is their Patreon user, or SEED."""
        return await self._find(_is_creator(subject))

    async def has_pair(self, patreon_user_id: PatreonUserId) -> bool:
        """Tell whether this person gave us any consent, as a patron or as a creator."""
        query = select(credentials.c.credential_id).where(credentials.c.subject == patreon_user_id)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def is_consent(self, credential_id: CredentialId) -> bool:
        """Tell whether a pair is a creator's own consent, and lives."""
        query = select(credentials.c.credential_id).where(
            credentials.c.credential_id == credential_id,
            credentials.c.kind == Kind.CREATOR,
            credentials.c.subject != SEED,
            credentials.c.dead_at.is_(None),
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def drop_unused(self, credential_id: CredentialId) -> PatreonUserId | None:
        """Forget a creator's pair, unless a guild still reads by it or it is that of the settings; return whose."""
        in_use = select(bindings.c.guild_id).where(bindings.c.credential_id == credential_id).exists()
        statement = delete(credentials).where(
            credentials.c.credential_id == credential_id,
            credentials.c.kind == Kind.CREATOR,
            credentials.c.subject != SEED,
            ~in_use,
        )
        async with self._database.write() as connection:
            return (await connection.execute(statement.returning(credentials.c.subject))).scalar()

    async def ensure_seed(self, pair: TokenPair, fingerprint: str, *, at: datetime) -> StoredPair:
        """Return the pair that descends from this seed, or take the seed itself where it is a new one."""
        query = select(credentials.c.seed_fingerprint).where(_is_creator(SEED))
        async with self._database.write() as connection:
            if (await connection.execute(query)).scalar() != fingerprint:
                credential_id = await put_pair(connection, Kind.CREATOR, SEED, _fresh(self._vault, pair, at))
                statement = update(credentials).where(credentials.c.credential_id == credential_id)
                await connection.execute(statement.values(seed_fingerprint=fingerprint))
            row = (await connection.execute(select(credentials).where(_is_creator(SEED)))).one()
        return self._open(row)

    async def find_seed(self, fingerprint: str) -> StoredPair | None:
        """Return the pair that descends from this seed, without taking the seed in."""
        return await self._find(and_(_is_creator(SEED), credentials.c.seed_fingerprint == fingerprint))

    async def oldest_ages(self) -> dict[Kind, datetime]:
        """Return when the oldest living pair of each kind was obtained."""
        query = (
            select(credentials.c.kind, func.min(credentials.c.obtained_at).label("oldest"))
            .where(credentials.c.dead_at.is_(None))
            .group_by(credentials.c.kind)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {Kind(row.kind): row.oldest for row in rows}

    async def _put(self, kind: Kind, subject: str, pair: TokenPair, *, at: datetime) -> CredentialId:
        async with self._database.write() as connection:
            return await put_pair(connection, kind, subject, _fresh(self._vault, pair, at))

    async def _change(self, credential_id: CredentialId, **columns: Any) -> None:
        statement = update(credentials).where(credentials.c.credential_id == credential_id).values(columns)
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def _find(self, condition: ColumnElement[bool]) -> StoredPair | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(credentials).where(condition))).first()
        return None if row is None else self._open(row)

    def _open(self, row: Row[Any]) -> StoredPair:
        return StoredPair(
            credential_id=CredentialId(row.credential_id),
            pair=open_pair(self._vault, row.pair_sealed, scopes=row.scopes, expires_at=row.expires_at),
            obtained_at=row.obtained_at,
            refresh_started_at=row.refresh_started_at,
            dead_at=row.dead_at,
        )


def is_patron(patreon_user_id: PatreonUserId) -> ColumnElement[bool]:
    """Select a patron's own pair."""
    return and_(credentials.c.kind == Kind.PATRON, credentials.c.subject == patreon_user_id)


async def put_patron(
    connection: AsyncConnection, vault: Vault, patreon_user_id: PatreonUserId, *, pair: TokenPair, at: datetime
) -> None:
    """Store a patron's pair inside a transaction that the caller began."""
    await put_pair(connection, Kind.PATRON, patreon_user_id, _fresh(vault, pair, at))


async def put_pair(connection: AsyncConnection, kind: Kind, subject: str, columns: dict[str, Any]) -> CredentialId:
    """Store a pair inside a transaction that the caller began; an older one keeps its id."""
    replace = (
        update(credentials)
        .where(credentials.c.kind == kind, credentials.c.subject == subject)
        .values(columns)
        .returning(credentials.c.credential_id)
    )
    found = (await connection.execute(replace)).scalar()
    if found is None:
        add = insert(credentials).values(kind=kind, subject=subject, **columns).returning(credentials.c.credential_id)
        found = (await connection.execute(add)).scalar_one()
    return CredentialId(found)


def _is_creator(subject: str) -> ColumnElement[bool]:
    return and_(credentials.c.kind == Kind.CREATOR, credentials.c.subject == subject)


def _fresh(vault: Vault, pair: TokenPair, obtained_at: Any) -> dict[str, Any]:
    return {
        "pair_sealed": seal_pair(vault, pair),
        "scopes": join_scopes(pair),
        "expires_at": pair.expires_at,
        "obtained_at": obtained_at,
        "refresh_started_at": None,
        "dead_at": None,
    }
