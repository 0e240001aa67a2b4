"""Which servers a process hears of, where several share them: Discord deals them out to shards by their ids."""

import msgspec

from bot.domain.model import GuildId


class Shards(msgspec.Struct, frozen=True):
    """Some of `count` shards; `ids` count from 0. Raises ValueError where there is no such shard."""

    ids: tuple[int, ...]
    count: int

    def __post_init__(self) -> None:
        """Refuse what Discord would close with 4010."""
        if not self.ids or len(set(self.ids)) < len(self.ids) or not all(0 <= one < self.count for one in self.ids):
            raise ValueError(f"there are no shards {self.ids} of {self.count}")

    def covers(self, guild_id: GuildId) -> bool:
        """Tell whether a server is on one of these shards."""
        return shard_of(guild_id, self.count) in self.ids


def shard_of(guild_id: GuildId, count: int) -> int:
    """Return the shard that hears of a server (discord-api-docs, Gateway, Sharding)."""
    return (guild_id >> 22) % count
