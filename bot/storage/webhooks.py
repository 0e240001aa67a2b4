"""The webhook that we made for each campaign, with the secret that Patreon signs its deliveries with, sealed."""

from datetime import datetime

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CampaignId, Secret
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.tables import heard, webhooks
from bot.storage.upsert import Upsert
from bot.storage.vault import Vault

_HEARD = Upsert(heard, not_older="heard_at")


class StoredWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook of ours at Patreon, as we last saw or made it."""

    campaign_id: CampaignId
    webhook_id: str
    uri: str
    secret: Secret


class Webhooks(Aggregate):
    """Every webhook of ours."""

    def __init__(self, database: Database, vault: Vault) -> None:
        super().__init__(database)
        self._vault = vault

    async def find(self, campaign_id: CampaignId) -> StoredWebhook | None:
        """Return a campaign's webhook."""
        return await self.kept.get(campaign_id, lambda: self._load(campaign_id))

    async def _load(self, campaign_id: CampaignId) -> StoredWebhook | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(webhooks).where(webhooks.c.campaign_id == campaign_id))).first()
        if row is None:
            return None
        return StoredWebhook(
            campaign_id=campaign_id,
            webhook_id=row.webhook_id,
            uri=row.uri,
            secret=self._vault.open(row.secret_sealed),
        )

    @transaction
    async def save(self, connection: AsyncConnection, webhook: StoredWebhook) -> None:
        """Store a campaign's webhook in place of an older one."""
        row = {
            "campaign_id": webhook.campaign_id,
            "webhook_id": webhook.webhook_id,
            "uri": webhook.uri,
            "secret_sealed": self._vault.seal(webhook.secret),
        }
        await connection.execute(Upsert(webhooks).on(connection), row)

    @transaction
    async def delete(self, connection: AsyncConnection, campaign_id: CampaignId) -> None:
        """Forget a campaign's webhook and its secret."""
        for table in (webhooks, heard):
            await connection.execute(delete(table).where(table.c.campaign_id == campaign_id))

    async def note_heard(self, campaign_id: CampaignId, at: datetime) -> None:
        """Remember that Patreon was heard, for whichever process asks."""
        statement = _HEARD.build(self._database.dialect_name)
        await self._database.execute(statement, {"campaign_id": campaign_id, "heard_at": at})

    async def list_heard(self) -> dict[CampaignId, datetime]:
        """Return when Patreon was last heard of each campaign."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(heard.c.campaign_id, heard.c.heard_at))).all()
        return {CampaignId(row.campaign_id): row.heard_at for row in rows}
