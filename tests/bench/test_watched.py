"""The bench looks into the bot's process: a world that is settled stays so, and a loop that stands still is noticed."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from bench.settled import Server, add_servers, add_servers_of_one, write_database
from bench.watched import Watchdog
from bench.watchedtown import WatchedTown

LINKED = 3


@pytest.mark.parametrize(
    "settle",
    [pytest.param(add_servers, id="a campaign each"), pytest.param(add_servers_of_one, id="one campaign")],
)
async def test_a_settled_world_gives_a_round_nothing_to_do(settle: Callable[..., list[Server]]) -> None:
    town = WatchedTown()
    town.lift_limits()
    servers = settle(town, 2, linked=LINKED)
    async with town:
        await write_database(town, servers)
        await town.start()
        await town.until_looked_at(2 * LINKED, 20)
        assert 0 < await town.round(20) < 20
        assert not town.writes()
        assert grants(town) == {("held", 2 * LINKED)}


def grants(town: WatchedTown) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(town.database)) as connection:
        return set(connection.execute("SELECT state, count(*) FROM grants GROUP BY state"))


async def test_the_longest_stop_is_found_with_what_held_the_loop() -> None:
    with closing(Watchdog()) as watchdog:
        await asyncio.sleep(0.05)
        watchdog.take()
        time.sleep(0.2)  # noqa: ASYNC251  the loop is to stand still
        await asyncio.sleep(0.05)
        stop = watchdog.take()
    assert 0.1 < stop.seconds < 5
    assert "test_the_longest_stop_is_found" in stop.held_by
    assert watchdog.take().seconds < stop.seconds
