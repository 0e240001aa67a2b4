"""The webhooks that we made, with the secrets that Patreon signs with."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bot.domain.model import CampaignId, Secret
from bot.storage import Storage
from bot.storage.vault import Vault
from bot.storage.webhooks import StoredWebhook

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CAMPAIGN, OTHER = CampaignId("700"), CampaignId("701")
WEBHOOK = StoredWebhook(
    campaign_id=CAMPAIGN, webhook_id="31", uri="https://pledges.example/webhooks/patreon/700", secret=Secret("SECRET")
)
OTHERS = StoredWebhook(campaign_id=OTHER, webhook_id="32", uri=WEBHOOK.uri, secret=Secret("THEIRS"))


async def test_each_campaign_has_its_own_webhook(storage: Storage) -> None:
    assert await storage.webhooks.find(CAMPAIGN) is None
    await storage.webhooks.save(WEBHOOK)
    assert await storage.webhooks.find(CAMPAIGN) == WEBHOOK
    assert await storage.webhooks.find(OTHER) is None


async def test_a_newer_webhook_takes_the_place_of_the_older(storage: Storage) -> None:
    await storage.webhooks.save(WEBHOOK)
    newer = StoredWebhook(campaign_id=CAMPAIGN, webhook_id="32", uri=WEBHOOK.uri, secret=Secret("NEWER"))
    await storage.webhooks.save(newer)
    assert await storage.webhooks.find(CAMPAIGN) == newer


async def test_a_webhook_that_ended_is_forgotten_and_others_stay(storage: Storage) -> None:
    await storage.webhooks.save(WEBHOOK)
    await storage.webhooks.save(OTHERS)
    await storage.webhooks.delete(CAMPAIGN)
    assert await storage.webhooks.find(CAMPAIGN) is None
    assert await storage.webhooks.find(OTHER) == OTHERS


async def test_the_secret_is_sealed_and_a_change_of_keys_reaches_it(storage: Storage, vault: Vault) -> None:
    await storage.webhooks.save(WEBHOOK)
    async with storage.database.read() as connection:
        row = str((await connection.execute(text("SELECT * FROM webhooks"))).all())
    assert "SECRET" not in row
    (listed,) = await storage.sealing.list_sealed()
    assert (listed.table, listed.column) == ("webhooks", "secret_sealed")
    assert await storage.sealing.replace_sealed(listed, vault.reseal(listed.sealed))
    assert await storage.webhooks.find(CAMPAIGN) == WEBHOOK


async def test_when_patreon_was_heard_is_kept_for_each_campaign_and_never_goes_back(storage: Storage) -> None:
    later = NOW + timedelta(minutes=1)
    for at in (NOW, later, NOW):
        await storage.webhooks.note_heard(CAMPAIGN, at)
    await storage.webhooks.note_heard(OTHER, NOW)
    assert await storage.webhooks.list_heard() == {CAMPAIGN: later, OTHER: NOW}
    await storage.webhooks.delete(CAMPAIGN)
    assert await storage.webhooks.list_heard() == {OTHER: NOW}
