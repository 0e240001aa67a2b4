"""Watches the event loop: how long it stood still at the longest, and what the loop's thread did then.

A thread looks at a heart that the loop beats; where a beat is late it notes the stack. On a busy machine a beat may be
late through nobody's fault: what the loop's thread computed meanwhile is told too, and that is what tests limit.
"""

import asyncio
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Self

import msgspec

BEAT_SECONDS = 0.01
LATE_SECONDS = 0.05  # a shorter stop is not worth its stack


class Stop(msgspec.Struct):
    """One stop of the loop, and where it was seen the last time that the watchdog looked."""

    seconds: float
    busy_seconds: float  # CPU time of the loop's thread
    stack: str


NO_STOP = Stop(0.0, 0.0, "no stop worth a stack")


class Watchdog:
    """Notes the stops of the running loop between entry and exit."""

    def __init__(self) -> None:
        self.stops: list[Stop] = []
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._over = threading.Event()
        self._watched = threading.get_ident()
        self._beat, self._busy = time.monotonic(), time.thread_time()
        self._stack: str | None = None  # of the stop under way
        self._heart: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._watched = threading.get_ident()
        self._beat, self._busy = time.monotonic(), time.thread_time()
        self._strike()
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.sleep(2 * BEAT_SECONDS)  # a stop that just ended counts
        if self._heart is not None:
            self._heart.cancel()
        self._over.set()
        self._thread.join()

    @property
    def busiest(self) -> Stop:
        """The stop with the most to compute so far."""
        return max(self.stops, key=lambda stop: stop.busy_seconds, default=NO_STOP)

    @property
    def longest(self) -> Stop:
        """The longest stop so far."""
        return max(self.stops, key=lambda stop: stop.seconds, default=NO_STOP)

    def _strike(self) -> None:
        now, busy = time.monotonic(), time.thread_time()
        late = now - self._beat - BEAT_SECONDS
        if late > LATE_SECONDS:
            self.stops.append(Stop(late, busy - self._busy, self._stack or "not seen"))
        self._beat, self._busy, self._stack = now, busy, None
        self._heart = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._strike)

    def _watch(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            beat = self._beat
            if time.monotonic() - beat > BEAT_SECONDS + LATE_SECONDS:
                frame = sys._current_frames().get(self._watched)
                stack = "".join(traceback.format_stack(frame)[-12:])
                if self._beat == beat:  # else the stop is over, and this is another's stack
                    self._stack = stack
