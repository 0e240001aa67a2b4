"""Whom webhooks named and who was not read again since: a row for each delivery, the oldest first."""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CampaignId, Hint, MembershipId, PatreonUserId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.bell import CHANNEL
from bot.storage.leases import DatabaseClock
from bot.storage.tables import nudges

MAX_ROWS = 500  # in one statement: databases limit how many values it may carry

RUNG = "nudges"  # the word by which other processes are told

_RING = select(func.pg_notify(CHANNEL, RUNG))
_ADD = insert(nudges).values(noted_at=DatabaseClock())  # built once: to build it takes as long as to execute it


class Nudge(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, and whom it named."""

    nudge_id: int
    hint: Hint


class StoredNudges(Aggregate):
    """Every delivery that waits."""

    async def add(self, campaign_id: CampaignId, hint: Hint) -> None:
        """Let somebody be read again, by whichever process reads."""
        row = {
            "campaign_id": campaign_id,
            "patreon_user_id": hint.patreon_user_id,
            "membership_id": hint.membership_id,
        }
        if self._database.is_shared:
            await self._add_and_ring(row)
        else:
            await self._database.execute(_ADD, row)

    @transaction
    async def _add_and_ring(self, connection: AsyncConnection, row: Mapping[str, str | None]) -> None:
        await connection.execute(_ADD, row)
        await connection.execute(_RING)

    async def list_campaign(self, campaign_id: CampaignId) -> tuple[Nudge, ...]:
        """Return who waits in a campaign, the oldest first; whoever was named several times stands there as often."""
        query = select(nudges).where(nudges.c.campaign_id == campaign_id).order_by(nudges.c.nudge_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(
            Nudge(
                nudge_id=row.nudge_id,
                hint=Hint(
                    patreon_user_id=PatreonUserId(row.patreon_user_id),
                    membership_id=None if row.membership_id is None else MembershipId(row.membership_id),
                ),
            )
            for row in rows
        )

    async def campaigns(self) -> tuple[CampaignId, ...]:
        """Return the campaigns in which anybody waits."""
        async with self._database.read() as connection:
            found = (await connection.execute(select(nudges.c.campaign_id).distinct())).scalars()
            return tuple(CampaignId(one) for one in found)

    async def end(self, served: Collection[Nudge]) -> None:
        """Let these wait no more."""
        numbers = [one.nudge_id for one in served]
        for start in range(0, len(numbers), MAX_ROWS):
            some = numbers[start : start + MAX_ROWS]
            await self._database.execute(delete(nudges).where(nudges.c.nudge_id.in_(some)))

    async def count(self) -> int:
        """Count the deliveries that wait."""
        async with self._database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(nudges))).scalar_one()
