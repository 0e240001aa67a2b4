"""What was counted of each campaign day by day: one row a day, which a later read of that day brings up to date."""

from collections.abc import Collection
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Row, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.figures import DayFigures
from bot.domain.model import CampaignId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.rows import columns_of, to_json
from bot.storage.tables import campaigns, figures
from bot.storage.upsert import Upsert

_NEWEST = Upsert(figures, not_older="read_at")


class Figures(Aggregate):
    """Every day's figures."""

    async def newest(self, campaign_id: CampaignId) -> tuple[DayFigures, ...]:
        """Return the figures of the last two days that have any, the newest first."""
        return (await self.newest_of([campaign_id]))[campaign_id]

    async def newest_of(self, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, tuple[DayFigures, ...]]:
        """Return the same of several campaigns."""
        return await self.kept.get_all(campaign_ids, self._newest_of)

    async def _newest_of(self, campaign_ids: list[CampaignId]) -> dict[CampaignId, tuple[DayFigures, ...]]:
        its = figures.c.campaign_id == campaigns.c.campaign_id
        days = select(figures.c.day).where(its).order_by(figures.c.day.desc()).correlate(campaigns)
        last_but_one = func.coalesce(days.limit(1).offset(1).scalar_subquery(), "")
        query = select(figures).join_from(campaigns, figures, and_(its, figures.c.day >= last_but_one))
        query = query.where(campaigns.c.campaign_id.in_(campaign_ids))
        found: dict[CampaignId, list[DayFigures]] = {campaign_id: [] for campaign_id in campaign_ids}
        async with self._database.read() as connection:
            for row in (await connection.execute(query.order_by(figures.c.day.desc()))).all():
                found[row.campaign_id].append(_read(row))
        return {campaign_id: tuple(days) for campaign_id, days in found.items()}

    async def list_since(self, campaign_ids: Collection[CampaignId], day: date) -> tuple[DayFigures, ...]:
        """Return what was counted of these campaigns from a day on, the oldest first."""
        query = select(figures).where(figures.c.campaign_id.in_(campaign_ids), figures.c.day >= day.isoformat())
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(figures.c.day, figures.c.campaign_id))).all()
        return tuple(map(_read, rows))

    async def first_days(self, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, date]:
        """Return since when each of these campaigns is counted; those that are not are left out."""
        first = func.min(figures.c.day)
        query = select(figures.c.campaign_id, first).where(figures.c.campaign_id.in_(campaign_ids))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.group_by(figures.c.campaign_id))).all()
        return {CampaignId(campaign_id): date.fromisoformat(day) for campaign_id, day in rows}

    @transaction
    async def save(self, connection: AsyncConnection, counted: DayFigures) -> None:
        """Store a day's figures; those of a later read of that day stay."""
        row = msgspec.structs.asdict(counted)
        row |= {"day": counted.day.isoformat(), "tiers": to_json(dict(counted.tiers))}
        await connection.execute(_NEWEST.on(connection), row)

    @transaction
    async def forget_campaign(self, connection: AsyncConnection, campaign_id: CampaignId) -> None:
        """Forget what was counted of a campaign."""
        await connection.execute(delete(figures).where(figures.c.campaign_id == campaign_id))


def _read(row: Row[Any]) -> DayFigures:
    columns = columns_of(row)
    columns["tiers"] = msgspec.json.decode(columns["tiers"])
    return msgspec.convert(columns, DayFigures)
