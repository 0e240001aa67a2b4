"""Pending links: Patreon said yes, and the person has not yet confirmed that it was they who asked.

Whether a pending link may be confirmed is the caller's to judge (expiry, the form's token); that only one of two
confirmations wins is the work of `Links.complete_link`.
"""

import enum
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NewType

import msgspec
from sqlalchemy import ColumnElement, Row, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit_entry import AuditEntry
from bot.domain.consent import Purpose
from bot.domain.model import Campaign, CredentialId, DiscordUserId, Identity, Link, PatreonUserId, TokenPair
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.arrivals import ArrivalId
from bot.storage.audit import write_entries
from bot.storage.bell import ring
from bot.storage.campaigns import Binding, Campaigns, put_binding
from bot.storage.credentials import FreshPair, settle
from bot.storage.database import Database
from bot.storage.leases import DatabaseClock
from bot.storage.rows import columns_of, read_rows, to_json
from bot.storage.states import State, StateId, States, note_landing
from bot.storage.tables import pendings, states
from bot.storage.tables.column_types import MICROSECOND
from bot.storage.vault import Vault

PendingId = NewType("PendingId", int)
RUNG = "pendings"  # the word by which other processes are told that something follows a Yes
CONFIRMED_KEPT = timedelta(hours=1)  # so that a reload still shows what came of it


class PendingStatus(enum.StrEnum):
    """How far a pending link has come. A declined one is deleted."""

    PENDING = "pending"
    CONFIRMED = "confirmed"


class PendingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pending link as the callback makes it."""

    state_id: StateId
    cookie_digest: str
    identity: Identity  # memberships of bound campaigns only
    campaigns: tuple[Campaign, ...] = ()  # the creator's own, where one is to be connected
    pair: TokenPair
    arrival_id: ArrivalId | None = None  # where the pair has waited until now
    is_lesser: bool = False  # it may do less than the one that is stored
    landing: str  # JSON: what came of Patreon's answer, for the state
    created_at: datetime  # before the exchange was sent
    expires_at: datetime


class TooLate(Exception):
    """It was decided otherwise what comes of an answer, before its question could be asked."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A pending link as it is stored, with the question that it answers."""

    pending_id: PendingId
    state: State
    cookie_digest: str
    identity: Identity
    campaigns: tuple[Campaign, ...]
    credential_id: CredentialId | None  # their pair; needed while the question is open
    status: PendingStatus
    result: str | None  # JSON: what the result page says
    replaced: tuple[Link, ...]  # the links that had to give way to it, until their holders were told
    created_at: datetime
    expires_at: datetime


class ExpiredPending(msgspec.Struct, frozen=True, kw_only=True):
    """A question that nobody answered: worth a line in the security log."""

    pending_id: PendingId
    discord_user_id: DiscordUserId
    username: str
    patreon_user_id: PatreonUserId
    purpose: Purpose


class Pendings(Aggregate):
    """Every pending link of the last minutes."""

    def __init__(self, database: Database, vault: Vault, states: States, campaigns: Campaigns) -> None:
        super().__init__(database)
        self._vault = vault
        self._states = states
        self._campaigns = campaigns

    @transaction
    async def create(self, connection: AsyncConnection, asked: PendingRow) -> PendingId:
        """Store a pending link, that Patreon's answer led to it, and its tokens where this person's pair is kept.

        Raises TooLate, and stores nothing, where that answer was given up, or a newer question took the place.
        """
        person = asked.identity.patreon_user_id
        row: dict[str, object] = {
            "state_id": asked.state_id,
            "cookie_digest": asked.cookie_digest,
            "patreon_user_id": person,
            "identity": to_json(asked.identity),
            "campaigns": to_json(asked.campaigns),
            "status": PendingStatus.PENDING,
            "created_at": asked.created_at,
            "expires_at": asked.expires_at,
        }
        fresh = FreshPair(
            pair=asked.pair, asked_at=asked.created_at, arrival_id=asked.arrival_id, is_lesser=asked.is_lesser
        )
        if not await note_landing(connection, asked.state_id, asked.landing):
            raise TooLate
        row["credential_id"] = await settle(connection, self._vault, person, fresh)
        add = insert(pendings).values(row).returning(pendings.c.pending_id)
        return PendingId((await connection.execute(add)).scalar_one())

    async def find(self, cookie_digest: str, purpose: Purpose = Purpose.LINK) -> Pending | None:
        """Return the pending question of a browser, expired or not; one never serves for another purpose."""
        found = await self._list(pendings.c.cookie_digest == cookie_digest, states.c.purpose == purpose)
        return next(iter(found), None)

    async def confirm(
        self,
        pending_id: PendingId,
        result: str,
        *,
        bindings: Collection[Binding] = (),
        entries: Sequence[AuditEntry] = (),
    ) -> bool:
        """Note that it was answered "Yes", with what guilds follow by that and what came of it: all, or nothing.

        What follows is still to be done. False, and nothing is stored, where it was answered already. The entries are
        of one guild.
        """
        try:
            return await self._confirm(pending_id, result, bindings, entries)
        finally:
            self._campaigns.kept.forget()

    @transaction
    async def _confirm(
        self,
        connection: AsyncConnection,
        pending_id: PendingId,
        result: str,
        bindings: Collection[Binding],
        entries: Sequence[AuditEntry],
    ) -> bool:
        values = {"status": PendingStatus.CONFIRMED, "result": result, "replaced": "[]"}
        mine = (pendings.c.pending_id == pending_id, pendings.c.status == PendingStatus.PENDING)
        if not (await connection.execute(update(pendings).where(*mine).values(values))).rowcount:
            return False
        for binding in bindings:
            await put_binding(connection, binding)
        if entries:
            await write_entries(connection, entries)
        return True

    @transaction
    async def save_result(self, connection: AsyncConnection, pending_id: PendingId, result: str) -> None:
        """Store what the result page says."""
        await connection.execute(update(pendings).where(pendings.c.pending_id == pending_id).values(result=result))

    @transaction
    async def end(self, connection: AsyncConnection, pending_id: PendingId) -> None:
        """Note that all that follows a confirmation is done."""
        await connection.execute(update(pendings).where(pendings.c.pending_id == pending_id).values(replaced=None))

    async def list_unended(self) -> tuple[Pending, ...]:
        """Return the confirmed links after which something is still to be done, and that nobody is at."""
        return await self._list(pendings.c.replaced.is_not(None), _is_free())

    @transaction
    async def claim(self, connection: AsyncConnection, pending_id: PendingId, period: timedelta) -> bool:
        """Take what follows a confirmation upon us; False where all is done, or another process is at it."""
        statement = update(pendings).where(
            pendings.c.pending_id == pending_id, pendings.c.replaced.is_not(None), _is_free()
        )
        return (await connection.execute(statement.values(claimed_until=_after(period)))).rowcount > 0

    async def keep_claim(self, pending_id: PendingId, period: timedelta) -> None:
        """Let nobody else be at it for a period from now on."""
        statement = update(pendings).where(pendings.c.pending_id == pending_id)
        await self._database.execute(statement.values(claimed_until=_after(period)))

    async def ring(self) -> None:
        """Tell the other processes that something follows a Yes."""
        if self._database.is_shared:
            await ring(self._database, RUNG)

    async def find_unended(self, cookie_digest: str) -> Pending | None:
        """Return the confirmed link of a browser, where something is still to be done after it."""
        found = await self._list(pendings.c.replaced.is_not(None), pendings.c.cookie_digest == cookie_digest)
        return next(iter(found), None)

    @transaction
    async def delete(self, connection: AsyncConnection, pending_id: PendingId) -> bool:
        """Forget a question that was answered "No"; False where it is no longer open."""
        statement = delete(pendings).where(
            pendings.c.pending_id == pending_id, pendings.c.status == PendingStatus.PENDING
        )
        return (await connection.execute(statement)).rowcount > 0

    @transaction
    async def purge(self, connection: AsyncConnection, now: datetime) -> tuple[ExpiredPending, ...]:
        """Forget what has expired, confirmed ones an hour later; return the questions that nobody answered."""
        unanswered = (
            select(
                pendings.c.pending_id,
                pendings.c.patreon_user_id,
                states.c.discord_user_id,
                states.c.username,
                states.c.purpose,
            )
            .join(states)
            .where(pendings.c.expires_at <= now, pendings.c.status == PendingStatus.PENDING)
            .order_by(pendings.c.pending_id)
        )
        rows = (await connection.execute(unanswered)).all()
        is_unanswered = and_(pendings.c.expires_at <= now, pendings.c.status == PendingStatus.PENDING)
        is_read = and_(pendings.c.expires_at <= now - CONFIRMED_KEPT, pendings.c.replaced.is_(None))
        await connection.execute(delete(pendings).where(or_(is_unanswered, is_read)))
        return tuple(read_rows(rows, ExpiredPending))

    async def _list(self, *conditions: ColumnElement[bool]) -> tuple[Pending, ...]:
        async with self._database.read() as connection:
            rows = (await connection.execute(select(pendings, states).join(states).where(*conditions))).all()
        return tuple(self._read(row) for row in rows)

    def _read(self, row: Row[Any]) -> Pending:
        columns = columns_of(row, pendings)
        return Pending(
            pending_id=columns["pending_id"],
            state=self._states.read(row),
            cookie_digest=columns["cookie_digest"],
            identity=msgspec.json.decode(columns["identity"], type=Identity),
            campaigns=msgspec.json.decode(columns["campaigns"] or "[]", type=tuple[Campaign, ...]),
            credential_id=columns["credential_id"],
            status=PendingStatus(columns["status"]),
            result=columns["result"],
            replaced=msgspec.json.decode(columns["replaced"] or "[]", type=tuple[Link, ...]),
            created_at=columns["created_at"],
            expires_at=columns["expires_at"],
        )


def _is_free() -> ColumnElement[bool]:
    return or_(pendings.c.claimed_until.is_(None), pendings.c.claimed_until <= DatabaseClock())


def _after(period: timedelta) -> ColumnElement[int]:
    return DatabaseClock() + period // MICROSECOND
