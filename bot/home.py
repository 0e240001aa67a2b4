"""The campaign of the settings and the guild it belongs to. Keeps both known and bound; reads no member."""

import time

import structlog

from bot.clock import Clock
from bot.errors import NeedsOwner
from bot.model import Campaign, CampaignId, CredentialId, GuildId
from bot.patreon.client import PatreonClient
from bot.patreon.tokens import TokenKeeper
from bot.storage import Storage

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 3600.0  # tiers change seldom, and a member read names those in use


class Home:
    """Finds the creator's campaign, stores it with its tiers, and binds it to the home guild."""

    def __init__(
        self,
        *,
        storage: Storage,
        client: PatreonClient,
        keeper: TokenKeeper,
        clock: Clock,
        guild_id: GuildId | None,
        campaign_id: CampaignId | None,
        credential_id: CredentialId | None,
    ) -> None:
        self._storage = storage
        self._client = client
        self._keeper = keeper
        self._clock = clock
        self._guild_id = guild_id
        self._campaign_id = campaign_id
        self.credential_id = credential_id
        self._refreshed_at: float | None = None

    async def refresh(self, *, is_forced: bool = False) -> None:
        """Read campaign and tiers, at most once an hour unless forced. Raises TryLater or NeedsOwner."""
        is_fresh = self._refreshed_at is not None and time.monotonic() - self._refreshed_at < REFRESH_SECONDS
        if is_fresh and not is_forced:
            return
        campaign = await self._find()
        await self._storage.campaigns.save(campaign)
        await self._bind(campaign.campaign_id)
        self._refreshed_at = time.monotonic()

    async def find_campaign_id(self) -> CampaignId | None:
        """Return which campaign this is: that of the settings, or the one for which their creator's token was bound."""
        if self._campaign_id is not None or self.credential_id is None:
            return self._campaign_id
        for binding in await self._storage.campaigns.bindings():
            if binding.credential_id == self.credential_id:
                return binding.campaign_id
        return None

    async def _find(self) -> Campaign:
        if self.credential_id is None:
            return await self._known_or_bare()
        campaigns = await self._keeper.call(self.credential_id, self._client.fetch_campaigns)
        if self._campaign_id is not None:
            campaigns = tuple(one for one in campaigns if one.campaign_id == self._campaign_id)
        if len(campaigns) == 1:
            return campaigns[0]
        if not campaigns:
            raise NeedsOwner(
                f"PATREON_CAMPAIGN_ID: the creator token does not own the campaign {self._campaign_id}; "
                "nothing is read; correct the id, or leave it empty where the creator has one campaign"
                if self._campaign_id is not None
                else "PATREON_CREATOR_ACCESS_TOKEN: its owner has no campaign; use the token of the creator's account"
            )
        ids = ", ".join(f"{one.campaign_id} ({one.name})" for one in campaigns)
        raise NeedsOwner(f"PATREON_CAMPAIGN_ID is needed, for the creator has several campaigns: {ids}")

    async def _known_or_bare(self) -> Campaign:
        if self._campaign_id is None:
            raise NeedsOwner("PATREON_CAMPAIGN_ID is needed where there is no creator token; nothing is read")
        known = await self._storage.campaigns.load(self._campaign_id)
        return known or Campaign(campaign_id=self._campaign_id, name="the creator's campaign")

    async def _bind(self, campaign_id: CampaignId) -> None:
        if self._guild_id is None:
            return
        for binding in await self._storage.campaigns.bindings():
            if binding.guild_id == self._guild_id and binding.campaign_id == campaign_id:
                if binding.credential_id == self.credential_id:
                    return
                break
        await self._storage.campaigns.bind(
            self._guild_id, campaign_id, credential_id=self.credential_id, at=self._clock.now()
        )
        log.info("the campaign of the settings is bound", guild_id=self._guild_id, campaign_id=campaign_id)
