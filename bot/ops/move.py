"""`python run.py move-database --to URL`: the whole of a stopped bot's database into another one, either way.

Can be run again after a break. The old database is only read.
"""

from contextlib import AsyncExitStack

from bot.domain.errors import NeedsOwner, Setup
from bot.ops.ownership import owned, stopping_at_a_bot
from bot.runtime.progress import Tell
from bot.storage import copying
from bot.storage.database import Database

_OF_TARGET: dict[str, Setup] = {
    Setup.DATABASE_NOT_MADE: Setup.TARGET_UNUSABLE,
    Setup.DATABASE_UNUSABLE: Setup.TARGET_UNUSABLE,
    Setup.DATABASE_SILENT: Setup.TARGET_UNUSABLE,
    Setup.DATABASE_LOCKED: Setup.TARGET_LOCKED,
}


async def move_database(source_url: str, target_url: str, tell: Tell) -> int:
    """Copy everything and compare; return how many rows there are.

    NeedsOwner where a bot works on either, the old one lacks a step, the new one is not empty, or a table came out
    differently.
    """
    if source_url == target_url:
        raise NeedsOwner(Setup.MOVED_TO_ITSELF)
    async with AsyncExitStack() as stack:
        with stopping_at_a_bot():
            source = await _open(stack, source_url, must_exist=True)
        if not await source.is_whole():  # the new one's tables are made at once, as after every step
            raise NeedsOwner(Setup.STEPS_WAIT)
        target = await _open_target(stack, target_url)
        if not await copying.is_free(target):
            raise NeedsOwner(Setup.TARGET_NOT_EMPTY)
        total, done = await copying.count_rows(source), 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            tell(done, total)

        await copying.copy_rows(source, target, count)
        wrong = await copying.finish(source, target)
        if wrong:
            raise NeedsOwner(Setup.COPY_DIFFERS, tables=wrong)
        return total


async def _open_target(stack: AsyncExitStack, url: str) -> Database:
    """Open the new database; what is wrong with it is not said of the one that DATABASE_URL names."""
    try:
        return await _open(stack, url)
    except NeedsOwner as error:
        code = _OF_TARGET.get(error.code)
        if code is None:
            raise
        raise type(error)(code, **error.facts) from error


async def _open(stack: AsyncExitStack, url: str, *, must_exist: bool = False) -> Database:
    if must_exist:
        await (await Database.attach(url)).close()
    database = await Database.open(url)
    stack.push_async_callback(database.close)
    await stack.enter_async_context(owned(database))
    return database
