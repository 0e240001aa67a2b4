"""Who is planned next in one guild. Holds people, not writes: each is planned from the facts when their turn comes.

Someone who waits (a link, a webhook, a rejoin) goes before bulk grants, and those before bulk revokes, so a new patron
never queues behind a bulk run.
"""

import asyncio
import enum
import heapq
import time
from itertools import count

import msgspec

from bot.model import DiscordUserId, RoleId


class Urgency(enum.IntEnum):
    """Whose turn comes first."""

    WAITING = 0
    BULK_GRANT = 1
    BULK_REVOKE = 2


class Turn(msgspec.Struct, kw_only=True, eq=False):
    """One person's place in the queue; `done` is told, when the turn is over, which roles it wrote."""

    discord_user_id: DiscordUserId
    urgency: Urgency
    trigger: str
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

    def __len__(self) -> int:
        return len(self._turns)

    def oldest_seconds(self) -> float:
        """Return for how long the first of those who stand here has stood."""
        now = time.monotonic()
        return now - min((turn.since for turn in self._turns.values()), default=now)

    def put(
        self, discord_user_id: DiscordUserId, *, urgency: Urgency, trigger: str
    ) -> asyncio.Future[frozenset[RoleId]]:
        """Queue a person; the future is done after their next turn."""
        turn = self._turns.get(discord_user_id)
        if turn is None:
            done = asyncio.get_running_loop().create_future()
            if self._is_closed:
                done.cancel()
                return done
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
            while self._heap:
                urgency, _, discord_user_id = heapq.heappop(self._heap)
                turn = self._turns.get(discord_user_id)
                if turn is not None and turn.urgency is urgency:  # else: an outdated place of someone moved forward
                    del self._turns[discord_user_id]
                    return turn
            self._arrived.clear()
            await self._arrived.wait()
        return None

    def close(self) -> None:
        """Hand out no more turns, and let nobody wait for one that will not come."""
        self._is_closed = True
        self._arrived.set()
        for turn in self._turns.values():
            turn.done.cancel()
        self._turns.clear()
        self._heap.clear()
