"""Token pairs, sealed: one for each Patreon user. Links, bindings, open questions and the settings refer to it.

Patreon keeps one living pair for each client and user, so the newest exchange wins, whichever is stored last. A pair to
which nothing refers is not needed: it is handed back (`linking/pairs.py`). The pair of the settings has no user
until it was used once.

Implements what `patreon/tokens.py` asks of a store. Decides nothing about when a pair is refreshed.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CampaignId, CredentialId, DiscordUserId, PatreonUserId, StoredPair, TokenPair
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.arrivals import AWAITED, ArrivalId, hold_back, take_held_back
from bot.storage.database import Database
from bot.storage.rows import join_scopes, open_pair, seal_pair
from bot.storage.states import UNANSWERED
from bot.storage.tables import arrivals, bindings, credentials, links, memberships, pendings
from bot.storage.vault import Vault


class FreshPair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair as a consent brought it."""

    pair: TokenPair
    asked_at: datetime  # before its exchange was sent
    arrival_id: ArrivalId | None = None  # where it has waited until now
    is_lesser: bool = False  # it may do less than the one that is stored


class LinkedPair(NamedTuple):
    """A linked patron's own pair."""

    patreon_user_id: PatreonUserId
    credential_id: CredentialId
    discord_user_id: DiscordUserId


# A pair finds its place within an hour or so (`linking/pairs.py`). One that seems to be asked for longer after it than
# that was asked for by a clock that has been set back since, and is older.
LATEST = timedelta(hours=2)

# Built once: to build a statement takes as long as to execute it, and each page of a read asks for this one.
_BY_ID = select(credentials).where(credentials.c.credential_id == bindparam("id"))


class Credentials(Aggregate):
    """Every token pair."""

    def __init__(self, database: Database, vault: Vault) -> None:
        super().__init__(database)
        self._vault = vault

    # --- what the keeper asks for

    async def load(self, credential_id: CredentialId) -> StoredPair:
        """Return a pair by its id; LookupError where it was dropped meanwhile."""
        async with self._database.read() as connection:
            row = (await connection.execute(_BY_ID, {"id": credential_id})).first()
        if row is None:
            raise LookupError(f"there is no credential {credential_id}")
        return self._open(row)

    async def note_refresh_started(self, seen: StoredPair, at: datetime) -> None:
        """Remember that a refresh is about to be sent, so that a lost answer is known for what it is."""
        await self._change(seen, refresh_started_at=at)

    async def note_refused(self, seen: StoredPair, at: datetime) -> None:
        """Remember that Patreon refused to refresh this pair, and did not say that it is dead."""
        await self._change(seen, credentials.c.refused_at.is_(None), refused_at=at)

    async def save_pair(self, seen: StoredPair, pair: TokenPair) -> None:
        """Replace a pair by the one that its refresh brought, unless a newer consent did so already.

        It counts as obtained when that refresh was sent.
        """
        obtained_at = func.coalesce(credentials.c.refresh_started_at, credentials.c.obtained_at)
        await self._change(seen, **_fresh(self._vault, pair, obtained_at), version=credentials.c.version + 1)

    @transaction
    async def mark_dead(self, connection: AsyncConnection, seen: StoredPair, at: datetime) -> bool:
        """Remember that Patreon no longer takes this pair.

        False, and it is not, where another pair takes its place: one that waited for its end, or one that may come of a
        consent whose giver is not known yet.
        """
        row = (await connection.execute(select(credentials).where(_is_still(seen)))).first()
        if row is None:
            return False
        held = None if row.patreon_user_id is None else await take_held_back(connection, row.patreon_user_id)
        if held is not None:
            values = held | {"obtained_at": held["consented_at"], "opens_campaigns": False, **_UNUSED}
            values["version"] = credentials.c.version + 1
            await connection.execute(update(credentials).where(_is_still(seen)).values(values))
            return False
        if (await connection.execute(AWAITED)).first() is not None:
            return False
        await connection.execute(update(credentials).where(_is_still(seen)).values(dead_at=at))
        return True

    # --- what consents bring

    @transaction
    async def renew(
        self,
        connection: AsyncConnection,
        patreon_user_id: PatreonUserId,
        pair: TokenPair,
        *,
        at: datetime,
        arrival_id: ArrivalId,
        is_lesser: bool,
    ) -> bool:
        """Let a fresh pair take the place of the one that is stored for this person; False where there is none."""
        find = select(credentials.c.credential_id).where(credentials.c.patreon_user_id == patreon_user_id)
        if (await connection.execute(find)).first() is None:
            return False
        fresh = FreshPair(pair=pair, asked_at=at, arrival_id=arrival_id, is_lesser=is_lesser)
        await settle(connection, self._vault, patreon_user_id, fresh)
        return True

    async def find_user(self, patreon_user_id: PatreonUserId) -> StoredPair | None:
        """Return the pair of a person, whatever it is used for."""
        return await self._find(credentials.c.patreon_user_id == patreon_user_id)

    async def is_reader(self, credential_id: CredentialId) -> bool:
        """Tell whether a pair reads campaigns, or should: a guild's, or that of the settings."""
        query = select(credentials.c.credential_id).where(
            credentials.c.credential_id == credential_id, reads_campaigns()
        )
        return await self._exists(query)

    async def is_living(self, credential_id: CredentialId) -> bool:
        """Tell whether a pair is there, and lives."""
        return await self._exists(
            select(credentials.c.credential_id).where(
                credentials.c.credential_id == credential_id, credentials.c.dead_at.is_(None)
            )
        )

    # --- patrons

    async def find_patron(self, patreon_user_id: PatreonUserId) -> StoredPair | None:
        """Return the pair of a patron who gave it with their link."""
        return await self._find(_is_patron(patreon_user_id))

    async def patron_ended_at(self, patreon_user_id: PatreonUserId) -> datetime | None:
        """Return since when Patreon refuses a patron's pair, or its refresh; None while it does not."""
        ended_at = func.coalesce(credentials.c.refused_at, credentials.c.dead_at)  # the earlier
        async with self._database.read() as connection:
            found: datetime | None = (
                await connection.execute(select(ended_at).where(_is_patron(patreon_user_id)))
            ).scalar()
        return found

    async def list_patrons(self, campaign_id: CampaignId | None = None) -> tuple[LinkedPair, ...]:
        """Return the linked patrons who have a living pair, in a campaign or anywhere, without opening any."""
        return await self._list_patrons(credentials.c.dead_at.is_(None), campaign_id)

    async def list_ended(self, campaign_id: CampaignId | None = None) -> tuple[LinkedPair, ...]:
        """Return those whose pair, or its refresh, Patreon refuses."""
        is_refused = or_(credentials.c.dead_at.is_not(None), credentials.c.refused_at.is_not(None))
        return await self._list_patrons(is_refused, campaign_id)

    # --- what nobody needs

    async def list_unneeded(self) -> tuple[CredentialId, ...]:
        """Return the pairs to which nothing refers; none while somebody's fresh pair waits to be known whose it is.

        It may be the same person's, and to hand the old one back ends the fresh one too.
        """
        query = select(credentials.c.credential_id).where(~_is_needed(), ~AWAITED.exists())
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(CredentialId(row.credential_id) for row in rows)

    async def find_unneeded(self, credential_id: CredentialId) -> StoredPair | None:
        """Return a pair, unless something refers to it by now."""
        return await self._find(and_(credentials.c.credential_id == credential_id, ~_is_needed()))

    @transaction
    async def drop_unneeded(self, connection: AsyncConnection, credential_id: CredentialId) -> bool:
        """Forget a pair, unless something refers to it by now; with it what waits for its end."""
        statement = (
            delete(credentials)
            .where(credentials.c.credential_id == credential_id, ~_is_needed())
            .returning(credentials.c.patreon_user_id)
        )
        row = (await connection.execute(statement)).first()
        if row is not None and row.patreon_user_id is not None:
            await take_held_back(connection, row.patreon_user_id)
        return row is not None

    async def has_nameless(self) -> bool:
        """Tell whether the pair of the settings lives and nobody knows yet whose it is."""
        nameless = and_(credentials.c.patreon_user_id.is_(None), credentials.c.dead_at.is_(None))
        return await self._exists(select(credentials.c.credential_id).where(nameless))

    # --- the pair of the settings

    @transaction
    async def ensure_seed(
        self, connection: AsyncConnection, pair: TokenPair, fingerprint: str, *, at: datetime
    ) -> StoredPair:
        """Return the pair that stands for this seed, or take the seed itself where it is a new one."""
        row = (await connection.execute(select(credentials).where(_stands_for(fingerprint)))).first()
        if row is None:
            others = credentials.c.seed_fingerprint.is_not(None)
            await connection.execute(update(credentials).where(others).values(seed_fingerprint=None))
            values = _fresh(self._vault, pair, at) | {"consented_at": at, "seed_fingerprint": fingerprint}
            await _put(connection, credentials.c.patreon_user_id.is_(None), {"patreon_user_id": None}, values)
            row = (await connection.execute(select(credentials).where(_stands_for(fingerprint)))).one()
        return self._open(row)

    async def find_seed(self, fingerprint: str | None = None) -> StoredPair | None:
        """Return the pair that stands for this seed (None: for that of the settings), without taking the seed in."""
        has_one = credentials.c.seed_fingerprint.is_not(None)
        return await self._find(has_one if fingerprint is None else _stands_for(fingerprint))

    async def owner_of(self, credential_id: CredentialId) -> PatreonUserId | None:
        """Return whose pair this is; None where nobody knows yet."""
        query = select(credentials.c.patreon_user_id).where(credentials.c.credential_id == credential_id)
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar()
        return None if found is None else PatreonUserId(found)

    @transaction
    async def name_seed(
        self, connection: AsyncConnection, credential_id: CredentialId, patreon_user_id: PatreonUserId, *, at: datetime
    ) -> CredentialId:
        """Learn whose the pair of the settings is, and return the id of that person's one pair from here on.

        `at`: before Patreon was asked with it. Patreon took it then, unless it is dead, so any pair that this person's
        consent brought before is not the living one.
        """
        seed = (await connection.execute(_BY_ID, {"id": credential_id})).first()
        find = select(credentials).where(credentials.c.patreon_user_id == patreon_user_id)
        other = (await connection.execute(find)).first()
        if seed is None or seed.patreon_user_id is not None:
            return credential_id
        if other is None:
            kept, gone = seed, None
        elif seed.dead_at is None and (not at < other.consented_at <= at + LATEST or other.dead_at is not None):
            kept, gone = seed, other
        else:
            kept, gone = other, seed
        if gone is not None:
            await _replace(connection, gone.credential_id, kept.credential_id)
        named = {"patreon_user_id": patreon_user_id, "seed_fingerprint": seed.seed_fingerprint}
        statement = update(credentials).where(credentials.c.credential_id == kept.credential_id)
        await connection.execute(statement.values(named))
        return CredentialId(kept.credential_id)

    # --- in short

    async def _list_patrons(
        self, condition: ColumnElement[bool], campaign_id: CampaignId | None
    ) -> tuple[LinkedPair, ...]:
        query = (
            select(links.c.patreon_user_id, credentials.c.credential_id, links.c.discord_user_id)
            .join(credentials, credentials.c.credential_id == links.c.credential_id)
            .where(condition)
            .order_by(credentials.c.credential_id)
        )
        if campaign_id is not None:
            known = select(memberships.c.patreon_user_id).where(memberships.c.campaign_id == campaign_id)
            query = query.where(links.c.patreon_user_id.in_(known))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(LinkedPair(*row) for row in rows)

    @transaction
    async def _change(
        self, connection: AsyncConnection, /, seen: StoredPair, *where: ColumnElement[bool], **columns: Any
    ) -> None:
        await connection.execute(update(credentials).where(_is_still(seen), *where).values(columns))

    async def _exists(self, query: Any) -> bool:
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def _find(self, condition: ColumnElement[bool]) -> StoredPair | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(credentials).where(condition))).first()
        return None if row is None else self._open(row)

    def _open(self, row: Row[Any]) -> StoredPair:
        return StoredPair(
            credential_id=CredentialId(row.credential_id),
            pair=open_pair(self._vault, row.pair_sealed, scopes=row.scopes, expires_at=row.expires_at),
            version=row.version,
            consented_at=row.consented_at,
            obtained_at=row.obtained_at,
            refresh_started_at=row.refresh_started_at,
            dead_at=row.dead_at,
        )


async def settle(
    connection: AsyncConnection, vault: Vault, patreon_user_id: PatreonUserId, fresh: FreshPair
) -> CredentialId:
    """Give a fresh pair its place inside a transaction that the caller began, and end its waiting.

    One that may do less than the stored one is held back until that one is refused.
    """
    if fresh.is_lesser and fresh.arrival_id is not None:
        query = select(credentials.c.credential_id).where(
            credentials.c.patreon_user_id == patreon_user_id, credentials.c.dead_at.is_(None)
        )
        found = (await connection.execute(query)).scalar()
        if found is not None:
            await hold_back(connection, fresh.arrival_id, patreon_user_id)
            return CredentialId(found)
    kept = await put_pair(connection, vault, patreon_user_id, fresh)
    if fresh.arrival_id is not None:
        await connection.execute(delete(arrivals).where(arrivals.c.arrival_id == fresh.arrival_id))
    return kept


async def put_pair(
    connection: AsyncConnection, vault: Vault, patreon_user_id: PatreonUserId, fresh: FreshPair
) -> CredentialId:
    """Store a person's pair in a transaction that the caller began: an older one keeps its id, a newer one stays."""
    is_theirs, at = credentials.c.patreon_user_id == patreon_user_id, fresh.asked_at
    is_newer = (credentials.c.consented_at > at, credentials.c.consented_at <= at + LATEST)
    newer = select(credentials.c.credential_id).where(is_theirs, *is_newer)
    found = (await connection.execute(newer)).scalar()
    if found is not None:
        return CredentialId(found)
    await take_held_back(connection, patreon_user_id)  # older than this one
    values = _fresh(vault, fresh.pair, at) | {"consented_at": at, "opens_campaigns": not fresh.is_lesser}
    return await _put(connection, is_theirs, {"patreon_user_id": patreon_user_id}, values)


async def _put(
    connection: AsyncConnection, where: ColumnElement[bool], key: dict[str, Any], values: dict[str, Any]
) -> CredentialId:
    replace = update(credentials).where(where).values(values | {"version": credentials.c.version + 1})
    found = (await connection.execute(replace.returning(credentials.c.credential_id))).scalar()
    if found is None:
        row = {"opens_campaigns": True, **key, **values, "version": 1}
        add = insert(credentials).values(row).returning(credentials.c.credential_id)
        found = (await connection.execute(add)).scalar_one()
    return CredentialId(found)


async def _replace(connection: AsyncConnection, gone: int, kept: int) -> None:
    """Let all that refers to one row refer to another, and drop it."""
    for table in (links, bindings, pendings):
        refers = update(table).where(table.c.credential_id == gone)
        await connection.execute(refers.values(credential_id=kept))
    await connection.execute(delete(credentials).where(credentials.c.credential_id == gone))


def _is_still(seen: StoredPair) -> ColumnElement[bool]:
    """Select a pair as it was seen: no other one has taken its place."""
    return and_(credentials.c.credential_id == seen.credential_id, credentials.c.version == seen.version)


def _is_patron(patreon_user_id: PatreonUserId) -> ColumnElement[bool]:
    linked = select(links.c.credential_id).where(links.c.patreon_user_id == patreon_user_id)
    return credentials.c.credential_id.in_(linked)


def _stands_for(fingerprint: str) -> ColumnElement[bool]:
    return credentials.c.seed_fingerprint == fingerprint


def has_link() -> ColumnElement[bool]:
    """Select the pairs that a patron's link rests on."""
    return select(links.c.discord_user_id).where(links.c.credential_id == credentials.c.credential_id).exists()


def reads_campaigns() -> ColumnElement[bool]:
    """Select the pairs that read campaigns, or should: a guild's, and that of the settings."""
    bound = select(bindings.c.guild_id).where(bindings.c.credential_id == credentials.c.credential_id).exists()
    return or_(credentials.c.seed_fingerprint.is_not(None), bound)


def _is_needed() -> ColumnElement[bool]:
    asked = select(pendings.c.pending_id).where(
        pendings.c.credential_id == credentials.c.credential_id, pendings.c.status == UNANSWERED
    )
    return or_(reads_campaigns(), has_link(), asked.exists())


_UNUSED = {"refresh_started_at": None, "refused_at": None, "dead_at": None}


def _fresh(vault: Vault, pair: TokenPair, obtained_at: Any) -> dict[str, Any]:
    return {
        "pair_sealed": seal_pair(vault, pair),
        "scopes": join_scopes(pair),
        "expires_at": pair.expires_at,
        "obtained_at": obtained_at,
        **_UNUSED,
    }
