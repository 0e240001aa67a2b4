"""Who is planned next in one guild. Holds people, not writes: each is planned from the facts when their turn comes.

Someone who waits (a link, a webhook, a rejoin) goes before bulk grants, and those before bulk revokes, so a new patron
never queues behind a bulk change. Who was changed in Discord, by our own writes too, is looked at in between: nobody
waits for what such a look leads to. While the queue rests (Discord takes no writes) people are queued, and are told at
once that nothing was written.
"""

import asyncio
import heapq
import time
from collections.abc import Iterator
from itertools import count

import msgspec

from bot.domain.changes import Trigger, Urgency
from bot.domain.model import DiscordUserId, RoleId


class Turn(msgspec.Struct, kw_only=True, eq=False):
    """One person's place in the queue; `done` is told, when the turn is over, which roles it wrote."""

    discord_user_id: DiscordUserId
    urgency: Urgency
    trigger: Trigger
    done: asyncio.Future[frozenset[RoleId]]
    since: float = msgspec.field(default_factory=time.monotonic)


class PeopleQueue:
    """A queue in which each person stands once, at the most urgent place they were put."""

    def __init__(self) -> None:
        self._turns: dict[DiscordUserId, Turn] = {}
        self._heap: list[tuple[Urgency, int, DiscordUserId]] = []
        self._order = count()
        self._arrived = asyncio.Event()
        self._is_closed = False
        self._is_resting = False

    def __len__(self) -> int:
        return len(self._turns)

    def __contains__(self, discord_user_id: object) -> bool:
        return discord_user_id in self._turns

    def waiting(self) -> Iterator[DiscordUserId]:
        """Go through those who wait, not through the bulk."""
        return (person for person, turn in self._turns.items() if turn.urgency is Urgency.WAITING)

    def oldest_seconds(self) -> float:
        """Return for how long the first of those who stand here has stood."""
        now = time.monotonic()
        return now - min((turn.since for turn in self._turns.values()), default=now)

    def awaited_seconds(self) -> float:
        """Return for how long the first of those has stood for whom somebody waits: not of the bulk."""
        now = time.monotonic()
        since = (turn.since for turn in self._turns.values() if turn.urgency is Urgency.WAITING)
        return now - min(since, default=now)

    def put(
        self, discord_user_id: DiscordUserId, *, urgency: Urgency, trigger: Trigger
    ) -> asyncio.Future[frozenset[RoleId]]:
        """Queue a person; the future is done after their next turn, or at once while the queue rests."""
        turn = self._turns.get(discord_user_id)
        if turn is None:
            done = asyncio.get_running_loop().create_future()
            if self._is_closed:
                done.cancel()
                return done
            if self._is_resting:
                done.set_result(frozenset())
            turn = Turn(discord_user_id=discord_user_id, urgency=urgency, trigger=trigger, done=done)
            self._turns[discord_user_id] = turn
        elif urgency < turn.urgency:
            turn.urgency, turn.trigger = urgency, trigger
        else:
            return turn.done
        heapq.heappush(self._heap, (urgency, next(self._order), discord_user_id))
        self._arrived.set()
        return turn.done

    async def get(self) -> Turn | None:
        """Wait for the next person and take them out; None once the queue is closed."""
        while not self._is_closed:
            if (turn := self._first()) is not None:
                return self._take(turn)
            self._arrived.clear()
            await self._arrived.wait()
        return None

    def get_before(self, urgency: Urgency) -> Turn | None:
        """Take out the next person, if they come before those of `urgency`."""
        first = self._first()
        return self._take(first) if first is not None and first.urgency < urgency else None

    def has_before(self, urgency: Urgency) -> bool:
        """Tell whether somebody stands here who comes before those of `urgency`."""
        first = self._first()
        return first is not None and first.urgency < urgency

    def rest(self) -> None:
        """Let nobody wait for a turn that may be long in coming; everyone keeps their place."""
        self._is_resting = True
        for turn in self._turns.values():
            if not turn.done.done():
                turn.done.set_result(frozenset())

    def go_on(self) -> None:
        """Let people wait for their turns again."""
        self._is_resting = False

    @property
    def is_closed(self) -> bool:
        """Tell whether no more turns are handed out."""
        return self._is_closed

    def _first(self) -> Turn | None:
        while self._heap:
            urgency, _, discord_user_id = self._heap[0]
            turn = self._turns.get(discord_user_id)
            if turn is not None and turn.urgency is urgency:
                return turn
            heapq.heappop(self._heap)  # an outdated place of someone who was moved forward
        return None

    def _take(self, turn: Turn) -> Turn:
        heapq.heappop(self._heap)
        return self._turns.pop(turn.discord_user_id)

    def close(self) -> None:
        """Hand out no more turns, and let nobody wait for one that will not come."""
        self._is_closed = True
        self._arrived.set()
        for turn in self._turns.values():
            turn.done.cancel()
        self._turns.clear()
        self._heap.clear()
