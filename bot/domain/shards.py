"""Which servers a process hears of, where several share them: Discord deals them out to shards by their ids."""

import re

import msgspec

from bot.domain.model import GuildId

MOST_SHARDS = 10_000  # each of 2,500 servers at the most, and bots of Discord's largest have a few thousand


class Shards(msgspec.Struct, frozen=True):
    """Some of `count` shards; `ids` count from 0. Raises ValueError where there is no such shard."""

    ids: tuple[int, ...]
    count: int

    def __post_init__(self) -> None:
        """Refuse what Discord would close with 4010."""
        if not self.ids or len(set(self.ids)) < len(self.ids) or not all(0 <= one < self.count for one in self.ids):
            raise ValueError(f"there are no shards {self.ids} of {self.count}")

    @property
    def are_all(self) -> bool:
        """Tell whether there are no others."""
        return len(self.ids) == self.count

    def covers(self, guild_id: GuildId) -> bool:
        """Tell whether a server is on one of these shards."""
        return shard_of(guild_id, self.count) in self.ids


def shard_of(guild_id: GuildId, count: int) -> int:
    """Return the shard that hears of a server (discord-api-docs, Gateway, Sharding)."""
    return (guild_id >> 22) % count


def fair_share(count: int, gateways: int) -> int:
    """Return how many of the shards one of so many processes takes at the most, so that all are taken."""
    return -(-count // max(gateways, 1))


def read_shard_ids(text: str) -> tuple[int, ...]:
    """Read what an operator writes: "0-3" or "0,2,5-7". Raises ValueError for anything else, or a shard twice."""
    ids: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", part, re.ASCII)
        if found is None:
            raise ValueError(f"no shards: {part!r}")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ValueError(f"no shards: {part!r}")
        ids += range(first, last + 1)
    if len(set(ids)) < len(ids):
        raise ValueError(f"a shard twice: {text!r}")
    return tuple(sorted(ids))
