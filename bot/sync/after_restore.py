"""What follows, after a restore, when a campaign's list has been read whole for the first time.

Until then nothing of the campaign is certain (`domain/restored.py`), so everyone is planned by it now.
"""

from collections.abc import Collection

from bot.discord.notifier import Notifier
from bot.domain.model import CampaignId, GuildId
from bot.domain.notices import DatabaseRestored
from bot.runtime.clock import Clock
from bot.storage import Storage


class AfterRestore:
    """Tells the servers of the campaign, and lets their people be planned. Does nothing where there was no restore."""

    def __init__(self, *, storage: Storage, notifier: Notifier, clock: Clock, is_restored: bool) -> None:
        self._storage = storage
        self._notifier = notifier
        self._clock = clock
        self._is_restored = is_restored

    async def follow(self, campaign_id: CampaignId, name: str, guild_ids: Collection[GuildId]) -> None:
        """Do it, unless it was done; told first, so whoever is killed between the two tells again."""
        restored = await self._storage.restores.find() if self._is_restored else None
        if restored is None or campaign_id in restored.read_at:
            return
        for guild_id in guild_ids:
            await self._notifier.tell_news(guild_id, DatabaseRestored(campaign=name, taken_at=restored.taken_at))
        await self._storage.restores.note_first_read(campaign_id, guild_ids, at=self._clock.now())
