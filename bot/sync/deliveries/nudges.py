"""People to read again because a webhook named them. Holds who waits, not what the webhook said.

A delivery may be late, repeated or out of order, so it only says whom to look at: the member is read anew by API, and
then planned as someone who waits. Many nudges on one person are one look.

| waiting                                             | is answered by                                            |
|-----------------------------------------------------|-----------------------------------------------------------|
| up to as many people as a bulk read has pages       | one call each                                             |
| more people than that, or API v1 (it has no member) | one bulk read, a while after the one before               |
| people of a campaign without a creator's token      | each one's own token, where they linked with /link        |

Knows no HTTP and no signature.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import structlog

from bot.discord.observe import Observer
from bot.domain.changes import Trigger
from bot.domain.errors import NeedsOwner, PatreonUnavailable, PatreonUnreadable, TryLater
from bot.domain.model import CampaignId, DiscordUserId, PatreonUserId, RoleId
from bot.patreon.protocol.version import PatreonApi
from bot.patreon.protocol.webhooks import Hint
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reading.intake import Intake
from bot.sync.reported_links import ReportedLinks
from bot.sync.rounds import Rounds

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 300.0
HEAD_START_SECONDS = 0.05  # those who are linked already are not held up by a look at who may be
BULK_GAP_SECONDS = 2.0  # a storm's later nudges are gathered for the next bulk read
MAX_FAILURES = 7  # in a row: ten minutes; then the rounds, which read everybody anyway, have it


@dataclass
class _CampaignQueue:
    """One campaign's waiting people, and how many pages a read of all would cost."""

    waiting: dict[PatreonUserId, Hint] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    pages: int = 1
    failures: int = 0
    is_serving: bool = False
    last_bulk_at: float = float("-inf")  # monotonic

    @property
    def wants_bulk(self) -> bool:
        """Tell whether one bulk read costs no more than a call for each who waits."""
        first = next(iter(self.waiting.values()))
        return first.membership_id is None or len(self.waiting) > self.pages

    async def gather(self) -> None:
        """Where a bulk read is due, let a while pass since the last one."""
        if self.wants_bulk:
            await asyncio.sleep(self.last_bulk_at + BULK_GAP_SECONDS - time.monotonic())

    def put(self, hint: Hint) -> None:
        """Let someone wait; an older word that names the membership is worth more than a newer one that does not."""
        if hint.membership_id is not None or hint.patreon_user_id not in self.waiting:
            self.waiting[hint.patreon_user_id] = hint
        self.arrived.set()

    def take(self) -> list[Hint]:
        """Take who is served together: one person, or all where one bulk read costs no more than a call for each."""
        if self.wants_bulk:
            hints = list(self.waiting.values())
            self.waiting.clear()
        else:
            hints = [self.waiting.pop(next(iter(self.waiting)))]
        if not self.waiting:
            self.arrived.clear()
        return hints


class Nudges:
    """Reads again whom webhooks name; one worker for each campaign."""

    def __init__(
        self,
        *,
        storage: Storage,
        intake: Intake,
        rounds: Rounds,
        reconciler: Reconciler,
        observer: Observer,
        reported_links: ReportedLinks,
        api: PatreonApi,
    ) -> None:
        self._storage = storage
        self._intake = intake
        self._rounds = rounds
        self._reconciler = reconciler
        self._observer = observer
        self._reported_links = reported_links
        self._api = api
        self._queues: dict[CampaignId, _CampaignQueue] = {}
        self._workers: dict[CampaignId, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return sum(len(queue.waiting) + queue.is_serving for queue in self._queues.values())

    def nudge(self, campaign_id: CampaignId, hint: Hint) -> None:
        """Let someone be read again soon; returns at once."""
        if self._api is PatreonApi.V1:
            hint = Hint(patreon_user_id=hint.patreon_user_id)
        self._queue(campaign_id).put(hint)
        if campaign_id not in self._workers:
            work = self._work(campaign_id)
            self._workers[campaign_id] = asyncio.create_task(work, name=f"nudges of campaign {campaign_id}")

    async def close(self) -> None:
        """Forget who waits: the next round reads everybody."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    def _queue(self, campaign_id: CampaignId) -> _CampaignQueue:
        return self._queues.setdefault(campaign_id, _CampaignQueue())

    async def _work(self, campaign_id: CampaignId) -> None:
        queue = self._queue(campaign_id)
        while True:
            await queue.arrived.wait()
            queue.pages = self._intake.pages(campaign_id)
            await queue.gather()
            hints = queue.take()
            queue.is_serving = True
            try:
                await self._serve(campaign_id, hints)
                queue.failures = 0
            except (
                NeedsOwner,
                PatreonUnreadable,
            ) as error:  # not found proves nothing; of all else the rounds tell
                log.warning("people named by a webhook were not read", campaign_id=campaign_id, why=str(error))
            except TryLater as error:
                await self._wait(queue, hints, campaign_id=campaign_id, why=str(error))
            except Exception:
                log.exception("people named by a webhook could not be read", campaign_id=campaign_id)
                await self._wait(queue, hints, campaign_id=campaign_id, why="a defect")
            finally:
                queue.is_serving = False

    async def _wait(self, queue: _CampaignQueue, hints: list[Hint], *, campaign_id: CampaignId, why: str) -> None:
        """Put people back and wait, longer each time; in the end leave them to the rounds."""
        queue.failures += 1
        if queue.failures >= MAX_FAILURES:
            log.warning("people named by webhooks are left to the next round", campaign_id=campaign_id, why=why)
            queue.failures = 0
            return
        for hint in hints:
            queue.put(queue.waiting.get(hint.patreon_user_id, hint))
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (queue.failures - 1), LONGEST_PAUSE_SECONDS)
        log.info("people named by webhooks are read later", campaign_id=campaign_id, why=why, seconds=pause)
        await asyncio.sleep(pause)

    async def _serve(self, campaign_id: CampaignId, hints: Sequence[Hint]) -> None:
        credential_id = await self._storage.campaigns.find_reader(campaign_id)
        membership_id = hints[0].membership_id if len(hints) == 1 else None
        comes_first = False  # who has a rival: else their role would go and come
        if credential_id is None:
            comes_first = len(hints) == 1 and await self._reported_links.has_rival(hints[0].patreon_user_id)
            for hint in hints:
                await self._read_by_own_consent(hint)
        elif membership_id is not None:
            _, _, comes_first = await asyncio.gather(  # Patreon's answer takes longer; a link is kept once it is found
                self._intake.take_member(campaign_id, credential_id, membership_id, Trigger.WEBHOOK),
                self._linked(hints),
                self._reported_links.has_rival(hints[0].patreon_user_id),
            )
        else:
            comes_first = len(hints) == 1 and await self._reported_links.has_rival(hints[0].patreon_user_id)
            await self._read_all(campaign_id)
            self._queue(campaign_id).last_bulk_at = time.monotonic()
        patrons = [hint.patreon_user_id for hint in hints]
        changed = await self._reported_links.follow(patrons, is_urgent=True) if comes_first else frozenset()
        people = await self._linked(hints)
        in_sight = self._observer.guild_ids()
        turns: list[asyncio.Future[frozenset[RoleId]]] = []
        for guild_id in await self._storage.campaigns.guilds_of(campaign_id):
            if not in_sight or guild_id in in_sight:  # with no guild in sight, all are planned later
                turns += self._reconciler.mark(guild_id, people, trigger=Trigger.WEBHOOK)
        if turns:
            await asyncio.wait(turns, timeout=HEAD_START_SECONDS)
        if not comes_first:
            changed = await self._reported_links.follow(patrons, is_urgent=True)
        if changed:  # a link counts everywhere; with no guild in sight, they are looked at later
            theirs = await self._storage.links.guilds_of(changed)
            for guild_id in sorted(theirs.intersection(in_sight or theirs)):
                self._reconciler.mark(guild_id, changed, trigger=Trigger.WEBHOOK)

    async def _read_all(self, campaign_id: CampaignId) -> None:
        report = await self._rounds.read_anew(campaign_id, trigger=Trigger.WEBHOOK)
        for told in report.campaigns:
            if told.error is not None:
                raise PatreonUnavailable(told.error.code, **told.error.facts)

    async def _read_by_own_consent(self, hint: Hint) -> None:
        link = await self._storage.links.find_patreon(hint.patreon_user_id)
        if link is None:
            return
        try:
            await self._intake.refresh_person(link.discord_user_id, Trigger.WEBHOOK)
        except (NeedsOwner, PatreonUnreadable) as error:
            log.info("a patron named by a webhook was not read", discord_user_id=link.discord_user_id, why=str(error))

    async def _linked(self, hints: Sequence[Hint]) -> Collection[DiscordUserId]:
        if len(hints) == 1:
            link = await self._storage.links.find_patreon(hints[0].patreon_user_id)
            return [] if link is None else [link.discord_user_id]
        return await self._storage.links.find_people(hint.patreon_user_id for hint in hints)
