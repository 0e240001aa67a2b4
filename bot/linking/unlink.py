"""Ending a patron's link, in every server, at their own wish or an admin's."""

import structlog

from bot.discord.notifier import Notifier
from bot.domain.changes import Trigger
from bot.domain.consent import Unlinked
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId, PatreonUserId
from bot.domain.notices import UnlinkedElsewhere
from bot.linking.pairs import Pairs
from bot.runtime.background import Background
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler

log = structlog.get_logger(__name__)


class Unlinker:
    """Ends links. `close` waits for what it left running."""

    def __init__(
        self, *, storage: Storage, pairs: Pairs, reconciler: Reconciler, notifier: Notifier, clock: Clock
    ) -> None:
        self._storage = storage
        self._pairs = pairs
        self._reconciler = reconciler
        self._notifier = notifier
        self._clock = clock
        self._background = Background()

    async def close(self) -> None:
        """Wait for what is being handed back."""
        await self._background.close()

    async def unlink(self, discord_user_id: DiscordUserId, *, by_admin_of: GuildId | None = None) -> Unlinked:
        """End it, and remember the wish. A second time does no harm.

        Where an admin did it, those of the other servers are told whose roles go there.
        """
        link = await self._storage.links.find_discord(discord_user_id)
        others: set[GuildId] = set()
        if link is not None and by_admin_of is not None:  # asked first: with the link goes what the consent told
            others = await self._guilds_that_know(link.patreon_user_id) - {by_admin_of}
        await self._storage.links.unlink(discord_user_id, at=self._clock.now())
        log.info("a person was unlinked", discord_user_id=discord_user_id, was_linked=link is not None)
        self._background.start(self._pairs.hand_back(), name="handing consents back")
        for guild_id in others:
            await self._notifier.tell_news(guild_id, UnlinkedElsewhere(discord_user_id=discord_user_id))
        try:
            news = await self._reconciler.follow(discord_user_id, trigger=Trigger.UNLINK)
        except TryLater as error:  # the link is gone all the same, and whoever was not seen is looked at again
            log.info("roles follow an unlink later", discord_user_id=discord_user_id, why=str(error))
            news = None
        return Unlinked(patreon_name=None if link is None else link.patreon_name, news=news)

    async def _guilds_that_know(self, patreon_user_id: PatreonUserId) -> set[GuildId]:
        """Return the servers of whose campaigns the patron is, or was, a member."""
        known = {
            record.campaign_id
            for record in await self._storage.memberships.load_person(patreon_user_id)
            if record.is_of_member
        }
        return {one.guild_id for one in await self._storage.campaigns.bindings() if one.campaign_id in known}
