"""Reads campaigns that no creator's token opens, through the linked patrons' own consent, one patron after the other.

What a patron's identity lists proves that patron's own standing and nobody else's; what it does not list proves
nothing, and a patron who cannot be asked keeps what they have. A pass over everybody is spread over the interval
between two rounds.
"""

import asyncio
import time
from typing import NoReturn

import structlog

from bot.discord.observe import Observer
from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import Later, PledgekeeperError, TryLater
from bot.domain.model import CampaignId, DiscordUserId
from bot.storage import Storage
from bot.storage.credentials import LinkedPair
from bot.sync.applying.reconcile import Reconciler
from bot.sync.planned_here import planned_here
from bot.sync.reading.intake import Intake

log = structlog.get_logger(__name__)

AT_ONCE = 10  # asked at one time: an answer may take longer than the pause between two patrons
MAX_FAILURES = 20  # in a row: it is not them; Patreon blocks who is refused 2,000 times in ten minutes (its docs)
SHORTEST_PASS_SECONDS = 1.0


class Consents:
    """Keeps reading patrons while a campaign has no other reader."""

    def __init__(
        self,
        *,
        storage: Storage,
        intake: Intake,
        observer: Observer,
        reconciler: Reconciler,
        interval_seconds: float,
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._intake = intake
        self._reconciler = reconciler
        self._interval = max(interval_seconds, SHORTEST_PASS_SECONDS)
        self.trouble: TryLater | None = None  # why the last pass told nothing of anybody

    async def keep_reading(self) -> NoReturn:
        """Pass over all patrons in each interval, as long as a campaign needs it."""
        while True:
            began = time.monotonic()
            if await self._is_needed():
                await self.read_all(within_seconds=self._interval)
            await asyncio.sleep(max(began + self._interval - time.monotonic(), 0))

    async def read_all(self, *, within_seconds: float = 0.0) -> None:
        """Read every linked patron who consented, evenly within that time; one who fails does not stop the rest."""
        patrons = await self._storage.credentials.list_patrons()
        pause = within_seconds / max(len(patrons), 1)
        began = time.monotonic()
        free, failures, answers, why = asyncio.Semaphore(AT_ONCE), 0, 0, ""

        async def read(patron: LinkedPair) -> None:
            nonlocal failures, answers, why
            try:
                await self._read(patron)
                failures, answers = 0, answers + 1
            except PledgekeeperError as error:  # a dead pair is marked so, and told to its patron in /membership
                failures, why = failures + 1, str(error)
                log.info("a patron was not read", patreon_user_id=patron.patreon_user_id, why=str(error))
            except Exception:
                log.exception("a patron could not be read", patreon_user_id=patron.patreon_user_id)
            finally:
                free.release()

        async with asyncio.TaskGroup() as group:
            for number, patron in enumerate(patrons):
                await asyncio.sleep(began + number * pause - time.monotonic())
                await free.acquire()
                if failures >= MAX_FAILURES:
                    break
                group.create_task(read(patron))
        is_silent = failures > 0 and answers == 0
        self.trouble = TryLater(Later.CONSENTS_SILENT, patrons=len(patrons), cause=why) if is_silent else None

    async def list_ended(self, campaign_id: CampaignId) -> list[DiscordUserId]:
        """Return a campaign's members whose consent Patreon refuses; whom a creator's list links gave none."""
        ended = await self._storage.credentials.list_ended(campaign_id)
        members = await self._storage.memberships.find_members(campaign_id, [one.patreon_user_id for one in ended])
        return [one.discord_user_id for one in ended if one.patreon_user_id in members]

    async def count_readers(self, campaign_id: CampaignId) -> int:
        """Return how many linked members of a campaign can be read by their own consent."""
        patrons = [one.patreon_user_id for one in await self._storage.credentials.list_patrons(campaign_id)]
        return len(await self._storage.memberships.find_members(campaign_id, patrons))

    async def _is_needed(self) -> bool:
        followed = await self._storage.campaigns.followed_campaigns()
        return not followed <= (await self._storage.campaigns.find_readers()).keys()

    async def _read(self, patron: LinkedPair) -> None:
        if await self._intake.refresh_patron(
            patron.patreon_user_id, patron.credential_id, Trigger.CONSENT, Urgency.BULK_GRANT
        ):
            theirs = await self._storage.links.guilds_of([patron.discord_user_id])
            for guild_id in planned_here(theirs, self._storage, self._observer):
                self._reconciler.mark(
                    guild_id, [patron.discord_user_id], trigger=Trigger.CONSENT, urgency=Urgency.BULK_GRANT
                )
