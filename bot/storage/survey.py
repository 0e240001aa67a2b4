"""Counts and times of the whole database, for whoever runs the bot. Changes nothing, and opens nothing sealed."""

import json

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CampaignId
from bot.domain.status import CampaignStatus, LeaseStatus
from bot.storage.aggregate import Aggregate
from bot.storage.leases import DatabaseClock
from bot.storage.ledger import OPEN
from bot.storage.pendings import PendingStatus
from bot.storage.tables import campaigns, credentials, grants, holds, leases, links, pendings, reads
from bot.storage.tables.column_types import MICROSECOND


class Survey(Aggregate):
    """What is where, in numbers."""

    async def leases(self) -> tuple[LeaseStatus, ...]:
        """List the leases that somebody has now."""
        left = (leases.c.until - DatabaseClock()).label("left")
        query = select(leases, left).where(leases.c.until > DatabaseClock()).order_by(leases.c.name)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            LeaseStatus(
                name=row.name, owner=row.owner, fence=row.fence, seconds_left=(row.left * MICROSECOND).total_seconds()
            )
            for row in rows
        )

    async def campaigns(self) -> tuple[CampaignStatus, ...]:
        """Say of each campaign when it was last read, and whether that was believed."""
        async with self._database.read() as connection:
            known = (await connection.execute(select(campaigns.c.campaign_id).order_by(campaigns.c.campaign_id))).all()
            return tuple([await _campaign(connection, row.campaign_id) for row in known])

    async def count_credentials(self) -> tuple[int, int]:
        """Count those that live, and those that Patreon said are dead."""
        is_dead = credentials.c.dead_at.is_not(None)
        return await self._count(credentials, ~is_dead), await self._count(credentials, is_dead)

    async def count_links(self) -> int:
        """Count the links that have not ended."""
        return await self._count(links, links.c.ended_at.is_(None))

    async def count_holds(self) -> int:
        """Count the holds that wait for an admin."""
        return await self._count(holds, holds.c.closed_at.is_(None))

    async def count_questions(self) -> int:
        """Count the pages that wait for somebody's answer."""
        return await self._count(pendings, pendings.c.status == PendingStatus.PENDING)

    async def count_intents(self) -> int:
        """Count the role changes that were begun and not yet seen done."""
        return await self._count(grants, grants.c.state.in_(OPEN))

    async def _count(self, table: FromClause, condition: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(condition)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()


async def _campaign(connection: AsyncConnection, campaign_id: str) -> CampaignStatus:
    query = select(reads).where(reads.c.campaign_id == campaign_id).order_by(reads.c.read_id.desc()).limit(1)
    last = (await connection.execute(query.where(reads.c.finished_at.is_not(None)))).first()
    believed = (await connection.execute(query.where(reads.c.is_believed))).first()
    return CampaignStatus(
        campaign_id=CampaignId(campaign_id),
        last_read_at=None if last is None else last.started_at,
        is_believed=last is not None and last.is_believed,
        doubts=() if last is None else tuple(json.loads(last.anomalies)),
        believed_at=None if believed is None else believed.started_at,
    )
