"""Whose turn it is where everybody's comes once in a while: the next ones of a sorted list, as many as time has passed.

Pure but for its place on the list, which a restart may lose: then everybody's turn has come.

    never taken, or a whole period ago, or a clock set back   everybody
    less than a portion is due                                nobody yet
    else                                                      the next ones after the last, in whole portions, or
                                                              the rest of the list
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T", bound=int | str)


class RoundRobin(Generic[T]):
    """Goes through a list that may change meanwhile, all of it once in each period."""

    def __init__(self, period: timedelta, *, portion: int = 1, begun_at: datetime | None = None) -> None:
        self._period = period
        self._portion = portion
        self._at = begun_at
        self._last: T | None = None

    def take(self, everyone: Sequence[T], now: datetime) -> list[T]:
        """Return those of a sorted list whose turn has come."""
        passed = None if self._at is None else now - self._at
        if passed is None or not timedelta() <= passed < self._period:
            self._at, self._last = now, None
            return list(everyone)
        due, place = int(len(everyone) * (passed / self._period)), self._place(everyone)
        taken: list[T] = []
        while everyone and len(taken) + (size := min(self._portion, len(everyone) - place)) <= due:
            taken += everyone[place : place + size]
            place = (place + size) % len(everyone)
        if taken:
            self._at, self._last = now - passed + self._period * (len(taken) / len(everyone)), taken[-1]
        return taken

    def _place(self, everyone: Sequence[T]) -> int:
        """Return the place of the first who comes after the last one taken, who may be gone."""
        if self._last is None:
            return 0
        place = bisect_right(everyone, self._last)
        return place if place < len(everyone) else 0
