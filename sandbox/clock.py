"""The sandbox's time: the real one, moved by whoever plays. Knows which processes asked for it, and not what for."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Real time, from the moment at which the world begins, plus what was added by hand; it only goes forward."""

    def __init__(self) -> None:
        self.asked: Counter[int | None] = Counter()  # how often, by process; None: by one that is not known
        self._ahead = timedelta()
        self._watchers: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        """Return the present moment in the sandbox, aware, in UTC."""
        return datetime.now(UTC) + self._ahead

    def tell(self, process: int | None) -> datetime:
        """Return the same to a process that follows this clock."""
        self.asked[process] += 1
        return self.now()

    def begin_at(self, moment: datetime) -> None:
        """Let it be `moment` now, which may lie in the past: for a world that is not lived in yet."""
        self._ahead = moment - datetime.now(UTC)

    def move(self, step: timedelta) -> datetime:
        """Move time forward by `step` and tell the watchers. Raises ValueError for a step backwards."""
        if step < timedelta():
            raise ValueError("time in the sandbox only moves forward")
        self._ahead += step
        now = self.now()
        for watcher in self._watchers:
            watcher(now)
        return now

    def on_move(self, watcher: Callable[[datetime], None]) -> None:
        """Call `watcher(now)` after each move."""
        self._watchers.append(watcher)
