"""How long somebody rests whose writes Discord refuses for no reason that it names. Decides nothing else.

The roles that were refused rest; what else is to be written for the same person is written meanwhile.

Kept in memory: after a restart each is tried once more, and nothing is lost by that.
"""

import time
from collections.abc import Callable, Iterable

from bot.domain.model import DiscordUserId, GuildId, RoleId

FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 3600.0  # doubled with each refusal
TELL_AFTER = 3  # one may be a whim of Discord's

Person = tuple[GuildId, DiscordUserId]


class Refusals:
    """Counts refusals one after another, person by person."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts: dict[Person, int] = {}
        self._rests_until: dict[Person, float] = {}
        self._roles: dict[Person, frozenset[RoleId]] = {}

    def note(self, person: Person, role_ids: Iterable[RoleId]) -> tuple[int, float]:
        """Learn of one more; return how many there were in a row, and for how many seconds these roles rest."""
        self._roles[person] = frozenset(role_ids)
        count = self._counts[person] = self._counts.get(person, 0) + 1
        seconds = min(FIRST_REST_SECONDS * 2.0 ** min(count - 1, 20), LONGEST_REST_SECONDS)
        self._rests_until[person] = self._now() + seconds
        return count, seconds

    def resting(self, person: Person) -> frozenset[RoleId]:
        """Return the roles for which it is too early for another try."""
        is_early = self._rests_until.get(person, 0.0) > self._now()
        return self._roles.get(person, frozenset()) if is_early else frozenset()

    def refused(self, guild_id: GuildId) -> dict[DiscordUserId, frozenset[RoleId]]:
        """Return whose roles of a guild were refused at the last try, and which."""
        return {person: roles for (guild, person), roles in self._roles.items() if guild == guild_id}

    def wake(self, guild_id: GuildId) -> None:
        """Let everyone of a guild be tried at once; how often they were refused is not forgotten."""
        self._rests_until = {key: until for key, until in self._rests_until.items() if key[0] != guild_id}

    def end(self, person: Person) -> bool:
        """Learn that a write went through, or that nothing is to be written; tell whether the admin was told."""
        self._rests_until.pop(person, None)
        self._roles.pop(person, None)
        return self._counts.pop(person, 0) >= TELL_AFTER
