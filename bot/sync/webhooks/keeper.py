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
from typing import NoReturn

import structlog

from bot.discord.notifier import Notifier
from bot.domain.errors import PledgekeeperError, TryLater
from bot.domain.model import CampaignId, CredentialId, GuildId
from bot.domain.notices import Solved, Topic, WebhookPaused, WebhookSilent
from bot.runtime.clock import EPOCH, Clock
from bot.runtime.doorbell import Doorbell
from bot.storage import Storage
from bot.sync.reading.intake import CampaignRead
from bot.sync.webhooks.at_patreon import WebhooksAtPatreon
from bot.sync.webhooks.silence import Silence

log = structlog.get_logger(__name__)

CHECK_EVERY = timedelta(minutes=55)  # a pause is noticed within the hour
CHECK_AGAIN = timedelta(minutes=5)  # where Patreon did not answer
LOOK_SECONDS = 2.0
STORED_EVERY = timedelta(minutes=1)


class WebhookKeeper:
    """Looks after the webhooks."""

    def __init__(
        self,
        *,
        storage: Storage,
        at_patreon: WebhooksAtPatreon,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._at_patreon = at_patreon
        self._notifier = notifier
        self._clock = clock
        self._silence = Silence()
        self._is_shared = storage.database.is_shared
        self._stored_at: dict[CampaignId, datetime] = {}  # when other processes were last told
        self._due: dict[CampaignId, datetime] = {}
        self._troubled: dict[CampaignId, type[WebhookPaused | WebhookSilent]] = {}
        self._bell = Doorbell()
        self._changing = asyncio.Lock()  # else one parted from may be made anew by a look that began before

    # --- what others tell

    async def note_delivery(self, campaign_id: CampaignId) -> None:
        """Learn that Patreon was heard, and let the process know that looks after the webhooks."""
        now = self._clock.now()
        if self._is_shared and not timedelta() <= now - self._stored_at.get(campaign_id, EPOCH) < STORED_EVERY:
            self._stored_at[campaign_id] = now
            await self._storage.webhooks.note_heard(campaign_id, now)
        self._silence.note_delivery(campaign_id, now)
        if campaign_id in self._troubled:
            self._bell.ring()

    def note_read(self, read: CampaignRead) -> None:
        """Learn what a bulk read showed; the first one may have bound a campaign."""
        self._silence.note_read(read, self._clock.now())
        if read.campaign_id not in self._due:
            self._bell.ring()

    async def forget(self, campaign_id: CampaignId, credential_id: CredentialId | None) -> None:
        """End the webhook of a campaign that no guild follows any more, by the consent of the one that left last.

        The secret goes whatever Patreon says: what it still sends is refused, and it gives up by itself.
        """
        async with self._changing:
            if await self._is_followed(campaign_id):
                return
            self._due.pop(campaign_id, None)
            self._troubled.pop(campaign_id, None)
            self._silence.forget(campaign_id)
            await self._at_patreon.end(campaign_id, credential_id)

    async def _is_followed(self, campaign_id: CampaignId) -> bool:
        return bool(await self._storage.campaigns.guilds_of(campaign_id))

    def count_troubles(self) -> dict[str, int]:
        """Count the campaigns whose webhook was found so, by this process."""
        kinds = list(self._troubled.values())
        return {"paused": kinds.count(WebhookPaused), "silent": kinds.count(WebhookSilent)}

    # --- the loop

    async def run(self) -> NoReturn:
        """Look after all webhooks until cancelled."""
        while True:
            await self.look()
            await self._bell.wait(LOOK_SECONDS)

    async def look(self) -> None:
        """Check the webhooks whose time has come, and listen whether Patreon is heard."""
        await self._hear_others()
        guilds: dict[CampaignId, list[GuildId]] = {}
        for binding in await self._storage.campaigns.bindings():
            guilds.setdefault(binding.campaign_id, []).append(binding.guild_id)
        for campaign_id, guild_ids in guilds.items():
            now = self._clock.now()
            was_sound = await self._check(campaign_id) if now >= self._due.get(campaign_id, now) else None
            was_heard = self._silence.take_heard(campaign_id) and campaign_id in self._troubled
            if was_sound is False:
                await self._tell(campaign_id, guild_ids, WebhookPaused)
            elif self._silence.is_silent(campaign_id, now):
                await self._tell(campaign_id, guild_ids, WebhookSilent)
            elif was_sound or was_heard:
                await self._tell(campaign_id, guild_ids, None)

    async def _hear_others(self) -> None:
        """Learn what other processes heard from Patreon."""
        heard = await self._storage.webhooks.list_heard() if self._is_shared else {}
        for campaign_id, at in heard.items():
            if at > (self._silence.heard_at(campaign_id) or EPOCH):
                self._silence.note_delivery(campaign_id, at)

    async def _tell(
        self, campaign_id: CampaignId, guild_ids: list[GuildId], kind: type[WebhookPaused | WebhookSilent] | None
    ) -> None:
        """Tell of a trouble, or that there is none; the notifier says each once, to whoever follows by now."""
        campaign = await self._storage.campaigns.load(campaign_id)
        name = campaign_id if campaign is None else campaign.name
        if kind is None:
            solved = Solved(topic=Topic.WEBHOOK, subject=campaign_id, name=name)
            for guild_id in guild_ids:
                await self._notifier.over(guild_id, solved)
            self._troubled.pop(campaign_id, None)
        else:
            trouble = kind(campaign_id=campaign_id, campaign=name, uri=self._at_patreon.uri(campaign_id))
            for guild_id in guild_ids:
                await self._notifier.tell_admin(guild_id, trouble)
            self._troubled[campaign_id] = kind

    # --- one webhook

    async def _check(self, campaign_id: CampaignId) -> bool | None:
        """See to one campaign's webhook and tell whether it was well; None where nobody knows."""
        webhook, pause = None, CHECK_EVERY
        try:
            async with self._changing:
                if await self._is_followed(campaign_id):
                    webhook = await self._at_patreon.ensure(campaign_id)
            if await self._at_patreon.secrets_of(campaign_id):
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
