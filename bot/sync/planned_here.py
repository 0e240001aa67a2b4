"""Where this process plans somebody at once when it has stored a fact about them: in the servers in sight.

Where several processes share a database, the others are planned by whoever owns their servers: the fact made them due.
Where there is one, it plans them all as soon as Discord is there.
"""

from collections.abc import Iterable

from bot.discord.observe import Observer
from bot.domain.model import GuildId
from bot.storage import Storage


def planned_here(guild_ids: Iterable[GuildId], storage: Storage, observer: Observer) -> list[GuildId]:
    """Return those of these guilds in which people are to be queued now."""
    in_sight = frozenset(observer.guild_ids())
    plans_all = not in_sight and not storage.database.is_shared  # those with no guild in sight are planned later
    return [guild_id for guild_id in guild_ids if plans_all or guild_id in in_sight]
