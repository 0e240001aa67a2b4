"""A gate before or behind a verb: so that a test, and not luck, orders what comes between two steps."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


class Gate:
    """Takes a verb's place, and holds up whoever comes until it is opened."""

    def __init__(self, verb: Callable[..., Awaitable[Any]], *, is_behind: bool = False) -> None:
        self._verb = verb
        self._is_behind = is_behind  # the verb is done by then
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, *args: Any, **options: Any) -> Any:
        answer = await self._verb(*args, **options) if self._is_behind else None
        self.reached.set()
        await self.opened.wait()
        return answer if self._is_behind else await self._verb(*args, **options)
