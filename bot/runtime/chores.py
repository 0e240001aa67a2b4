"""Chores: what some process does once, soon. Who asks for one knows neither when it is done nor by whom.

- What waits is merged: the same kind and key twice is one chore. What runs is never: whoever asks meanwhile has news
  that a chore under way may have passed by, so it is done again, maybe beside the first.
- A chore ends well. Its failure is logged and no more: when it is due again is a fact somewhere else.
- It may be done twice, where a process was lost in the midst of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Protocol

import structlog

from bot.runtime.background import let_end

log = structlog.get_logger(__name__)

AT_ONCE = 4  # in one process


class ChoreKind(StrEnum):
    """What can be asked for. The words are stored, so none changes."""

    FIRST_READ = "first_read"  # of a campaign that a server has begun to follow; its key is the campaign's id


Handler = Callable[[str], Awaitable[object]]
Handlers = Mapping[ChoreKind, Handler]


class Chores(Protocol):
    """The way to have a chore done."""

    async def ask(self, kind: ChoreKind, key: str) -> None:
        """Let somebody do it soon. DatabaseAway where others could not be asked."""

    async def close(self) -> None:
        """Let the work under way end, and cut what takes too long; nothing is asked for any more."""


class DirectChores:
    """Does them in this process: what waits or is cut is forgotten with it."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._waiting: dict[tuple[ChoreKind, str], None] = {}  # the first one first
        self._running: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def ask(self, kind: ChoreKind, key: str) -> None:
        """Do it, as soon as fewer than AT_ONCE are under way."""
        self._waiting[kind, key] = None
        self._begin()

    async def close(self) -> None:
        """Let the work under way end."""
        self._is_closed = True
        await let_end(self._running)

    def _begin(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE and not self._is_closed:
            kind, key = next(iter(self._waiting))
            del self._waiting[kind, key]
            task = asyncio.create_task(do_chore(self._handlers[kind], kind, key), name=f"chore {kind}")
            self._running.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin()


async def do_chore(handler: Handler, kind: ChoreKind, key: str) -> None:
    """Do one: whatever it raises is logged, unless it was cut itself."""
    try:
        await handler(key)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        log.warning("a chore was given up", kind=kind, key=key)  # what it waited for was cut
    except Exception:  # the boundary of a chore
        log.exception("a chore failed", kind=kind, key=key)
