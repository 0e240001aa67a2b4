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
from bot.domain.changes import Trigger
from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId, CredentialId, DiscordUserId, PatreonUserId
from bot.storage import Storage
from bot.sync.applying.queue import Urgency
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reading.intake import Intake

log = structlog.get_logger(__name__)

AT_ONCE = 10  # asked at one time: an answer may take longer than the pause between two patrons
MAX_FAILURES = 20  # in a row: it is not them; Patreon blocks who is refused 2,000 times in ten minutes (its docs)
SHORTEST_PASS_SECONDS = 1.0

Patron = tuple[PatreonUserId, CredentialId, DiscordUserId]


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
        self.trouble: str | None = None  # why the last pass told nothing of anybody

    async def keep_reading(self) -> NoReturn:
        """Pass over all patrons in each interval, as long as a campaign needs it."""
        while True:
            began = time.monotonic()
            if await self._is_needed():
                await self.read_all(within_seconds=self._interval)
            await asyncio.sleep(max(began + self._interval - time.monotonic(), 0))

    async def read_all(self, *, within_seconds: float = 0.0) -> None:
        """Read every linked patron who consented, evenly within that time; one who fails does not stop the rest."""
        patrons = await self.list_patrons()
        pause = within_seconds / max(len(patrons), 1)
        began = time.monotonic()
        free, failures, answers, why = asyncio.Semaphore(AT_ONCE), 0, 0, ""

        async def read(patron: Patron) -> None:
            nonlocal failures, answers, why
            try:
                await self._read(*patron)
                failures, answers = 0, answers + 1
            except PledgekeeperError as error:  # a dead pair is marked so, and told to its patron in /membership
                failures, why = failures + 1, str(error)
                log.info("a patron was not read", patreon_user_id=patron[0], why=str(error))
            except Exception:
                log.exception("a patron could not be read", patreon_user_id=patron[0])
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
        self.trouble = (
            f"none of {len(patrons)} patrons could be read by their own consent: {why}" if is_silent else None
        )

    async def list_patrons(self) -> list[Patron]:
        """Return the linked patrons whose consent lives."""
        links = {link.patreon_user_id: link.discord_user_id for link in await self._storage.links.list_all()}
        living = await self._storage.credentials.list_patrons()
        return [(patron, credential_id, links[patron]) for patron, credential_id in living if patron in links]

    async def list_ended(self, campaign_id: CampaignId) -> list[DiscordUserId]:
        """Return a campaign's members whose consent Patreon refuses; whom a creator's list links gave none."""
        links = {link.patreon_user_id: link.discord_user_id for link in await self._storage.links.list_all()}
        ended = [patron for patron, _ in await self._storage.credentials.list_ended()]
        members = await self._storage.memberships.find_members(campaign_id, ended)
        return [links[patron] for patron in ended if patron in links and patron in members]

    async def count_readers(self, campaign_id: CampaignId) -> int:
        """Return how many linked members of a campaign can be read by their own consent."""
        patrons = [patron for patron, *_ in await self.list_patrons()]
        return len(await self._storage.memberships.find_members(campaign_id, patrons))

    async def _is_needed(self) -> bool:
        campaign_ids = {binding.campaign_id for binding in await self._storage.campaigns.bindings()}
        return any([await self._storage.campaigns.find_reader(one) is None for one in campaign_ids])

    async def _read(self, patron: PatreonUserId, credential_id: CredentialId, person: DiscordUserId) -> None:
        if await self._intake.refresh_patron(patron, credential_id):
            followers = {binding.guild_id for binding in await self._storage.campaigns.bindings()}
            in_sight = self._observer.guild_ids() or followers  # with none in sight, they are looked at again soon
            for guild_id in followers.intersection(in_sight):
                self._reconciler.mark(guild_id, [person], trigger=Trigger.CONSENT, urgency=Urgency.BULK_GRANT)
