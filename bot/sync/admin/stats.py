"""A server's figures day by day, for `/patreon stats`: of the campaigns that it follows. Reads only."""

from datetime import timedelta

from bot.domain.figures import ServerFigures, first_day_needed, sum_up
from bot.domain.model import GuildId
from bot.runtime.clock import Clock
from bot.storage import Storage

QUIET_DAYS = 30  # so long ago the last read may be


class FigureBook:
    """Looks figures up."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def look(self, guild_id: GuildId, *, days: int) -> ServerFigures:
        """Return what was counted in these days before the last read. Discord and Patreon are not asked."""
        followed = await self._storage.campaigns.campaigns_of(guild_id)
        campaigns = await self._storage.campaigns.load_all(followed)
        first_days = await self._storage.figures.first_days(followed)
        since = first_day_needed(self._clock.now().date() - timedelta(days=QUIET_DAYS), days)
        rows = await self._storage.figures.list_since(list(first_days), since)
        counted = {row.campaign_id for row in rows}
        return ServerFigures(
            counted=tuple(one for one in campaigns.values() if one.campaign_id in counted),
            uncounted=tuple(one for one in campaigns.values() if one.campaign_id not in counted),
            stats=sum_up(rows, first_days, days=days),
        )
