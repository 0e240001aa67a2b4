"""A clock that stands still until it is moved."""

from datetime import datetime, timedelta

from tests.fakes.world import NEW_YEAR


class StoppedClock:
    """Shows the time that it was set to."""

    def __init__(self) -> None:
        self.time = NEW_YEAR

    def now(self) -> datetime:
        return self.time

    def move(self, **step: float) -> None:
        self.time += timedelta(**step)
