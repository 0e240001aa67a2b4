"""What stands behind the REST API, the gateway and the acts of people: the world, all that changes it, and its limits.

Builds these parts and keeps the list of REST requests. Knows no route, no socket and no act of a person.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox.clock import SandboxClock
from sandbox.discord.changes import Changes
from sandbox.discord.files import Files
from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions import Interactions
from sandbox.discord.ratelimits import RateLimits
from sandbox.discord.state import DiscordState
from sandbox.peers import Peer
from sandbox.weather import Weather

ROLE_WRITES_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """A REST request that was made; status 0: it got no answer. An interaction's token is left out of the path."""

    at: datetime
    method: str
    path: str
    route: str
    status: int
    user_agent: str
    pid: int | None = None  # of the process that asked, where it is on this machine


@dataclass(frozen=True, slots=True)
class RoleWrite:
    """A request to give or take a role, and who made it; `role_id` is None where it edits the member as a whole.

    `began` and `ended` are monotonic; status 0: it got no answer.
    """

    began: float
    ended: float
    method: str
    guild_id: str
    user_id: str
    role_id: str | None
    status: int
    peer: Peer


class Backend:
    """Discord without a socket; `state` is its world, `calls` what the bot asked over REST, `role_writes` who wrote."""

    def __init__(self, state: DiscordState, *, clock: SandboxClock, weather: Weather) -> None:
        state.clock = clock
        self.state = state
        self.weather = weather
        self.calls: list[Call] = []
        self.role_writes: deque[RoleWrite] = deque(maxlen=ROLE_WRITES_KEPT)
        self._call_watchers: list[Callable[[Call], None]] = []
        self.limits = RateLimits()
        self.files = Files(state.ids, clock)
        self.gateway = Gateway(state, weather)
        self.changes = Changes(state, self.gateway)
        self.interactions = Interactions(self.changes)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback()` after each change."""
        self.changes.on_change(callback)

    def on_call(self, watcher: Callable[[Call], None]) -> None:
        """Call `watcher(call)` after each REST request."""
        self._call_watchers.append(watcher)

    def note(self, call: Call) -> None:
        """Keep a request in the list of calls."""
        self.calls.append(call)
        for watcher in self._call_watchers:
            watcher(call)
