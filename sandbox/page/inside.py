"""The page's third pane: the bot itself, what it did, what it called, what goes wrong around it. Reads only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from sandbox.bots import Bot, Bots
from sandbox.page.forecast import FAULTS, ONCE, ROUTES, SWITCHES
from sandbox.page.happenings import Happening
from sandbox.page.parts import Parts
from sandbox.page.scripts import calls_of, faults_of

LOG_LINES_SHOWN = 200
HAPPENINGS_SHOWN = 80
PADDING = re.compile(r" +\]")


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One fault that one click switches on or off."""

    service: str
    fault: str
    route: str
    words: str
    is_on: bool
    times: str


class InsidePane:
    """The bot, its time line, its calls, the weather."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.faults: Mapping[str, Any] = FAULTS
        self.fault_routes: Mapping[str, Any] = ROUTES

    @property
    def bots(self) -> Bots:
        return self._parts.bots

    def shards_of(self, bot: Bot) -> list[int]:
        """The shards of the sessions that a process has at Discord now."""
        sessions = self._parts.discord.gateway.sessions.values()
        return sorted(
            one.shard[0]
            for one in sessions
            if one.outbox is not None and one.peer is not None and one.peer.pid == bot.process.pid
        )

    @property
    def happenings(self) -> list[Happening]:
        return list(islice(self._parts.timeline.entries, HAPPENINGS_SHOWN))

    @property
    def log(self) -> list[str]:
        """The latest lines, without the blanks that line columns up on a wide screen."""
        lines = self._parts.bots.lines
        latest = list(islice(reversed(lines), LOG_LINES_SHOWN))
        return [PADDING.sub("]", line) for line in reversed(latest)]

    @cached_property
    def calls(self) -> dict[str, Any]:
        return calls_of(self._parts)

    @cached_property
    def weather(self) -> list[dict[str, Any]]:
        return faults_of(self._parts)

    @property
    def switches(self) -> dict[str, list[Switch]]:
        """The faults that one click switches, by service."""
        on = {(fault["service"], fault["fault"]) for fault in self.weather}
        return {
            service: [
                Switch(
                    service=service,
                    fault=fault,
                    route=route,
                    words=words,
                    is_on=(service, fault) in on,
                    times="1" if fault in ONCE else "",
                )
                for fault, route, words in offered
            ]
            for service, offered in SWITCHES.items()
        }
