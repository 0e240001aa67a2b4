"""Keeps a webhook at Patreon for every bound campaign: made, pointed at us, switched on, heard from, and ended.

| found at Patreon, at start and about once an hour | done                                                     |
|----------------------------------------------------|---------------------------------------------------------|
| none of ours                                       | made; not where PATREON_WEBHOOK_SECRET says it is made   |
| ours, with another address                         | moved to the address of today                            |
| ours, paused                                       | switched on, and the admins told                         |
| ours, with deliveries that failed                  | asked for them again: we were away                       |
| ours and well, but silent while reads show pledges | the admins told                                          |

When the last server parts from a campaign, its webhook and the secret go.

A failure here never touches the sync: without webhooks the rounds do the same, later.
"""

import asyncio
from datetime import datetime, timedelta
from typing import NoReturn, Self

import msgspec
import structlog

from bot.domain.addresses import is_loopback
from bot.domain.errors import PledgekeeperError, TryLater
from bot.domain.model import CampaignId, CredentialId, GuildId, Secret
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.protocol.webhooks import Webhook, pick_own
from bot.patreon.tokens import TokenKeeper
from bot.runtime.clock import Clock
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import VaultKeyMissing
from bot.storage.webhooks import StoredWebhook
from bot.sync.applying.apply import Herald
from bot.sync.reading.campaigns import Home
from bot.sync.reading.intake import CampaignRead
from bot.sync.webhooks.silence import Silence
from bot.texts.linking import plain
from bot.web.deliveries import PATH

log = structlog.get_logger(__name__)

CHECK_EVERY = timedelta(minutes=55)  # a pause is noticed within the hour
CHECK_AGAIN = timedelta(minutes=5)  # where Patreon did not answer
LOOK_SECONDS = 2.0
FORGET_SECONDS = 8.0

PAUSED = (
    "Patreon had stopped telling me about pledges to **{name}**, for it could not reach me. I have switched that on "
    "again. If it comes back, see that {uri} can be reached from the internet"
)
SILENT = (
    "Patreon does not tell me about pledges to **{name}**, though its list shows new ones. Roles still follow, "
    "at each reading of the list. See that {uri} can be reached from the internet"
)
HEARD = "Patreon tells me about pledges to **{name}** again"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about webhooks."""

    public_url: str
    patreon_url: str
    secret: Secret | None = None  # of the home campaign's webhook, which a person made

    @classmethod
    def told_by(cls, settings: Settings) -> Self:
        """Read the settings."""
        return cls(
            public_url=settings.public_url, patreon_url=settings.patreon_url, secret=settings.patreon_webhook_secret
        )

    @property
    def is_reachable(self) -> bool:
        """Tell whether Patreon can reach us at all."""
        return not is_loopback(self.public_url) or is_loopback(self.patreon_url)

    def uri(self, campaign_id: CampaignId) -> str:
        """Return where deliveries about a campaign arrive."""
        return f"{self.public_url}{PATH}/{campaign_id}"


class WebhookKeeper:
    """Looks after the webhooks."""

    def __init__(  # everything that a webhook touches
        self,
        *,
        storage: Storage,
        client: PatreonClient,
        tokens: TokenKeeper,
        home: Home,
        herald: Herald,
        clock: Clock,
        api: PatreonApi,
        place: Place,
    ) -> None:
        self._storage = storage
        self._client = client
        self._tokens = tokens
        self._home = home
        self._herald = herald
        self._clock = clock
        self._api = api
        self._place = place
        self._silence = Silence()
        self._due: dict[CampaignId, datetime] = {}
        self._troubled: set[CampaignId] = set()
        self._wake = asyncio.Event()
        self._changing = asyncio.Lock()  # else one parted from may be made anew by a look that began before

    # --- what others tell

    async def secrets_of(self, campaign_id: CampaignId) -> tuple[Secret, ...]:
        """Return what Patreon may have signed a delivery about this campaign with."""
        found: list[Secret] = []
        if self._place.secret is not None and campaign_id == await self._home.find_campaign_id():
            found.append(self._place.secret)
        stored = await self._storage.webhooks.find(campaign_id)
        return (*found, stored.secret) if stored is not None else tuple(found)

    def note_delivery(self, campaign_id: CampaignId) -> None:
        """Learn that Patreon was heard."""
        self._silence.note_delivery(campaign_id, self._clock.now())
        if campaign_id in self._troubled:
            self._wake.set()

    def note_read(self, read: CampaignRead) -> None:
        """Learn what a bulk read showed; the first one may have bound a campaign."""
        self._silence.note_read(read, self._clock.now())
        if read.campaign_id not in self._due:
            self._wake.set()

    async def forget(self, campaign_id: CampaignId, credential_id: CredentialId | None) -> None:
        """End the webhook of a campaign that no guild follows any more, by the consent of the one that left last.

        The secret goes whatever Patreon says: what it still sends is refused, and it gives up by itself.
        """
        async with self._changing:
            if await self._is_followed(campaign_id):
                return
            self._due.pop(campaign_id, None)
            self._troubled.discard(campaign_id)
            self._silence.forget(campaign_id)
            stored = await self._find_stored(campaign_id)
            if stored is not None:
                await self._delete(stored, credential_id)
            await self._storage.webhooks.delete(campaign_id)

    async def _delete(self, stored: StoredWebhook, credential_id: CredentialId | None) -> None:
        why: object = "there is no consent that may"
        try:
            async with asyncio.timeout(FORGET_SECONDS):
                token = None if credential_id is None else await self._token_of(credential_id)
                if token is not None:
                    await self._client.delete_webhook(token, stored.webhook_id)
                    log.info("a webhook is deleted", campaign_id=stored.campaign_id)
                    return
        except (PledgekeeperError, LookupError, VaultKeyMissing) as error:
            why = error
        except TimeoutError:
            why = "Patreon did not answer in time"
        log.warning("a webhook could not be deleted at Patreon", campaign_id=stored.campaign_id, why=str(why))

    async def _is_followed(self, campaign_id: CampaignId) -> bool:
        return bool(await self._storage.campaigns.guilds_of(campaign_id))

    # --- the loop

    async def run(self) -> NoReturn:
        """Look after all webhooks until cancelled."""
        while True:
            await self.look()
            self._wake.clear()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Check the webhooks whose time has come, and listen whether Patreon is heard."""
        guilds: dict[CampaignId, list[GuildId]] = {}
        for binding in await self._storage.campaigns.bindings():
            guilds.setdefault(binding.campaign_id, []).append(binding.guild_id)
        for campaign_id, guild_ids in guilds.items():
            now = self._clock.now()
            was_sound = await self._check(campaign_id) if now >= self._due.get(campaign_id, now) else None
            was_heard = self._silence.take_heard(campaign_id) and campaign_id in self._troubled
            if was_sound is False:
                await self._tell(campaign_id, guild_ids, PAUSED)
            elif self._silence.is_silent(campaign_id, now):
                await self._tell(campaign_id, guild_ids, SILENT)
            elif was_sound or was_heard:
                await self._tell(campaign_id, guild_ids, None)

    async def _tell(self, campaign_id: CampaignId, guild_ids: list[GuildId], trouble: str | None) -> None:
        """Tell of a trouble, or that there is none; the herald says each once, to whoever follows by now."""
        campaign = await self._storage.campaigns.load(campaign_id)
        name = campaign_id if campaign is None else campaign.name
        text = (trouble or HEARD).format(name=plain(name), uri=self._place.uri(campaign_id))
        tell = self._herald.over if trouble is None else self._herald.tell_admin
        for guild_id in guild_ids:
            await tell(guild_id, f"webhook:{campaign_id}", text)
        if trouble is None:
            self._troubled.discard(campaign_id)
        else:
            self._troubled.add(campaign_id)

    # --- one webhook

    async def _check(self, campaign_id: CampaignId) -> bool | None:
        """See to one campaign's webhook and tell whether it was well; None where nobody knows."""
        webhook, pause = None, CHECK_EVERY
        try:
            async with self._changing:
                webhook = await self._find(campaign_id)
            if await self.secrets_of(campaign_id):
                self._silence.watch(campaign_id, self._clock.now())
            if webhook is None:  # nothing was asked of Patreon, and a consent may come at any time
                pause = CHECK_AGAIN
        except TryLater as error:
            pause = CHECK_AGAIN
            log.info("a webhook is looked after later", campaign_id=campaign_id, why=str(error))
        except PledgekeeperError as error:
            log.warning("a webhook cannot be looked after", campaign_id=campaign_id, why=str(error))
        except Exception:
            log.exception("a webhook could not be looked after", campaign_id=campaign_id)
        self._due[campaign_id] = self._clock.now() + pause
        return None if webhook is None else not webhook.is_paused

    async def _find(self, campaign_id: CampaignId) -> Webhook | None:
        """Return the webhook as it was found, made or mended meanwhile; None where it is not ours to look after."""
        token = await self._find_token(campaign_id) if await self._is_followed(campaign_id) else None
        if token is None:
            return None
        stored = await self._find_stored(campaign_id)
        uri = self._place.uri(campaign_id)
        is_handmade = self._place.secret is not None and campaign_id == await self._home.find_campaign_id()
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
        if self._api is PatreonApi.V1 or not self._place.is_reachable:
            return None
        credential_id = await self._storage.campaigns.find_reader(campaign_id)
        return None if credential_id is None else await self._token_of(credential_id)

    async def _token_of(self, credential_id: CredentialId) -> Secret | None:
        return await self._tokens.access_token(credential_id)

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
            log.warning("Patreon tells no secret of a webhook, so what it sends cannot be checked", id=campaign_id)
            return
        current = StoredWebhook(campaign_id=campaign_id, webhook_id=webhook.webhook_id, uri=webhook.uri, secret=secret)
        if current != stored:
            await self._storage.webhooks.save(current)
