"""The campaigns with their tiers: that of the settings, bound to the home guild, and those of connected creators.

Reads no member.
"""

from datetime import datetime, timedelta

import msgspec
import structlog

from bot.domain.errors import CredentialsDead, NeedsOwner, PledgekeeperError, Setup
from bot.domain.model import Campaign, CampaignId, CredentialId, GuildId, Secret, TokenPair
from bot.patreon.client import PatreonClient
from bot.patreon.tokens import TokenKeeper
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.vault import fingerprint

log = structlog.get_logger(__name__)

SEED_LIFETIME = timedelta(days=31)  # what Patreon states for any pair (Patreon docs, OAuth)
MAX_AGE = timedelta(hours=1)  # tiers change seldom, and a member read names those in use


async def plant_seed(
    storage: Storage, access: Secret | None, refresh: Secret | None, clock: Clock
) -> CredentialId | None:
    """Store the creator's pair of the settings, or find the one that stands for it by now; None where there is none."""
    if access is None or refresh is None:
        return None
    # Nobody knows when a pair from the portal ends: it counts as good until Patreon refuses it, then it is refreshed.
    seed = TokenPair(access_token=access, refresh_token=refresh, expires_at=clock.now() + SEED_LIFETIME)
    stored = await storage.credentials.ensure_seed(seed, fingerprint(refresh), at=clock.now())
    return stored.credential_id


class HomeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings name, each None where they do not."""

    guild_id: GuildId | None
    campaign_id: CampaignId | None
    credential_id: CredentialId | None  # of the creator's pair, as it is stored


class HomeCampaign:
    """Finds the creator's campaign, stores it with its tiers, and binds it to the home guild."""

    def __init__(
        self,
        *,
        storage: Storage,
        client: PatreonClient,
        keeper: TokenKeeper,
        clock: Clock,
        named: HomeSettings,
    ) -> None:
        self._storage = storage
        self._client = client
        self._keeper = keeper
        self._clock = clock
        self.guild_id = named.guild_id
        self._campaign_id = named.campaign_id
        self.credential_id = named.credential_id
        self._found_id: CampaignId | None = None
        self._refreshed_at: datetime | None = None

    async def refresh(self, *, max_age: timedelta | None = None) -> None:
        """Read campaign and tiers, unless they were read so lately (None: MAX_AGE). Raises TryLater or NeedsOwner."""
        now, limit = self._clock.now(), MAX_AGE if max_age is None else max_age
        if self._refreshed_at is not None and timedelta() <= now - self._refreshed_at < limit:
            return
        await self._release_former()
        await self._refresh_connected()
        if await self._is_meant():
            await self._refresh_own()
        self._refreshed_at = now

    async def _release_former(self) -> None:
        """End what the settings once bound to another guild: each needs a consent of its own."""
        if self.credential_id is None or self._refreshed_at is not None:
            return
        for guild_id in await self._storage.campaigns.release(self.credential_id, but=self.guild_id):
            log.warning("the settings name another home guild now; this one follows no more", guild_id=guild_id)

    async def _refresh_own(self) -> None:
        try:
            campaign = await self._find_own()
        except CredentialsDead as error:
            if not await self._has_other_reader():
                raise
            log.info("the token of the settings is dead, and not needed: its creator consented", why=str(error))
            return
        self._found_id = campaign.campaign_id
        await self._storage.campaigns.save(campaign)
        await self._bind(campaign.campaign_id)

    async def _find_own(self) -> Campaign:
        try:
            return await self._find_or_follow()
        except CredentialsDead:
            if not await self._take_creators_own():
                raise
            return await self._find_or_follow()

    async def _take_creators_own(self) -> bool:
        """Let the creator's own consent stand for a dead token of the settings; False where there is none that lives.

        Nobody can ask a dead token whose it is; of whom the campaign is, is known from before.
        """
        if self.credential_id is None or await self._storage.credentials.owner_of(self.credential_id) is not None:
            return False
        campaign_ids = {self._campaign_id} if self._campaign_id is not None else set[CampaignId]()
        if not campaign_ids and self.guild_id is not None:
            campaign_ids = set(await self._storage.campaigns.campaigns_of(self.guild_id))
        known = [await self._storage.campaigns.load(campaign_id) for campaign_id in campaign_ids]
        creators = {one.creator_user_id for one in known if one is not None and one.creator_user_id is not None}
        if len(creators) != 1:
            return False
        (creator,) = creators
        stored = await self._storage.credentials.find_user(creator)
        if stored is None or stored.dead_at is not None:
            return False
        self.credential_id = await self._storage.credentials.name_seed(
            self.credential_id, creator, at=self._clock.now()
        )
        log.info("the token of the settings is dead; its creator's own consent stands for it")
        return True

    async def _has_other_reader(self) -> bool:
        """Tell whether every campaign of the home guild is read by a consent that lives."""
        if self.guild_id is None:
            return False
        followed = await self._storage.campaigns.campaigns_of(self.guild_id)
        return bool(followed) and set(followed) <= (await self._storage.campaigns.find_readers()).keys()

    async def find_campaign_id(self) -> CampaignId | None:
        """Return which campaign this is: that of the settings, or the one for which their creator's token was bound."""
        if self._campaign_id is not None or self.credential_id is None or self._found_id is not None:
            return self._campaign_id or self._found_id
        theirs = [one for one in await self._storage.campaigns.bindings() if one.credential_id == self.credential_id]
        for binding in sorted(theirs, key=lambda one: not (one.by_settings or one.guild_id == self.guild_id)):
            return binding.campaign_id
        return None

    async def _is_meant(self) -> bool:
        """Tell whether the settings name a campaign, or should: a home guild that follows none is of no use."""
        if self.credential_id is not None or self._campaign_id is not None:
            return True
        return self.guild_id is not None and not await self._storage.campaigns.campaigns_of(self.guild_id)

    async def _refresh_connected(self) -> None:
        """Read the tiers of connected campaigns anew. Their troubles are told of where their members are read."""
        bindings = await self._storage.campaigns.bindings()
        consents = {one.credential_id for one in bindings if one.credential_id is not None}
        for credential_id in sorted(consents):
            bound = {one.campaign_id for one in bindings if one.credential_id == credential_id}
            if credential_id == self.credential_id:
                bound -= {await self.find_campaign_id()}  # read below
            if not bound:
                continue
            try:
                campaigns = await self._keeper.call(credential_id, self._client.fetch_campaigns)
            except PledgekeeperError as error:
                log.info("a creator's tiers were not read", credential_id=credential_id, why=str(error))
                continue
            for campaign in campaigns:
                if campaign.campaign_id in bound:
                    await self._storage.campaigns.save(campaign)

    async def _find_or_follow(self) -> Campaign:
        """Find the campaign; where its creator's token is dead it is bound all the same: its patrons can be asked."""
        try:
            return await self._find()
        except CredentialsDead:
            if self._campaign_id is not None and await self._storage.campaigns.load(self._campaign_id) is None:
                await self._storage.campaigns.save(await self._known_or_bare())
                await self._bind(self._campaign_id)
            raise

    async def _find(self) -> Campaign:
        if self.credential_id is None:
            return await self._known_or_bare()
        asked_at = self._clock.now()
        campaigns = await self._keeper.call(self.credential_id, self._client.fetch_campaigns)
        await self._learn_owner(self.credential_id, campaigns, asked_at)
        if self._campaign_id is not None:
            campaigns = tuple(one for one in campaigns if one.campaign_id == self._campaign_id)
        if len(campaigns) == 1:
            return campaigns[0]
        if campaigns:
            choice = tuple(f"{one.campaign_id} ({one.name})" for one in campaigns)
            raise NeedsOwner(Setup.CAMPAIGN_AMBIGUOUS, campaigns=choice)
        if self._campaign_id is not None:
            raise NeedsOwner(Setup.CAMPAIGN_FOREIGN, campaign_id=self._campaign_id)
        raise NeedsOwner(Setup.NO_CAMPAIGN)

    async def _learn_owner(
        self, credential_id: CredentialId, campaigns: tuple[Campaign, ...], asked_at: datetime
    ) -> None:
        """Find out whose the token of the settings is: that person's next consent takes its place."""
        if await self._storage.credentials.owner_of(credential_id) is not None:
            return
        creators = {one.creator_user_id for one in campaigns if one.creator_user_id is not None}
        if len(creators) == 1:
            (owner,) = creators
        else:
            owner = (await self._keeper.call(credential_id, self._client.fetch_identity)).patreon_user_id
        self.credential_id = await self._storage.credentials.name_seed(credential_id, owner, at=asked_at)

    async def _known_or_bare(self) -> Campaign:
        if self._campaign_id is None:
            raise NeedsOwner(Setup.CAMPAIGN_UNSET)
        known = await self._storage.campaigns.load(self._campaign_id)
        return known or Campaign(campaign_id=self._campaign_id, name="the creator's campaign")

    async def _bind(self, campaign_id: CampaignId) -> None:
        if self.guild_id is None:
            return
        if await self._storage.campaigns.was_unbound(self.guild_id, campaign_id):
            return  # an admin's word counts more than the settings'; /patreon connect takes it back
        for binding in await self._storage.campaigns.bindings():
            if (binding.guild_id, binding.campaign_id) == (self.guild_id, campaign_id):
                if binding.credential_id == self.credential_id:
                    return
                consent = None if binding.by_settings else binding.credential_id
                if consent is not None and await self._storage.credentials.is_living(consent):
                    return  # the creator said yes to this very guild
                break
        await self._storage.campaigns.bind(
            self.guild_id, campaign_id, credential_id=self.credential_id, at=self._clock.now(), by_settings=True
        )
        log.info("the campaign of the settings is bound", guild_id=self.guild_id, campaign_id=campaign_id)
