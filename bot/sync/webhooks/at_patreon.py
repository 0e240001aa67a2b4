"""Our webhooks at Patreon, one for each campaign, and their secrets: found, made, moved, switched on, and deleted.

Says nothing to anybody, and remembers nothing but what is stored.
"""

import asyncio

import msgspec
import structlog

from bot.domain.addresses import WEBHOOKS_PATH, is_loopback
from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId, CredentialId, Secret
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.protocol.webhooks import Webhook, pick_own
from bot.patreon.tokens import TokenKeeper
from bot.storage import Storage
from bot.storage.vault import VaultKeyMissing
from bot.storage.webhooks import StoredWebhook
from bot.sync.reading.campaigns import HomeCampaign

log = structlog.get_logger(__name__)

FORGET_SECONDS = 8.0


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about webhooks."""

    public_url: str
    patreon_url: str
    api: PatreonApi = PatreonApi.V2  # v1 has no webhooks
    secret: Secret | None = None  # of the home campaign's webhook, which a person made

    @property
    def is_reachable(self) -> bool:
        """Tell whether Patreon can reach us at all."""
        return not is_loopback(self.public_url) or is_loopback(self.patreon_url)


class WebhooksAtPatreon:
    """Keeps them as they should be, when asked to."""

    def __init__(
        self,
        *,
        storage: Storage,
        client: PatreonClient,
        tokens: TokenKeeper,
        home: HomeCampaign,
        settings: WebhookSettings,
    ) -> None:
        self._storage = storage
        self._client = client
        self._tokens = tokens
        self._home = home
        self._settings = settings

    def uri(self, campaign_id: CampaignId) -> str:
        """Return where deliveries about a campaign arrive."""
        return f"{self._settings.public_url}{WEBHOOKS_PATH}/{campaign_id}"

    async def secrets_of(self, campaign_id: CampaignId) -> tuple[Secret, ...]:
        """Return what Patreon may have signed a delivery about this campaign with."""
        found: list[Secret] = []
        if self._settings.secret is not None and campaign_id == await self._home.find_campaign_id():
            found.append(self._settings.secret)
        stored = await self._storage.webhooks.find(campaign_id)
        return (*found, stored.secret) if stored is not None else tuple(found)

    async def is_missing(self, campaign_id: CampaignId) -> bool:
        """Tell whether there should be a webhook of a campaign, and none is stored."""
        is_wanted = self._settings.api is not PatreonApi.V1 and self._settings.is_reachable
        if not is_wanted or await self._storage.campaigns.find_reader(campaign_id) is None:
            return False
        try:
            return not await self.secrets_of(campaign_id)
        except VaultKeyMissing:  # there is one, though its deliveries cannot be checked
            return False

    async def end(self, campaign_id: CampaignId, credential_id: CredentialId | None) -> None:
        """Delete a campaign's webhook, by this consent, and its secret, whatever Patreon says."""
        stored = await self._find_stored(campaign_id)
        if stored is not None:
            await self._delete(stored, credential_id)
        await self._storage.webhooks.delete(campaign_id)

    async def ensure(self, campaign_id: CampaignId) -> Webhook | None:
        """Return the webhook as it was found, made or mended meanwhile; None where it is not ours to look after."""
        token = await self._find_token(campaign_id)
        if token is None:
            return None
        stored = await self._find_stored(campaign_id)
        uri = self.uri(campaign_id)
        is_handmade = self._settings.secret is not None and campaign_id == await self._home.find_campaign_id()
        found = pick_own(
            await self._client.fetch_webhooks(token),
            campaign_id=campaign_id,
            uri=uri,
            webhook_id=None if stored is None or is_handmade else stored.webhook_id,
        )
        if found is None and is_handmade:
            return None
        webhook = await self._mend(token, found, campaign_id=campaign_id, uri=uri)
        if not is_handmade:
            await self._keep(campaign_id, webhook, stored)
        return found or webhook

    async def _find_token(self, campaign_id: CampaignId) -> Secret | None:
        """Return a token that may look after webhooks. It is not asked for by `call`: 401 may mean a missing scope."""
        if self._settings.api is PatreonApi.V1 or not self._settings.is_reachable:
            return None
        credential_id = await self._storage.campaigns.find_reader(campaign_id)
        return None if credential_id is None else await self._tokens.access_token(credential_id)

    async def _find_stored(self, campaign_id: CampaignId) -> StoredWebhook | None:
        try:
            return await self._storage.webhooks.find(campaign_id)
        except VaultKeyMissing as error:
            log.warning("a webhook's secret cannot be opened; Patreon is asked for it", why=str(error))
            return None

    async def _mend(self, token: Secret, found: Webhook | None, *, campaign_id: CampaignId, uri: str) -> Webhook:
        if found is None:
            log.info("a webhook is made", campaign_id=campaign_id, uri=uri)
            return await self._client.create_webhook(token, campaign_id, uri)
        if found.uri != uri:
            log.info("a webhook moves", campaign_id=campaign_id, uri=uri)
            return await self._client.move_webhook(token, found.webhook_id, uri)
        if found.is_paused or found.failures:
            log.warning("a webhook is switched on again", campaign_id=campaign_id, failures=found.failures)
            return await self._client.unpause_webhook(token, found.webhook_id)
        return found

    async def _keep(self, campaign_id: CampaignId, webhook: Webhook, stored: StoredWebhook | None) -> None:
        """Store what is news about a webhook."""
        secret = webhook.secret or (stored.secret if stored is not None else None)
        if secret is None:
            log.warning(
                "Patreon tells no secret of a webhook, so what it sends cannot be checked", campaign_id=campaign_id
            )
            return
        current = StoredWebhook(campaign_id=campaign_id, webhook_id=webhook.webhook_id, uri=webhook.uri, secret=secret)
        if current != stored:
            await self._storage.webhooks.save(current)

    async def _delete(self, stored: StoredWebhook, credential_id: CredentialId | None) -> None:
        why: object = "no_consent"
        try:
            async with asyncio.timeout(FORGET_SECONDS):
                token = None if credential_id is None else await self._tokens.access_token(credential_id)
                if token is not None:
                    await self._client.delete_webhook(token, stored.webhook_id)
                    log.info("a webhook is deleted", campaign_id=stored.campaign_id)
                    return
        except (PledgekeeperError, LookupError, VaultKeyMissing) as error:
            why = error
        except TimeoutError:
            why = "timed_out"
        log.warning("a webhook could not be deleted at Patreon", campaign_id=stored.campaign_id, why=str(why))
