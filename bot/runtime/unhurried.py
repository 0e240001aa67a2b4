"""Long work on the event loop, done so that nobody else waits for it: Discord wants an answer within three seconds."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

AT_A_TIME_SECONDS = 0.01
PORTION = 250  # records, each some hundredths of a millisecond to work out and to write


def portions(things: Iterable[T], most: int = PORTION) -> Iterator[list[T]]:
    """Go through many things some at a time, for a verb that takes several; each call of it lets the others go on."""
    left = iter(things)
    while some := list(islice(left, most)):
        yield some


async def unhurried(things: Iterable[T]) -> AsyncIterator[T]:
    """Go through many things, and let the others have a turn each hundredth of a second.

    What is read meanwhile may change in between: give it something that does not, or that nobody minds.
    """
    since = time.monotonic()
    for thing in things:
        yield thing
        if time.monotonic() - since >= AT_A_TIME_SECONDS:
            await asyncio.sleep(0)
            since = time.monotonic()
