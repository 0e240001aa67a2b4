"""Delivers webhooks: signed, in the background, again and again while they fail.

Patreon docs, webhooks v2: a failed delivery is kept and tried again after about an hour, three hours, a day,
three days and three times a week; after that it waits for somebody to unpause the webhook. The next success
sends all that waits. These times are the sandbox's. There is no id and no time in a delivery.
"""

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp

from sandbox.clock import SandboxClock
from sandbox.patreon.faults import WEBHOOK_FAULTS
from sandbox.patreon.model import Webhook
from sandbox.weather import Weather

USER_AGENT = "Patreon HTTP Robot"
RETRIES = (
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(weeks=1),
    timedelta(weeks=1),
    timedelta(weeks=1),
)
LATE = timedelta(hours=1)
TIMEOUT = aiohttp.ClientTimeout(total=10)
# How often the sandbox's clock, which runs with the real one, is looked at while something waits.
LOOK_SECONDS = 1.0


def sign(body: bytes, secret: str) -> str:
    """Return X-Patreon-Signature: HMAC-MD5 of the raw body, in hex."""
    return hmac.new(secret.encode(), body, hashlib.md5).hexdigest()


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way; `due_at` is null once only a success or an unpause can send it."""

    webhook: Webhook
    trigger: str
    body: bytes
    due_at: datetime | None
    attempts: int = 0


class Deliveries:
    """The deliveries under way, and the task that sends them."""

    def __init__(self, clock: SandboxClock, weather: Weather) -> None:
        self._clock = clock
        self._weather = weather
        self._waiting: deque[Delivery] = deque()
        self._held_until = clock.now()
        self._wake = asyncio.Event()
        self._at_rest = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[Delivery, int], None]] = []
        clock.on_move(lambda _now: self._look())

    @property
    def waiting(self) -> int:
        """How many events were not delivered yet."""
        return len(self._waiting)

    async def rest(self) -> None:
        """Wait until nothing is under way and nothing is due."""
        await self._at_rest.wait()

    def on_attempt(self, watcher: Callable[[Delivery, int], None]) -> None:
        """Call `watcher(delivery, status)` after each attempt; 0 means that nobody answered."""
        self._watchers.append(watcher)

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop sending; what waits goes on waiting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def send(self, webhook: Webhook, trigger: str, body: bytes) -> None:
        """Put one event on its way, under the weather of the hour."""
        now = self._clock.now()
        delivery = Delivery(webhook, trigger, body, now)
        line = f"POST {urlsplit(webhook.uri).path} {trigger}"
        fault = self._weather.take("patreon", line, among=WEBHOOK_FAULTS)
        if fault == "webhook_late":
            delivery.due_at = now + LATE
        elif fault == "webhook_paused":
            webhook.is_paused = True
        elif fault == "webhook_twice":
            self._waiting.append(Delivery(webhook, trigger, body, now))
        elif fault == "webhook_reordered":
            # All that is held goes at one moment, the latest first; whatever is not held overtakes it.
            if self._held_until <= now:
                self._held_until = now + timedelta(seconds=LOOK_SECONDS)
            delivery.due_at = self._held_until
            self._waiting.appendleft(delivery)
            return self._look()
        self._waiting.append(delivery)
        return self._look()

    def flush(self, webhook: Webhook) -> None:
        """Make all that waits for a webhook due now."""
        now = self._clock.now()
        for delivery in self._waiting:
            if delivery.webhook is webhook:
                delivery.due_at = now
        self._look()

    def drop(self, webhook: Webhook) -> None:
        """Forget all that waits for a webhook which is gone."""
        self._waiting = deque(delivery for delivery in self._waiting if delivery.webhook is not webhook)

    def _look(self) -> None:
        self._at_rest.clear()
        self._wake.set()

    async def _run(self) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT, headers={"User-Agent": USER_AGENT}) as session:
            while True:
                delivery = self._next()
                if delivery is None:
                    await self._rest()
                    continue
                self._waiting.remove(delivery)
                await self._attempt(session, delivery)

    async def _rest(self) -> None:
        """Wait for an event or a move of the clock; while something waits, look at the time now and then."""
        self._at_rest.set()
        try:
            async with asyncio.timeout(LOOK_SECONDS if self._waiting else None):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _next(self) -> Delivery | None:
        now = self._clock.now()
        for delivery in self._waiting:
            if delivery.due_at is not None and delivery.due_at <= now and not delivery.webhook.is_paused:
                return delivery
        return None

    async def _attempt(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        webhook, now = delivery.webhook, self._clock.now()
        webhook.last_attempted_at = now
        status = await _post(session, delivery)
        for watcher in self._watchers:
            watcher(delivery, status)
        if 200 <= status < 300:
            had_failed = webhook.failures > 0
            webhook.failures = 0
            if had_failed:
                self.flush(webhook)
            return
        webhook.failures += 1
        tries_left = delivery.attempts < len(RETRIES)
        delivery.due_at = now + RETRIES[delivery.attempts] if tries_left else None
        delivery.attempts += 1
        webhook.is_paused = webhook.is_paused or not tries_left
        self._waiting.append(delivery)


async def _post(session: aiohttp.ClientSession, delivery: Delivery) -> int:
    """Send one event and return the status, 0 where there was no answer."""
    headers = {
        "Content-Type": "application/json",
        "X-Patreon-Event": delivery.trigger,
        "X-Patreon-Signature": sign(delivery.body, delivery.webhook.secret),
    }
    uri = delivery.webhook.uri
    try:
        async with session.post(uri, data=delivery.body, headers=headers, allow_redirects=False) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
