"""What the two kinds of databases have in common: two engines, and what must be known of them to queue and to retry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine


class Ownership(Protocol):
    """That this process owns the database: a lock of the file system, or a row."""

    def release(self) -> None:
        """Let another process own it."""


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The engines of one database."""

    alone: AsyncEngine  # each statement is a transaction of its own
    together: AsyncEngine  # several that write are one transaction, as if nobody else wrote meanwhile
    max_readers: int
    max_writers: int
    is_shared: bool  # other processes may write
    patience_seconds: float | None  # for one reading or transaction; None: a file answers, or fails by itself
    came_between: Callable[[DBAPIError], bool]  # tells whether a transaction failed only because of others
    is_away: Callable[[DBAPIError], bool]  # tells whether the database could not be reached, or broke off

    async def dispose(self) -> None:
        """Close every connection."""
        await self.alone.dispose()
        await self.together.dispose()
