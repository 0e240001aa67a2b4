"""The webhook that we made for each campaign, with the secret that Patreon signs its deliveries with, sealed."""

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import CampaignId, Secret
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.tables import webhooks
from bot.storage.upsert import Upsert
from bot.storage.vault import Vault


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
        await connection.execute(delete(webhooks).where(webhooks.c.campaign_id == campaign_id))
