"""What servers are told after a restore, and what follows when a campaign's list has been read whole since.

Until then nothing of the campaign is certain (`domain/restored.py`), so everyone is planned by it then.
"""

from collections.abc import Collection

from bot.discord.notifier import Notifier
from bot.domain.model import CampaignId, GuildId
from bot.domain.notices import DatabaseRestored
from bot.runtime.clock import Clock
from bot.storage import Storage


class AfterRestore:
    """Does nothing where there was no restore."""

    def __init__(self, *, storage: Storage, notifier: Notifier, clock: Clock, is_restored: bool) -> None:
        self._storage = storage
        self._notifier = notifier
        self._clock = clock
        self._is_restored = is_restored

    async def tell(self, guild_ids: Collection[GuildId]) -> None:
        """Tell servers of the restore, each once."""
        restored = await self._storage.restores.find() if self._is_restored else None
        if restored is None:
            return
        for guild_id in guild_ids:
            key, mark = f"restored:{guild_id}", restored.began_at.isoformat()
            if await self._storage.notices.seen(key) != mark:  # told first: rather twice than never
                await self._notifier.tell_news(guild_id, DatabaseRestored(taken_at=restored.taken_at))
                await self._storage.notices.note(key, self._clock.now(), mark)

    async def note_read(self, campaign_id: CampaignId, guild_ids: Collection[GuildId]) -> None:
        """Remember that a campaign's list was read whole, and let everyone in its servers be planned."""
        restored = await self._storage.restores.find() if self._is_restored else None
        if restored is not None and campaign_id not in restored.read_at:
            await self._storage.restores.note_first_read(campaign_id, guild_ids, at=self._clock.now())
