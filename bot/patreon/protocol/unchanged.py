"""What is remembered of a list's pages: a row whose bytes are as they were an hour ago is not read again. Pure.

It is remembered what bytes say, never what became of it: whether that is news is found out each time. Bytes are known
by Python's hash of them, whose seed is another one in every process: it is kept in memory alone, and nobody can make
two rows that pass for one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import overload

import msgspec

from bot.domain.listed_row import ListedRow
from bot.domain.model import DiscordUserId, Membership, Tier

MOST_STALE_SHARE = 0.25  # of rows that have changed since, among those that are remembered


class IncludedPart(msgspec.Struct, frozen=True, gc=False):
    """What stands beside a page's rows: the Discord accounts that Patreon reports, by user, and tiers."""

    accounts: Mapping[str, DiscordUserId]
    tiers: tuple[Tier, ...]


class KnownPages:
    """One campaign's rows as its last reads found them, by the hash of their bytes; it grows as pages are read."""

    def __init__(self) -> None:
        self.rows: dict[int, ListedRow] = {}
        self.included: dict[int, IncludedPart] = {}  # page by page

    def forget(self) -> None:
        """Read everything again."""
        self.rows.clear()
        self.included.clear()

    def forget_stale(self, *, rows: int, pages: int) -> None:
        """Forget all where too much is of rows or pages that are no more; a whole list of so many has been read."""
        if len(self.rows) > rows * (1 + MOST_STALE_SHARE):
            self.rows.clear()
        if len(self.included) > pages * (1 + MOST_STALE_SHARE):
            self.included.clear()


class LazyReadings(Sequence[Membership]):
    """The readings of a page's rows, each made when it is asked for; `listed` are the same rows in short."""

    def __init__(self, listed: Sequence[ListedRow], read: Callable[[int], Membership]) -> None:
        self.listed = listed
        self._read = read

    def __len__(self) -> int:
        return len(self.listed)

    @overload
    def __getitem__(self, at: int) -> Membership: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Membership]: ...
    def __getitem__(self, at: int | slice) -> Membership | Sequence[Membership]:
        places = range(len(self.listed))[at]
        return self._read(places) if isinstance(places, int) else [self._read(place) for place in places]
