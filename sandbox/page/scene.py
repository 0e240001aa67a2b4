"""What the page shows, gathered for one who looks at it: three panes, the time, the guide. Reads only."""

from collections.abc import Mapping
from datetime import datetime

from sandbox.page.address import Address
from sandbox.page.chat import ChatPane
from sandbox.page.guide import Program, Step, program, steps
from sandbox.page.inside import InsidePane
from sandbox.page.parts import Parts
from sandbox.page.patrons import PatreonPane


class Scene:
    """The page's content; templates read its attributes."""

    def __init__(self, parts: Parts, asked: Mapping[str, str]) -> None:
        self._parts = parts
        self.asked = asked
        self.address = Address(asked)
        self.chat = ChatPane(parts, asked)
        self.patreon = PatreonPane(parts, asked)
        self.inside = InsidePane(parts)

    @property
    def now(self) -> datetime:
        return self._parts.clock.now()

    @property
    def next_charge(self) -> datetime | None:
        """When the next charge is due, at any campaign."""
        return self._parts.patreon.state.next_due()

    @property
    def notice(self) -> str:
        return self.asked.get("notice", "")

    @property
    def problem(self) -> str:
        return self.asked.get("problem", "")

    @property
    def guide(self) -> list[Step]:
        return steps(self._parts)

    @property
    def program(self) -> Program:
        return program(self._parts)
