"""Snowflake ids: 42 bits of milliseconds since 2015, then 22 bits (docs, "Snowflakes").

Ids of people, guilds and roles come from a seed, so that the same seed gives the same world; ids of messages and
interactions come from the clock, for clients read the time of birth out of them.
"""

from datetime import UTC, datetime, timedelta
from random import Random

DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
FIRST_BIRTHDAY = datetime(2021, 3, 1, tzinfo=UTC)
LOW_BITS = 22


def milliseconds(moment: datetime) -> int:
    """Return the milliseconds between Discord's epoch and `moment`."""
    return int((moment - DISCORD_EPOCH) / timedelta(milliseconds=1))


class Snowflakes:
    """Makes ids that only ever grow, in each of its two series."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._seeded = milliseconds(FIRST_BIRTHDAY)
        self._latest = 0

    def seeded(self) -> str:
        """Return the next id of the seeded world."""
        self._seeded += self._random.randint(60_000, 120_000)
        return str(self._seeded << LOW_BITS | self._random.getrandbits(LOW_BITS))

    def go_beyond(self, known: str) -> None:
        """Let all seeded ids from here on lie above one that is known."""
        self._seeded = max(self._seeded, int(known) >> LOW_BITS)

    def at(self, moment: datetime) -> str:
        """Return a new id born at `moment`."""
        self._latest = max(self._latest + 1, milliseconds(moment) << LOW_BITS)
        return str(self._latest)
