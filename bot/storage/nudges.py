"""Whom webhooks named and who was not read again since: a row for each delivery, the oldest first."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CampaignId, Hint, MembershipId, PatreonUserId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.bell import CHANNEL
from bot.storage.leases import DatabaseClock
from bot.storage.tables import nudges

RUNG = "nudges"  # the word by which other processes are told

_RING = select(func.pg_notify(CHANNEL, RUNG))

# Built once: to build a statement takes as long as to execute it, and somebody waits.
_ADD = insert(nudges).values(noted_at=DatabaseClock()).returning(nudges.c.nudge_id)
_WAITING = select(nudges).where(nudges.c.campaign_id == bindparam("campaign")).order_by(nudges.c.nudge_id)
_END_ALL = delete(nudges).where(nudges.c.campaign_id == bindparam("campaign"), nudges.c.nudge_id <= bindparam("until"))
_END = _END_ALL.where(nudges.c.patreon_user_id == bindparam("patron"))


class Nudge(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, and whom it named."""

    nudge_id: int
    hint: Hint


class StoredNudges(Aggregate):
    """Every delivery that waits."""

    async def add(self, campaign_id: CampaignId, hint: Hint) -> Nudge:
        """Let somebody be read again, by whichever process reads; return what stands for this delivery."""
        row = {
            "campaign_id": campaign_id,
            "patreon_user_id": hint.patreon_user_id,
            "membership_id": hint.membership_id,
        }
        if self._database.is_shared:
            return Nudge(nudge_id=await self._add_and_ring(row), hint=hint)
        added = await self._database.execute(_ADD, row)
        assert added is not None  # noqa: S101  an INSERT that returns what it made
        return Nudge(nudge_id=added.nudge_id, hint=hint)

    @transaction
    async def _add_and_ring(self, connection: AsyncConnection, row: Mapping[str, str | None]) -> int:
        nudge_id: int = (await connection.execute(_ADD, row)).scalar_one()
        await connection.execute(_RING)
        return nudge_id

    async def list_campaign(self, campaign_id: CampaignId) -> tuple[Nudge, ...]:
        """Return who waits in a campaign, the oldest first; whoever was named several times stands there as often."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_WAITING, {"campaign": campaign_id})).all()
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

    async def end(self, campaign_id: CampaignId, until: Nudge, *, patron: PatreonUserId | None = None) -> None:
        """Let a patron (None: everybody) wait no more in a campaign, whoever named them up to and with this delivery.

        Numbers are given as deliveries come, so a read that began after one of them answers all with a lower one, also
        one that another process has not stored yet.
        """
        values: dict[str, Any] = {"campaign": campaign_id, "until": until.nudge_id}
        if patron is None:
            await self._database.execute(_END_ALL, values)
        else:
            await self._database.execute(_END, {**values, "patron": patron})

    async def count(self) -> int:
        """Count the deliveries that wait."""
        async with self._database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(nudges))).scalar_one()
