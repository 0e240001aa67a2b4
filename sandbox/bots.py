"""The bot's processes: one that does everything, or several that share the work on one PostgreSQL.

Knows what each is called and which roles it is told to take, and nothing of what they do.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sandbox.botprocess import BOT_COMMAND, KEPT_LINES, BotProcess
from sandbox.ports import quiet_port

ALONE = ((),)
CLUSTER = (("gateway",), ("gateway",), ("worker",), ("worker",), ("web",), ("web",))
WEB = "web"


@dataclass(frozen=True, kw_only=True)
class Bot:
    """One process: without roles it does everything."""

    name: str
    roles: tuple[str, ...]
    port: int
    process: BotProcess

    @property
    def answers(self) -> bool:
        """Tell whether it serves pages now."""
        return WEB in self.roles and self.process.running and not self.process.paused


class Bots:
    """All processes, in the order in which they are named."""

    def __init__(self, layout: Sequence[Sequence[str]], *, port: int, command: Sequence[str] = BOT_COMMAND) -> None:
        """Make a process for each group of roles; one that is alone listens on `port`."""
        self._merged: deque[str] = deque(maxlen=KEPT_LINES)
        seen: Counter[str] = Counter()
        members = []
        for roles in map(tuple, layout):
            kind = "+".join(roles)
            seen[kind] += 1
            options = [part for role in roles for part in ("--role", role)]
            members.append(
                Bot(
                    name=f"{kind}-{seen[kind]}" if roles else "bot",
                    roles=roles,
                    port=quiet_port() if len(layout) > 1 else port,
                    process=BotProcess({}, command=(*command, *options)),
                )
            )
        self.members = tuple(members)
        for one in members:
            one.process.on_line(partial(self._merge, one.name))

    @property
    def first(self) -> BotProcess:
        """The only process, or the first of several."""
        return self.members[0].process

    @property
    def are_several(self) -> bool:
        """Tell whether they share the work."""
        return len(self.members) > 1

    @property
    def lines(self) -> deque[str]:
        """What all have logged; of several each line begins with a name."""
        return self._merged if self.are_several else self.first.lines

    def find(self, name: str) -> Bot | None:
        """Return a process by its name."""
        return next((one for one in self.members if one.name == name), None)

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Let each start with these settings and with a port of its own."""
        for one in self.members:
            one.process.environment.update({**environment, "WEB_PORT": str(one.port)})

    async def start(self) -> None:
        """Start those that do not run."""
        await asyncio.gather(*(one.process.start() for one in self.members))

    async def stop(self) -> None:
        """Stop all, as an operator would."""
        await asyncio.gather(*(one.process.stop() for one in self.members))

    async def kill(self) -> None:
        """End all at once."""
        await asyncio.gather(*(one.process.kill() for one in self.members))

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher()` after each start, end and piece of log of any."""
        for one in self.members:
            one.process.on_change(watcher)

    def on_line(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(line)` for each line that any writes."""
        for one in self.members:
            one.process.on_line(watcher)

    def _merge(self, name: str, line: str) -> None:
        if self.are_several:
            self._merged.append(f"{name} | {line}")
