"""Which servers are on which shard."""

import pytest

from bot.domain.model import GuildId
from bot.domain.shards import Shards, fair_share, read_shard_ids, shard_of


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


def test_all_of_them_are_all() -> None:
    assert Shards((1, 0), 2).are_all
    assert not Shards((1,), 2).are_all


@pytest.mark.parametrize(
    ("count", "gateways", "share"),
    [
        pytest.param(4, 0, 4, id="one that nobody knows of yet has them all"),
        pytest.param(4, 1, 4, id="so has one alone"),
        pytest.param(4, 2, 2, id="two have half of them each"),
        pytest.param(5, 2, 3, id="none is left over"),
        pytest.param(2, 3, 1, id="of three one waits"),
    ],
)
def test_several_share_them_fairly(count: int, gateways: int, share: int) -> None:
    assert fair_share(count, gateways) == share


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("0", (0,), id="one"),
        pytest.param("0-3", (0, 1, 2, 3), id="a range"),
        pytest.param("0,2,5-7", (0, 2, 5, 6, 7), id="some"),
        pytest.param(" 7 , 1 - 2", (1, 2, 7), id="with spaces, in any order"),
        pytest.param("3-3", (3,), id="a range of one"),
    ],
)
def test_shards_are_read_as_they_are_typed(text: str, ids: tuple[int, ...]) -> None:
    assert read_shard_ids(text) == ids


@pytest.mark.parametrize("text", ["", "a", "-1", "1,", "3-1", "1,1", "0-2,2", "1-2-3", "٣", "10000000"])
def test_what_names_no_shards_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="shard"):
        read_shard_ids(text)
