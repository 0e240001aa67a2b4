"""Sends events to hooks: what is due and to whom stands in rows, so nothing is lost with a process.

| what is sent at once      | how much                                                                        |
|---------------------------|---------------------------------------------------------------------------------|
| to one hook               | a few, and of one person one after another: a slow receiver makes only its own wait |
| to all hooks of a process | some dozens                                                                     |

Of several processes one at a time serves a hook, by a lease. One that ends between an answer and its row sends the
event again, under the same id. What an answer means is decided in `domain/hooks.py`; knows no HTTP and no signature.
"""

import asyncio
import random
from typing import NoReturn

import structlog

from bot.discord.notifier import Notifier
from bot.domain.errors import PledgekeeperError
from bot.domain.hooks import HookEvent, OffReason, next_try
from bot.domain.model import HookId
from bot.domain.notices import HookOff
from bot.hooks.sender import HookSender
from bot.runtime.clock import Clock
from bot.runtime.doorbell import Doorbell
from bot.storage import Storage
from bot.storage.hooks import HookTarget
from bot.storage.turns import Turns

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 15.0  # after a defect, or while a key is missing
AT_ONE_HOOK = 3
AT_ONCE = 30


class HookDeliveries:
    """Looks every second, and when it is rung; one worker for each hook to which something is due."""

    def __init__(self, *, storage: Storage, sender: HookSender, notifier: Notifier, turns: Turns, clock: Clock) -> None:
        self._storage = storage
        self._sender = sender
        self._notifier = notifier
        self._turns = turns
        self._clock = clock
        self._bell = Doorbell()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._workers: dict[HookId, asyncio.Task[None]] = {}

    def ring(self) -> None:
        """Look now."""
        self._bell.ring()

    async def run(self) -> NoReturn:
        """Send whatever is due, until cancelled."""
        while True:
            await self.look()
            await self._bell.wait(LOOK_SECONDS)

    async def look(self) -> None:
        """Let a worker begin for each hook to which something is due, or of which something is to be told."""
        for hook_id in await self._storage.hooks.list_busy(self._clock.now()):
            if hook_id not in self._workers:
                self._workers[hook_id] = asyncio.create_task(self._serve(hook_id), name=f"hook {hook_id}")

    async def close(self) -> None:
        """Leave the rest to the next process."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    async def _serve(self, hook_id: HookId) -> None:
        try:
            async with self._turns.take(f"hook:{hook_id}") as turn:
                if turn is not None:
                    await turn.carry_out(self._send_all(hook_id))
        except PledgekeeperError as error:
            log.warning("events are sent later", hook_id=hook_id, why=str(error))
            await asyncio.sleep(AGAIN_SECONDS)
        except Exception:  # the boundary of a background task: the rows are still there
            log.exception("events could not be sent", hook_id=hook_id)
            await asyncio.sleep(AGAIN_SECONDS)
        finally:
            del self._workers[hook_id]

    async def _send_all(self, hook_id: HookId) -> None:
        """Send what is due until nothing is, or the hook is off: then its admins are told."""
        while (target := await self._storage.hooks.open(hook_id)) is not None:
            if target.hook.off_at is not None:
                await self._tell_off(target)
                return
            due = await self._storage.hooks.list_due(hook_id, self._clock.now(), most=AT_ONE_HOOK)
            if not due:
                return
            await asyncio.gather(*(self._send(target, event) for event in due))

    async def _send(self, target: HookTarget, event: HookEvent) -> None:
        async with self._at_once:
            answer = await self._sender.send(target.url, target.secret, message_id=event.message_id, body=event.body)
        now, off = self._clock.now(), None
        again_at = None
        if answer.is_gone:
            off = OffReason.GONE
        elif not answer.is_success:
            first, tries = event.first_tried_at or now, event.tries + 1
            chance = random.random()  # noqa: S311  no secret
            again_at = next_try(tries=tries, first_tried_at=first, now=now, chance=chance, wait=answer.wait)
            off = OffReason.FAILING if again_at is None else None
            log.info(
                "an event has not arrived",
                hook_id=event.hook_id,
                message_id=event.message_id,
                status=answer.status,
                failure=answer.failure and str(answer.failure),
                tries=tries,
            )
        await self._storage.hooks.note_answer(event, answer, at=now, again_at=again_at, off=off)

    async def _tell_off(self, target: HookTarget) -> None:
        hook = target.hook
        if target.is_told_off or hook.off_reason is None:
            return
        log.warning("nothing is sent to a hook any more", hook_id=hook.hook_id, why=str(hook.off_reason))
        off = HookOff(hook_id=hook.hook_id, place=hook.place, reason=hook.off_reason)
        await self._notifier.tell_admin(hook.guild_id, off)
        await self._storage.hooks.note_told_off(hook.hook_id, self._clock.now())
