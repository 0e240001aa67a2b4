"""A person asks Patreon about themselves, now. Says nothing; who shows the outcome plans them again."""

from datetime import datetime, timedelta

from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reading.intake import Intake
from bot.sync.reported_links import ReportedLinks

ONCE_IN = timedelta(minutes=1)


class Refresh:
    """Asks once a minute a person. That is kept in memory: a restart lets everybody ask at once."""

    def __init__(
        self, *, storage: Storage, intake: Intake, reported_links: ReportedLinks, reconciler: Reconciler, clock: Clock
    ) -> None:
        self._storage = storage
        self._intake = intake
        self._reported_links = reported_links
        self._reconciler = reconciler
        self._clock = clock
        self._asked_at: dict[DiscordUserId, datetime] = {}

    def begin(self, person: DiscordUserId) -> None:
        """Take it that somebody asks. Raises UserMistake where they did so a moment ago."""
        now = self._clock.now()
        recent = {one: at for one, at in self._asked_at.items() if timedelta() <= now - at < ONCE_IN}
        if person in recent:
            raise UserMistake(Mistake.ASKED_JUST_NOW, until=recent[person] + ONCE_IN)
        self._asked_at = recent | {person: now}

    async def follow(self, person: DiscordUserId) -> None:
        """Read what Patreon says of them, and let their roles follow. Raises TryLater."""
        link = await self._storage.links.find_discord(person)
        await self._intake.refresh_person(person, Trigger.MEMBERSHIP)
        if link is not None:  # first: where another account's pledge counts now, the link goes there, not the role
            await self._reported_links.follow([link.patreon_user_id], is_urgent=True)
        await self._reconciler.follow(person, trigger=Trigger.MEMBERSHIP)
