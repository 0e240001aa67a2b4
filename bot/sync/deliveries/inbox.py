"""Where Patreon's deliveries arrive, once `web/deliveries.py` knows that they are genuine. Knows no HTTP."""

from bot.domain.model import CampaignId, Secret
from bot.patreon.protocol.webhooks import read_hint
from bot.sync.deliveries.nudges import Nudges
from bot.sync.webhooks.at_patreon import WebhooksAtPatreon
from bot.sync.webhooks.keeper import WebhookKeeper


class DeliveryInbox:
    """Where deliveries arrive. Of what they say only whom they name is used."""

    def __init__(self, *, at_patreon: WebhooksAtPatreon, keeper: WebhookKeeper, nudges: Nudges) -> None:
        self._at_patreon = at_patreon
        self._keeper = keeper
        self._nudges = nudges

    async def secrets_of(self, campaign_id: CampaignId) -> tuple[Secret, ...]:
        """Return what Patreon may have signed a delivery about this campaign with."""
        return await self._at_patreon.secrets_of(campaign_id)

    async def take(self, campaign_id: CampaignId, body: bytes) -> None:
        """Take a genuine delivery; whom it names is stored when this returns."""
        await self._keeper.note_delivery(campaign_id)
        hint = read_hint(body)
        if hint is not None:
            await self._nudges.nudge(campaign_id, hint)
