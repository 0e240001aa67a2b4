"""`python run.py move-database --to URL`: the whole of a stopped bot's database into another one, either way.

Can be run again after a break. The old database is only read.
"""

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

from bot.domain.errors import NeedsOwner, Setup
from bot.ops.ownership import PERIOD, owned, stopping_at_a_bot
from bot.runtime.progress import Tell
from bot.storage import copying
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases
from bot.storage.sqlite import database_file

_OF_TARGET: dict[str, Setup] = {
    Setup.DATABASE_NOT_MADE: Setup.TARGET_UNUSABLE,
    Setup.DATABASE_UNUSABLE: Setup.TARGET_UNUSABLE,
    Setup.DATABASE_SILENT: Setup.TARGET_UNUSABLE,
    Setup.DATABASE_LOCKED: Setup.TARGET_LOCKED,
}


async def move_database(source_url: str, target_url: str, tell: Tell) -> int:
    """Copy everything and compare; return how many rows there are.

    NeedsOwner where a bot works on either, the old one lacks a step or is an unfinished copy itself, the new one is the
    same or not empty, or a table came out differently.
    """
    if source_url == target_url or _are_one_file(source_url, target_url):
        raise NeedsOwner(Setup.MOVED_TO_ITSELF)
    async with AsyncExitStack() as stack:
        await (await Database.attach(source_url)).close()  # it must be there: to open one makes it
        with stopping_at_a_bot():
            source = await _open(stack, source_url)
            lease = await stack.enter_async_context(owned(source))
        if not await source.is_whole():  # the new one's tables are made at once, as after every step
            raise NeedsOwner(Setup.STEPS_WAIT)
        if await copying.is_unfinished(source):
            raise NeedsOwner(Setup.COPY_UNFINISHED)
        target = await _open_target(stack, target_url, lease)
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


def _are_one_file(one: str, other: str) -> bool:
    """Tell whether two addresses name the same file of SQLite."""
    file, same = database_file(one), database_file(other)
    return file is not None and same is not None and os.path.realpath(file) == os.path.realpath(same)


async def _open_target(stack: AsyncExitStack, url: str, lease: Lease | None) -> Database:
    """Open the new database, and keep every bot from it.

    A server's database has many addresses: in which the lease stands that we took on the old one is the old one.
    """
    with _said_of_the_new_one():
        target = await _open(stack, url)
    if lease is not None and target.is_shared and await Leases(target).renew(lease, PERIOD):
        raise NeedsOwner(Setup.MOVED_TO_ITSELF)
    with _said_of_the_new_one():
        await stack.enter_async_context(owned(target))
    return target


@contextmanager
def _said_of_the_new_one() -> Iterator[None]:
    """Say what is wrong of the database that --to names: else it would be said of the one that DATABASE_URL names."""
    try:
        yield
    except NeedsOwner as error:
        code = _OF_TARGET.get(error.code)
        if code is None:
            raise
        raise type(error)(code, **error.facts) from error


async def _open(stack: AsyncExitStack, url: str) -> Database:
    database = await Database.open(url)
    stack.push_async_callback(database.close)
    return database
