"""People to read again because a webhook named them. Stored is who waits, not what the webhook said.

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
import contextlib
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import structlog

from bot.discord.observe import Observer
from bot.domain.changes import Trigger
from bot.domain.errors import NeedsOwner, PatreonUnavailable, PatreonUnreadable, TryLater
from bot.domain.model import CampaignId, CredentialId, DiscordUserId, Hint, PatreonUserId, RoleId
from bot.patreon.protocol.version import PatreonApi
from bot.storage import Storage
from bot.storage.nudges import Nudge
from bot.storage.turns import Turns
from bot.sync.applying.reconcile import Reconciler
from bot.sync.planned_here import planned_here
from bot.sync.reading.intake import Intake
from bot.sync.reported_links import ReportedLinks
from bot.sync.rounds import Rounds

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 300.0
HEAD_START_SECONDS = 0.05  # those who are linked already are not held up by a look at who may be
BULK_GAP_SECONDS = 2.0  # a storm's later nudges are gathered for the next bulk read
LOOK_SECONDS = 2.0  # between two looks for those whom nobody rang for
MAX_FAILURES = 7  # in a row: ten minutes; then the rounds, which read everybody anyway, have it


@dataclass
class _CampaignWork:
    """One campaign's work on those who wait there."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    handed: list[Nudge] = field(default_factory=list)  # stored by this process since it last looked
    knows_all: bool = False  # when it last looked nobody waited, and nobody has told of anybody else since
    failures: int = 0  # in a row
    failed: set[PatreonUserId] = field(default_factory=set)  # since all had their turn
    last_bulk_at: float = float("-inf")  # monotonic


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
        turns: Turns,
        serves: bool = True,
    ) -> None:
        """Build it; where `serves` is False another process reads those whom this one stores."""
        self._storage = storage
        self._turns = turns
        self._intake = intake
        self._rounds = rounds
        self._reconciler = reconciler
        self._observer = observer
        self._reported_links = reported_links
        self._api = api
        self._serves = serves
        self._rung = asyncio.Event()
        self._work: dict[CampaignId, _CampaignWork] = {}
        self._workers: dict[CampaignId, asyncio.Task[None]] = {}

    async def nudge(self, campaign_id: CampaignId, hint: Hint) -> None:
        """Let someone be read again soon; stored when this returns."""
        if self._api is PatreonApi.V1:
            hint = Hint(patreon_user_id=hint.patreon_user_id)
        stored = await self._storage.nudges.add(campaign_id, hint)
        if self._serves:
            self._look(campaign_id, stored)

    def ring(self) -> None:
        """Look soon: another process has stored somebody."""
        self._rung.set()

    async def run(self) -> NoReturn:
        """Look after those whom this process did not store, or did not come to before it ended, until cancelled."""
        while True:
            self._rung.clear()
            for campaign_id in await self._storage.nudges.campaigns():
                self._look(campaign_id)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._rung.wait()

    async def close(self) -> None:
        """Leave the rest to the next process."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    def _look(self, campaign_id: CampaignId, *handed: Nudge) -> None:
        work = self._work.setdefault(campaign_id, _CampaignWork())
        work.handed += handed
        work.knows_all &= bool(handed)
        work.arrived.set()
        if campaign_id not in self._workers:
            serving = self._serve_all(campaign_id, work)
            self._workers[campaign_id] = asyncio.create_task(serving, name=f"nudges of campaign {campaign_id}")

    async def _serve_all(self, campaign_id: CampaignId, work: _CampaignWork) -> NoReturn:
        while True:
            await work.arrived.wait()
            work.arrived.clear()
            try:
                await self._serve_in_turn(campaign_id, work)
            except TryLater as error:  # the loop above looks again
                log.warning("people named by webhooks are looked at later", campaign_id=campaign_id, why=str(error))
            except Exception:  # the boundary of a background task, as above
                log.exception("people named by webhooks could not be looked at", campaign_id=campaign_id)

    async def _serve_in_turn(self, campaign_id: CampaignId, work: _CampaignWork) -> None:
        """Serve everybody who waits, unless another process does; whom this one just stored needn't be looked up."""
        waiting: Sequence[Nudge] = work.handed if work.knows_all else ()  # first: who comes during a claim comes next
        if not waiting:
            waiting = await self._look_up(campaign_id, work)
        else:
            work.handed, work.knows_all = [], False
        if not waiting:
            return
        async with self._turns.take(f"nudges:{campaign_id}") as turn:
            while turn is not None and waiting:
                await self._serve_next(campaign_id, work, waiting)
                waiting = await self._look_up(campaign_id, work)

    async def _look_up(self, campaign_id: CampaignId, work: _CampaignWork) -> Sequence[Nudge]:
        work.handed, work.knows_all = [], True  # what is stored, or told of, from here on may not be among them
        waiting = await self._storage.nudges.list_campaign(campaign_id)
        work.knows_all &= not waiting
        return waiting

    async def _serve_next(self, campaign_id: CampaignId, work: _CampaignWork, waiting: Sequence[Nudge]) -> None:
        """Serve one person, or all where one bulk read costs no more than a call for each; who is served goes.

        Whoever could not be read has their next turn when all others had theirs.
        """
        hints = _merged(waiting)
        if work.failed >= hints.keys():
            work.failed.clear()
        first = next(hint for patron, hint in hints.items() if patron not in work.failed)
        if first.membership_id is None or len(hints) > self._intake.pages(campaign_id):
            pause = work.last_bulk_at + BULK_GAP_SECONDS - time.monotonic()
            if pause > 0:  # a storm's later nudges are gathered
                await asyncio.sleep(pause)
                waiting = await self._storage.nudges.list_campaign(campaign_id)
            wanted, patron = list(_merged(waiting).values()), None
        else:
            wanted, patron = [first], first.patreon_user_id
        try:
            await self._serve(campaign_id, wanted)
            work.failures = 0
        except (NeedsOwner, PatreonUnreadable) as error:  # not found proves nothing; of all else the rounds tell
            log.warning("people named by a webhook were not read", campaign_id=campaign_id, why=str(error))
        except TryLater as error:
            work.failed.update(hint.patreon_user_id for hint in wanted)
            if await self._waited(work, campaign_id=campaign_id, why=str(error)):
                return
        except Exception:
            log.exception("people named by a webhook could not be read", campaign_id=campaign_id)
            work.failed.update(hint.patreon_user_id for hint in wanted)
            if await self._waited(work, campaign_id=campaign_id, why="a defect"):
                return
        work.failed.difference_update(hint.patreon_user_id for hint in wanted)
        newest = max(waiting, key=lambda one: one.nudge_id)
        await self._storage.nudges.end(campaign_id, newest, patron=patron)

    async def _waited(self, work: _CampaignWork, *, campaign_id: CampaignId, why: str) -> bool:
        """Wait before the next try, longer each time; False where in the end they are left to the rounds."""
        work.failures += 1
        if work.failures >= MAX_FAILURES:
            log.warning("people named by webhooks are left to the next round", campaign_id=campaign_id, why=why)
            work.failures = 0
            return False
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (work.failures - 1), LONGEST_PAUSE_SECONDS)
        log.info("people named by webhooks are read later", campaign_id=campaign_id, why=why, seconds=pause)
        await asyncio.sleep(pause)
        return True

    async def _serve(self, campaign_id: CampaignId, hints: Sequence[Hint]) -> None:
        credential_id, followers = await asyncio.gather(
            self._storage.campaigns.find_reader(campaign_id), self._storage.campaigns.guilds_of(campaign_id)
        )
        here = planned_here(followers, self._storage, self._observer)
        comes_first = await self._read(campaign_id, credential_id, hints, is_planned=bool(here))
        patrons = [hint.patreon_user_id for hint in hints]
        changed = await self._reported_links.follow(patrons, is_urgent=True) if comes_first else frozenset()
        turns: list[asyncio.Future[frozenset[RoleId]]] = []
        people = await self._linked(hints) if here else ()
        for guild_id in here:
            turns += self._reconciler.mark(guild_id, people, trigger=Trigger.WEBHOOK)
        if turns:
            await asyncio.wait(turns, timeout=HEAD_START_SECONDS)
        if not comes_first:
            changed = await self._reported_links.follow(patrons, is_urgent=True)
        if changed:  # a link counts everywhere
            theirs = sorted(await self._storage.links.guilds_of(changed))
            for guild_id in planned_here(theirs, self._storage, self._observer):
                self._reconciler.mark(guild_id, changed, trigger=Trigger.WEBHOOK)

    async def _read(
        self, campaign_id: CampaignId, credential_id: CredentialId | None, hints: Sequence[Hint], *, is_planned: bool
    ) -> bool:
        """Read them again; tell whether their links come first.

        They do for whoever is planned here and has a rival: else their role would go and come.
        """
        membership_id = hints[0].membership_id if len(hints) == 1 else None

        async def has_rival() -> bool:
            return is_planned and len(hints) == 1 and await self._reported_links.has_rival(hints[0].patreon_user_id)

        if credential_id is not None and membership_id is not None:
            take_member = self._intake.take_member(campaign_id, credential_id, membership_id, Trigger.WEBHOOK)
            _, comes_first = await asyncio.gather(take_member, has_rival())  # Patreon's answer takes longer
            return comes_first
        comes_first = await has_rival()
        if credential_id is None:
            for hint in hints:
                await self._read_by_own_consent(hint)
        else:
            await self._read_all(campaign_id)
            self._work[campaign_id].last_bulk_at = time.monotonic()
        return comes_first

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


def _merged(waiting: Iterable[Nudge]) -> dict[PatreonUserId, Hint]:
    """Return each person once, in the order they came; a word that names the membership is worth more."""
    hints: dict[PatreonUserId, Hint] = {}
    for one in waiting:
        patron = one.hint.patreon_user_id
        if one.hint.membership_id is not None or patron not in hints:
            hints[patron] = one.hint
    return hints
