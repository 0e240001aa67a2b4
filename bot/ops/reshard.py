"""`python run.py reshard N`: how many shards there are from now on. Nothing is at Discord meanwhile."""

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.processes import ProcessRole
from bot.ops.ownership import is_bot_running
from bot.storage.database import Database
from bot.storage.shards import ShardLeases


async def change_shards(url: str, count: int) -> int | None:
    """Let there be so many; return how many there were, None where that was not known yet.

    NeedsOwner where a process speaks for any, or there is no database that this version can work on.
    """
    database = await Database.attach(url)
    try:
        shards = ShardLeases(database)
        before = await shards.count()
        is_taken = not database.is_shared and await is_bot_running(url, database)
        if is_taken or not await shards.change_count(count, gateway=ProcessRole.GATEWAY):
            raise NeedsOwner(Setup.GATEWAYS_RUN)
        return before
    finally:
        await database.close()
