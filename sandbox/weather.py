"""Weather: faults that someone switches on for a route of one of the two services. Knows names, not what they do."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Service = Literal["discord", "patreon"]


@dataclass
class Fault:
    """One switched-on fault: `times` uses are left (None: until cleared), after `after` requests went through.

    With `above`, only requests for a list with more rows than that on a page are meant. `struck` is how often it did
    strike: of a fault whose route nobody asks for, that stays 0.
    """

    service: Service
    route: str
    fault: str
    times: int | None = None
    after: int = 0
    above: int = 0
    struck: int = 0

    def matches(self, request_line: str, rows: int | None = None) -> bool:
        """Tell whether "METHOD /path" is meant: by glob where the route has a star, else by containing it.

        `rows` is how many rows it asks for on a page, where it does.
        """
        if self.above and (rows is None or rows <= self.above):
            return False
        if "*" in self.route:
            return fnmatchcase(request_line, self.route) or fnmatchcase(request_line, f"*{self.route}")
        return self.route in request_line


class Weather:
    """All switched-on faults, oldest first."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._known: dict[Service, AbstractSet[str]] = {}
        self._watchers: list[Callable[[], None]] = []

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher()` after each fault that is switched on or off."""
        self._watchers.append(watcher)

    def learn(self, service: Service, faults: AbstractSet[str]) -> None:
        """Take it that a service carries out these faults and no others."""
        self._known[service] = faults

    def set(self, fault: Fault) -> None:
        """Switch one more fault on. Raises ValueError for one that would never strike, as no service carries it out."""
        if fault.fault not in self._known.get(fault.service, {fault.fault}):
            raise ValueError(f"{fault.service} carries out no fault {fault.fault!r}")
        self.faults.append(fault)
        self._tell()

    def switch_off(self, service: Service, fault: str) -> None:
        """Switch a fault off, on whatever routes it was on."""
        self.faults = [one for one in self.faults if (one.service, one.fault) != (service, fault)]
        self._tell()

    def clear(self) -> None:
        """Bring back fair weather."""
        self.faults.clear()
        self._tell()

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()

    def take(
        self, service: Service, request_line: str, *, among: frozenset[str] | None = None, rows: int | None = None
    ) -> str | None:
        """Return the fault that strikes this request, counting it as used; only those in `among`, where given."""
        for fault in self.faults:
            wanted = among is None or fault.fault in among
            if fault.service != service or not wanted or not fault.matches(request_line, rows):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.struck += 1
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
            return fault.fault
        return None
