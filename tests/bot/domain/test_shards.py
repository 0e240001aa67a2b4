"""Which servers are on which shard."""

import pytest

from bot.domain.model import GuildId
from bot.domain.shards import Shards, shard_of


@pytest.mark.parametrize(
    ("guild_id", "count", "shard"),
    [
        pytest.param(GuildId(5 << 22), 1, 0, id="one shard has them all"),
        pytest.param(GuildId(5 << 22), 4, 1, id="by the time of its id"),
        pytest.param(GuildId((6 << 22) - 1), 4, 1, id="not by what counts within a millisecond"),
        pytest.param(GuildId(6 << 22), 4, 2, id="the next"),
    ],
)
def test_a_server_is_on_one_shard(guild_id: GuildId, count: int, shard: int) -> None:
    assert shard_of(guild_id, count) == shard
    assert [Shards((one,), count).covers(guild_id) for one in range(count)] == [one == shard for one in range(count)]


def test_several_shards_cover_the_servers_of_each() -> None:
    some = Shards((0, 2), 3)
    assert [some.covers(GuildId(number << 22)) for number in range(4)] == [True, False, True, True]


@pytest.mark.parametrize(
    ("ids", "count"),
    [
        pytest.param((), 1, id="none"),
        pytest.param((1,), 1, id="one too high"),
        pytest.param((-1,), 2, id="one below the first"),
        pytest.param((0, 0), 2, id="one twice"),
        pytest.param((0,), 0, id="of none"),
    ],
)
def test_what_discord_would_refuse_is_refused(ids: tuple[int, ...], count: int) -> None:
    with pytest.raises(ValueError, match="there are no shards"):
        Shards(ids, count)
