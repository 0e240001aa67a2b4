"""What all aggregates have in common: a verb that writes is one transaction, and ends what was kept of their tables."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.database import Database
from bot.storage.kept import Kept

MAX_VALUES = 500  # in one statement, by one column: databases limit how many it may carry


class Aggregate:
    """Tables that belong together, behind verbs that take and give values."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.kept = Kept(database)


A = TypeVar("A", bound=Aggregate)
P = ParamSpec("P")
R = TypeVar("R")


def transaction(
    verb: Callable[Concatenate[A, AsyncConnection, P], Awaitable[R]],
) -> Callable[Concatenate[A, P], Coroutine[Any, Any, R]]:
    """Make a verb one transaction and hand it the connection: all of it is kept, or nothing.

    It may run twice, where others came between, and is certain only afterwards: so it changes nothing in memory, asks
    nobody else, and takes from no iterator that is used up by that.
    """

    @wraps(verb)
    async def carry_out(self: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await self._database.transact(lambda connection: verb(self, connection, *args, **kwargs))
        finally:
            self.kept.forget()

    return carry_out
