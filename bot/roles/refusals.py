"""How long somebody rests whose writes Discord refuses for no reason that it names. Decides nothing else.

Kept in memory: after a restart each is tried once more, and nothing is lost by that.
"""

import time
from collections.abc import Callable

from bot.model import DiscordUserId, GuildId

FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 3600.0  # doubled with each refusal
TELL_AFTER = 3  # one may be a whim of Discord's

Person = tuple[GuildId, DiscordUserId]


class Refusals:
    """Counts refusals one after another, person by person."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts: dict[Person, int] = {}
        self._rests_until: dict[Person, float] = {}

    def note(self, person: Person) -> tuple[int, float]:
        """Learn of one more; return how many there were in a row, and for how many seconds the person rests."""
        count = self._counts[person] = self._counts.get(person, 0) + 1
        seconds = min(FIRST_REST_SECONDS * 2.0 ** min(count - 1, 20), LONGEST_REST_SECONDS)
        self._rests_until[person] = self._now() + seconds
        return count, seconds

    def is_resting(self, person: Person) -> bool:
        """Tell whether it is too early for another try."""
        return self._rests_until.get(person, 0.0) > self._now()

    def end(self, person: Person) -> bool:
        """Learn that a write went through, or that nothing is to be written; tell whether the admin was told."""
        self._rests_until.pop(person, None)
        return self._counts.pop(person, 0) >= TELL_AFTER
