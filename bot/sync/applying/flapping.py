"""An enforced role that is given, taken away by somebody and given again, without end.

Patreon's own bot takes roles that it thinks unearned; with `hand_edits: enforce` we would answer each time. After a few
times within a minute the hand is respected for that long. Pure but for its memory, which a restart may lose.
"""

from collections import deque
from datetime import datetime, timedelta

from bot.domain.model import DiscordUserId, GuildId

MOST_TIMES = 3
WITHIN = timedelta(minutes=1)


class Flapping:
    """When roles were taken again that we had to give."""

    def __init__(self) -> None:
        self._times: dict[tuple[GuildId, DiscordUserId], deque[datetime]] = {}

    def note(self, guild_id: GuildId, discord_user_id: DiscordUserId, now: datetime) -> bool:
        """Take it that an enforced role was taken away; tell whether that was once too often."""
        self._times = {key: times for key, times in self._times.items() if now - times[-1] < WITHIN}
        times = self._times.setdefault((guild_id, discord_user_id), deque(maxlen=MOST_TIMES))
        times.append(now)
        return self.is_on(guild_id, discord_user_id, now)

    def is_on(self, guild_id: GuildId, discord_user_id: DiscordUserId, now: datetime) -> bool:
        """Tell whether we had better wait before we give that person a role again."""
        times = self._times.get((guild_id, discord_user_id))
        return times is not None and len(times) == MOST_TIMES and now - times[0] < WITHIN
