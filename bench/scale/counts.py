"""What is sent to the database, counted: for a person's turn, a page of a member list, and a read without changes."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import msgspec

from bench.memberlist import Served
from bench.process import serving
from bench.scale.province import Province, province
from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId, GuildId
from bot.storage import kept, notices
from bot.sync import reported_links
from sandbox.postgres import running_postgres

FEW_MEMBERS, MANY_MEMBERS = 1_000, 2_000  # a page, and two
PATRONS = 10
OWN_ROWS = {"reads", "leases"}  # of the read itself: that it was made, and by whom


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Statements, and rows by table."""

    turn: int  # of somebody for whom there is nothing to do
    write: int  # of somebody who gets a role, with the turn in which it is seen
    page: int  # of a list, more
    read: int  # of a list of one page in which nothing has changed
    rows: dict[str, int]  # that it wrote

    @property
    def rows_of_others(self) -> int:
        """Count the rows written for what has not changed."""
        return sum(count for table, count in self.rows.items() if table not in OWN_ROWS)


@asynccontextmanager
async def lists() -> AsyncIterator[tuple[Served, Served]]:
    """Serve a list of one page, and one of two."""
    async with (
        serving("bench.memberlist", str(FEW_MEMBERS), str(PATRONS), "1") as few,
        serving("bench.memberlist", str(MANY_MEMBERS), str(PATRONS), "1") as many,
    ):
        yield msgspec.json.decode(few, type=Served), msgspec.json.decode(many, type=Served)


async def count_on_sqlite() -> Counts:
    """Count on files."""
    with tempfile.TemporaryDirectory(prefix="pledgekeeper-bench-") as folder:
        few_url, many_url = (f"sqlite+aiosqlite:///{Path(folder) / name}" for name in ("few.db", "many.db"))
        async with lists() as (few, many):
            return await count((few_url, few), (many_url, many))


async def count_on_postgresql() -> Counts:
    """Count on a PostgreSQL for each list."""
    with ExitStack() as stack:
        few_url, many_url = (stack.enter_context(running_postgres()).url("postgres") for _ in range(2))
        async with lists() as (few, many):
            return await count((few_url, few), (many_url, many))


async def count(few: tuple[str, Served], many: tuple[str, Served]) -> Counts:
    """Count on two empty databases, with these lists. What is kept for seconds is asked for anew each time.

    But for which servers have webhooks or tokens: those are two small statements every few seconds, however much is
    done meanwhile.
    """
    with (
        patch.object(notices, "KEPT_SECONDS", 0.0),
        patch.object(reported_links, "WANTED_SECONDS", 0.0),
        patch.object(kept, "LATELY_SECONDS", 3600.0),
    ):
        async with province(*few) as town:
            await town.settle()
            worker = (await town.interval()).worker
            turn, write = await _count_turn(town), await _count_write(town)
        async with province(*many) as town:
            await town.settle()
            longer = (await town.interval()).worker
    return Counts(
        turn=turn,
        write=write,
        page=longer.statements - worker.statements,
        read=worker.statements,
        rows=worker.rows,
    )


async def _count_turn(town: Province) -> int:
    guild_id, person = _somebody(town)
    await town.storage.hooks.wants(guild_id)
    await town.storage.api_tokens.guilds()
    with town.meter.measured() as spent:
        await _take_turn(town, guild_id, person)
    return spent().statements


async def _count_write(town: Province) -> int:
    """Let somebody have no role, as if they had just pledged, and give it to them."""
    guild_id, person = _somebody(town)
    (server,) = town.servers
    server.without.add(person)
    town.app.observer.forget(guild_id, person)
    await town.storage.ledger.drop(guild_id, person, server.role_id)
    with town.meter.measured() as spent:
        await _take_turn(town, guild_id, person)
        await town.quiet()
    if server.writes != [("PUT", person, server.role_id)]:
        raise RuntimeError(f"not one role was written: {server.writes}")
    return spent().statements


async def _take_turn(town: Province, guild_id: GuildId, person: DiscordUserId) -> None:
    (turn,) = town.app.reconciler.mark(guild_id, [person], trigger=Trigger.WEBHOOK)
    await turn


def _somebody(town: Province) -> tuple[GuildId, DiscordUserId]:
    (server,), (campaign,) = town.servers, town.campaigns
    _, account = campaign.patrons[0]
    return GuildId(server.id), DiscordUserId(account or 0)
