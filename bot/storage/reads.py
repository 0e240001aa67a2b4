"""Reads of a campaign: when each began, how it ended, whether it was believed, and in pages of which size.

The verdict is the caller's. So is it whether a believed read says the same as the one before it: then its row stands
for both, and for all that the older row stood for, from `first_read_id` to its own number; and the older row goes with
the next purge. What was believed, since when and by which list is what it would be with a row for each, for only the
newest of them is ever asked for. Whoever refers to a read, as the audit does, means the newest row of its campaign
whose numbers hold that of the read.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, PageSize, ReadId, Source
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.due import make_everyone_due, make_unlisted_due
from bot.storage.leases import Lease, require
from bot.storage.rows import columns_of, to_json
from bot.storage.tables import bindings, campaigns, page_sizes, reads
from bot.storage.upsert import Upsert


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One read. `finished_at` is None while it is under way, and for ever where a crash ended it."""

    read_id: ReadId
    campaign_id: CampaignId
    kind: Source
    started_at: datetime
    finished_at: datetime | None = None
    is_complete: bool = False
    is_believed: bool = False
    is_attributed: bool | None = None
    anomalies: tuple[str, ...] = ()
    summary: dict[str, Any] = {}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole lists of a campaign prove: who was seen on the one, and whom the other did not show."""

    believed_at: datetime  # when the newest believed list was asked for
    proven_at: datetime | None  # ... the newest that proves absence: each of its rows was somebody's


_MINE = reads.alias("mine")
_BEGAN = (
    select(_MINE.c.started_at)
    .where(_MINE.c.campaign_id == campaigns.c.campaign_id, _MINE.c.is_believed)
    .order_by(_MINE.c.read_id.desc())
    .limit(1)
)

# Built once: to build a statement takes as long as to execute it, and every plan rests on this one.
_LISTINGS = select(
    campaigns.c.campaign_id,
    _BEGAN.scalar_subquery().label("believed_at"),
    _BEGAN.where(_MINE.c.is_attributed).scalar_subquery().label("proven_at"),
).where(campaigns.c.campaign_id.in_(bindparam("campaigns", expanding=True)))


_FIRST, _BETWEEN = reads.alias("first"), reads.alias("between")
_CAME_BETWEEN = select(_BETWEEN.c.read_id).where(
    _BETWEEN.c.campaign_id == _FIRST.c.campaign_id,
    _BETWEEN.c.read_id > bindparam("continues"),
    _BETWEEN.c.read_id < bindparam("finished"),
)


def _of_first(column: ColumnElement[Any], else_column: ColumnElement[Any]) -> ScalarSelect[Any]:
    found = select(func.coalesce(column, else_column)).where(_FIRST.c.read_id == bindparam("continues"))
    return found.where(~_CAME_BETWEEN.exists()).scalar_subquery()


_START = insert(reads).values(anomalies="[]", summary="{}").returning(reads.c.read_id)
_VERDICT = ("finished_at", "is_complete", "is_believed", "is_attributed", "anomalies", "summary")
_FINISH = update(reads).where(reads.c.read_id == bindparam("finished")).returning(reads)
_FINISH = _FINISH.values({name: bindparam(name) for name in _VERDICT})
_FINISH_LIKE = _FINISH.values(
    first_read_id=_of_first(_FIRST.c.first_read_id, _FIRST.c.read_id),
    first_started_at=_of_first(_FIRST.c.first_started_at, _FIRST.c.started_at),
)


class Reads(Aggregate):
    """Every read."""

    async def start(self, campaign_id: CampaignId, at: datetime, kind: Source = Source.BULK) -> ReadId:
        """Note that a read begins."""
        row = {"campaign_id": campaign_id, "kind": kind, "started_at": at, "is_complete": False, "is_believed": False}
        begun = await self._database.execute(_START, row)  # nothing of a read under way is kept
        assert begun is not None  # noqa: S101  an INSERT that returns what it made
        return ReadId(begun.read_id)

    async def finish(  # the verdict of a read, word by word
        self,
        read_id: ReadId,
        *,
        at: datetime,
        is_complete: bool,
        is_believed: bool,
        is_attributed: bool,
        anomalies: tuple[str, ...] = (),
        summary: dict[str, Any] | None = None,
        continues: ReadId | None = None,
        under: Lease | None = None,
    ) -> None:
        """Note how a read ended; LeaseLost where `under` is somebody else's by now.

        `continues` is the believed read before it, where this one says the same. It stands for itself alone where
        another read began between the two.
        """
        columns = {
            "finished": read_id,
            "finished_at": at,
            "is_complete": is_complete,
            "is_believed": is_believed,
            "is_attributed": is_attributed,
            "anomalies": to_json(anomalies),
            "summary": to_json(summary or {}),
        }
        statement = _FINISH
        if continues is not None:
            statement, columns["continues"] = _FINISH_LIKE, continues
        if under is None:
            row = await self._database.execute(statement, columns)
        else:
            row = await self._finish_under(under, statement, columns)
        if row is None:  # the campaign was forgotten meanwhile
            return
        self.kept.drop(row.campaign_id, ("last", row.campaign_id), ("since", row.campaign_id))
        if is_believed:  # nearly always, and the next read asks for both
            self.kept.put(("last", row.campaign_id), _read(row))
            self.kept.put(("since", row.campaign_id), ())

    @transaction
    async def _finish_under(
        self, connection: AsyncConnection, under: Lease, statement: ReturningUpdate[Any], columns: dict[str, Any]
    ) -> Row[Any] | None:
        """Store it, with whom it is the first to prove absent: whoever reads here need not be the one who plans."""
        await require(connection, under)
        row: Row[Any] | None = (await connection.execute(statement, columns)).first()
        if row is not None and row.is_believed and row.is_attributed:
            before = reads.c.is_believed & reads.c.is_attributed & (reads.c.read_id < row.read_id)
            proven = select(func.max(reads.c.started_at)).where(reads.c.campaign_id == row.campaign_id, before)
            since = (await connection.execute(proven)).scalar()
            await make_unlisted_due(connection, row.campaign_id, linked_since=since, trigger=Trigger.INTERVAL)
        return row

    async def newest_starts(self, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, datetime]:
        """Return when the newest read of each of these campaigns began, without those that were never read."""
        query = select(reads.c.campaign_id, func.max(reads.c.started_at)).where(reads.c.campaign_id.in_(campaign_ids))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.group_by(reads.c.campaign_id))).all()
        return {CampaignId(campaign_id): started_at for campaign_id, started_at in rows}

    @transaction
    async def believe(self, connection: AsyncConnection, read_id: ReadId) -> None:
        """Believe a read after all, on an admin's word or because later ones agree."""
        believe = update(reads).where(reads.c.read_id == read_id).values(is_believed=True)
        campaign_id = (await connection.execute(believe.returning(reads.c.campaign_id))).scalar()
        followers = select(bindings.c.guild_id).where(bindings.c.campaign_id == campaign_id)
        guild_ids = (await connection.execute(followers)).scalars().all()
        await make_everyone_due(connection, guild_ids, trigger=Trigger.BELIEVE)

    async def last_believed(self, campaign_id: CampaignId) -> Read | None:
        """Return the newest believed read."""
        return await self.kept.get(("last", campaign_id), lambda: self._last_believed(campaign_id))

    async def _last_believed(self, campaign_id: CampaignId) -> Read | None:
        query = _newest_first(campaign_id).where(reads.c.is_believed).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _read(row)

    async def listings(self, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, Listing]:
        """Return what the lists of several campaigns prove, without those of which no list was believed."""
        found = await self.kept.get_all(campaign_ids, self._listings)
        return {campaign_id: listing for campaign_id, listing in found.items() if listing is not None}

    async def _listings(self, campaign_ids: list[CampaignId]) -> dict[CampaignId, Listing | None]:
        async with self._database.read() as connection:
            rows = (await connection.execute(_LISTINGS, {"campaigns": campaign_ids})).all()
        found = {
            CampaignId(row.campaign_id): Listing(believed_at=row.believed_at, proven_at=row.proven_at)
            for row in rows
            if row.believed_at is not None
        }
        return {campaign_id: found.get(campaign_id) for campaign_id in campaign_ids}

    async def find_begun(self, campaign_id: CampaignId, moment: datetime) -> ReadId | None:
        """Return the newest read that had begun by then, or whose row stands for one that had."""
        began = func.coalesce(reads.c.first_started_at, reads.c.started_at)
        query = select(reads.c.read_id).where(reads.c.campaign_id == campaign_id, began <= moment)
        async with self._database.read() as connection:
            found = (await connection.execute(query.order_by(reads.c.read_id.desc()).limit(1))).scalar()
        return None if found is None else ReadId(found)

    async def since_believed(self, campaign_id: CampaignId) -> tuple[Read, ...]:
        """Return the finished reads after the newest believed one, the oldest first."""
        return await self.kept.get(("since", campaign_id), lambda: self._since_believed(campaign_id))

    async def _since_believed(self, campaign_id: CampaignId) -> tuple[Read, ...]:
        believed = await self.last_believed(campaign_id)
        query = _newest_first(campaign_id).where(reads.c.finished_at.is_not(None))
        if believed is not None:
            query = query.where(reads.c.read_id > believed.read_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(_read(row) for row in reversed(rows))

    async def page_size(self, campaign_id: CampaignId) -> PageSize | None:
        """Return what is known of a campaign whose list does not come in pages of the largest size."""
        return await self.kept.get(("page", campaign_id), lambda: self._page_size(campaign_id))

    async def _page_size(self, campaign_id: CampaignId) -> PageSize | None:
        async with self._database.read() as connection:
            query = select(page_sizes.c.rows, page_sizes.c.blamed_at).where(page_sizes.c.campaign_id == campaign_id)
            row = (await connection.execute(query)).first()
        return None if row is None else PageSize(rows=row.rows, blamed_at=row.blamed_at)

    @transaction
    async def save_page_size(self, connection: AsyncConnection, campaign_id: CampaignId, size: PageSize | None) -> None:
        """Remember how large a campaign's pages may be; None: of the largest size."""
        if size is None:
            await connection.execute(delete(page_sizes).where(page_sizes.c.campaign_id == campaign_id))
        else:
            row = {"campaign_id": campaign_id, "rows": size.rows, "blamed_at": size.blamed_at}
            await connection.execute(Upsert(page_sizes).on(connection), row)

    @transaction
    async def forget_campaign(self, connection: AsyncConnection, campaign_id: CampaignId) -> None:
        """Forget every read of a campaign: nothing is to be compared with them any more."""
        for table in (reads, page_sizes):
            await connection.execute(delete(table).where(table.c.campaign_id == campaign_id))

    @transaction
    async def purge(self, connection: AsyncConnection, before: datetime) -> None:
        """Forget the reads of before a moment, all but each campaign's newest believed and newest proving one.

        Those for which the row of a later one stands go, too, however young they are.
        """
        newer = reads.alias("newer")
        is_newer = and_(
            newer.c.campaign_id == reads.c.campaign_id, newer.c.is_believed, newer.c.read_id > reads.c.read_id
        )
        believed = select(newer.c.read_id).where(is_newer)
        proving = believed.where(newer.c.is_attributed)
        is_newest = or_(~believed.exists(), and_(reads.c.is_attributed, ~proving.exists()))
        is_old = and_(reads.c.started_at < before, ~and_(reads.c.is_believed, is_newest))
        is_continued = select(newer.c.read_id).where(is_newer, newer.c.first_read_id <= reads.c.read_id).exists()
        statement = delete(reads).where(or_(is_old, is_continued))
        await connection.execute(statement)


def _newest_first(campaign_id: CampaignId) -> Select[Any]:
    return select(reads).where(reads.c.campaign_id == campaign_id).order_by(reads.c.read_id.desc())


def _read(row: Row[Any]) -> Read:
    columns = columns_of(row)
    for name in ("anomalies", "summary"):
        columns[name] = msgspec.json.decode(columns[name])
    return msgspec.convert(columns, Read)
