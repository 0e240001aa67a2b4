"""Keeps several processes together inside Patreon's limits: each asks the database for slots before it sends.

Rules:
1. Slots are asked for as they are needed, some at a time where many are: half as many as were used lately, or as many
   as wait now. What is left over is lost when its slice of time ends, and whoever dies takes no more with them.
2. A rest that Patreon asks for is stored. Whoever asks for slots hears of it; the bell has slots in hand thrown away.
3. Nothing is sent while the database is away: nobody knows then what others send.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from bot.domain.errors import DatabaseAway, PatreonCode, PatreonThrottled
from bot.domain.model import Secret
from bot.domain.pace import Demand, Limit, Share
from bot.patreon.limiter import CLIENT_LIMIT, CLIENT_SECONDS, TOKEN_LIMIT, TOKEN_SECONDS, Key, Rests
from bot.patreon.protocol.retry import LONGEST_WAIT_SECONDS
from bot.runtime.sliding_window import SLACK_SECONDS

log = structlog.get_logger(__name__)

EVERYBODY = "client"
OF_CLIENT = Limit(most=CLIENT_LIMIT, seconds=CLIENT_SECONDS + SLACK_SECONDS, slices=4)
OF_TOKEN = Limit(most=TOKEN_LIMIT, seconds=TOKEN_SECONDS + SLACK_SECONDS)
MOST_AT_ONCE = 10  # others send, too


class SharedCounts(Protocol):
    """Where all processes count."""

    async def take(self, wanted: Mapping[Key, Demand]) -> dict[Key, Share]:
        """Take slots of several limits, as many as are left; none of what has to rest."""

    async def rest(self, key: Key, period: timedelta) -> None:
        """Let nobody ask with this for so long."""

    async def succeed(self, old: Key, fresh: Key) -> None:
        """Let a token that took another's place go on with its count and its rest."""


@dataclass
class Hand:
    """Slots that we have, until when (monotonic), and how many of that slice of time we have used."""

    until: float
    slots: int = 0
    used: int = 0


class SharedLimiter:
    """Makes each request wait its turn, by token and all together, whichever process sends it."""

    def __init__(
        self,
        counts: SharedCounts,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._counts = counts
        self._monotonic = monotonic
        self._sleep = sleep
        self._hands: dict[Key, Hand] = {}
        self._waiting: Counter[Key] = Counter()
        self._rests = Rests(monotonic)  # of which the database could not be told, too
        self._asking = asyncio.Lock()  # our own questions would only get in each other's way

    async def turn(self, key: Key) -> None:
        """Return once a request with this key may leave; it is counted from then on.

        Raises PatreonThrottled at once where the key rests for long, and DatabaseAway.
        """
        keys = (EVERYBODY, key)
        self._waiting.update(keys)
        try:
            while (wait := await self._try(keys)) > 0:
                await self._sleep(wait)
        finally:
            self._waiting.subtract(keys)
            self._waiting = +self._waiting

    async def rest(self, key: Key, seconds: float) -> None:
        """Let nothing be asked with this key for so long, by any process; a longer rest under way goes on."""
        self._rests.note(key, seconds)
        try:
            await self._counts.rest(key, timedelta(seconds=seconds))
        except DatabaseAway as away:  # nobody sends anything meanwhile
            log.warning("the other processes could not be told that Patreon asks for a rest", why=str(away))

    async def succeed(self, old: Secret, fresh: Secret) -> None:
        """Let a token that took another's place go on with its rest and its count: a refresh resets neither."""
        if old == fresh:
            return
        self._rests.succeed(old, fresh)
        await self._counts.succeed(old, fresh)

    def ring(self) -> None:
        """Ask before each request that comes now: another process has been told to rest."""
        self._hands.clear()

    async def _try(self, keys: tuple[Key, Key]) -> float:
        """Use a slot of each; where one has none, return how long to wait."""
        async with self._asking:
            asked = set[Key]()
            while (wait := self._rests.left(keys[1])) <= 0:
                missing = self._find_missing(keys, asked)
                if not missing:
                    for one in keys:
                        self._hands[one].slots -= 1
                        self._hands[one].used += 1
                    break
                if (wait := await self._ask(missing)) > 0:
                    break
                asked.update(missing)
            return wait

    def _find_missing(self, keys: tuple[Key, Key], asked: Container[Key]) -> list[Key]:
        """Return of which there is no slot; one of those just asked for is used at once, however long that took."""
        now = self._monotonic()
        self._hands = {known: hand for known, hand in self._hands.items() if hand.until > now or known in asked}
        return [one for one in keys if one not in self._hands or not self._hands[one].slots]

    async def _ask(self, keys: list[Key]) -> float:
        """Take slots into our hands; where there are none, return how long to wait."""
        asked_at = self._monotonic()
        shares = await self._counts.take({one: Demand(limit=_limit(one), slots=self._batch(one)) for one in keys})
        if any(share.is_rest and share.seconds >= LONGEST_WAIT_SECONDS for share in shares.values()):
            seconds = max(share.seconds for share in shares.values())
            raise PatreonThrottled(PatreonCode.RESTING, retry_after_seconds=seconds)
        for one, share in shares.items():
            if share.slots:
                until = asked_at + share.seconds
                hand = self._hands.setdefault(one, Hand(until))
                hand.until, hand.slots = min(hand.until, until), hand.slots + share.slots
        return max((share.seconds for share in shares.values() if not share.slots), default=0.0)

    def _batch(self, key: Key) -> int:
        hand = self._hands.get(key)
        return min(MOST_AT_ONCE, max(1, self._waiting[key], hand.used // 2 if hand is not None else 0))


def _limit(key: Key) -> Limit:
    """Return what limits a key. What is asked without a token has no limit of its own, but may have to rest."""
    return OF_TOKEN if isinstance(key, Secret) else OF_CLIENT
