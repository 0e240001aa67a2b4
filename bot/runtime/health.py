"""Whether each part of this process works, and when it last did. Knows no part: each one reports itself here.

A part that has never reported is not well: the process is ready only when all have that its roles ask for.
"""

import enum
from datetime import datetime
from typing import Literal, get_args

import msgspec
import structlog

from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.runtime.clock import Clock

log = structlog.get_logger(__name__)

Part = Literal["gateway", "sync", "web", "database"]  # the keys of /healthz; nothing is decided by them
ROLE_OF: dict[Part, ProcessRole] = {"gateway": ProcessRole.GATEWAY, "sync": ProcessRole.WORKER}  # the others: any


class Note(enum.StrEnum):
    """What an operator should know although every part works. Follows only from what we asked ourselves."""

    COMMANDS_PENDING = "commands_pending"  # Discord does not let us register the commands yet; the old ones stay
    PATREON_CLIENT_REFUSED = "patreon_client_refused"  # Patreon takes neither our client id nor its secret
    BELL_UNHEARD = "bell_unheard"  # PostgreSQL's notifications don't arrive: everything is looked at now and then
    IN_RESERVE = "in_reserve"  # other processes have all shards; should one end, this one takes its place
    RESHARD_NEEDED = "reshard_needed"  # Discord refuses so few shards: `python run.py reshard`
    OWNER_NEEDS_2FA = "owner_needs_2fa"  # a server asks two-factor authentication of the application's owner


class PartHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one part is, and when it last did its work."""

    ok: bool = False
    last_success: datetime | None = None


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """How all parts are, in the shape that /healthz answers."""

    status: Literal["ok", "failing"]
    roles: tuple[ProcessRole, ...]
    parts: dict[Part, PartHealth]
    notes: tuple[Note, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Tell whether every part works."""
        return self.status == "ok"


class HealthBoard:
    """Takes the parts' reports. Logs the first failure and the recovery, not each repetition.

    What another process's role does, and this one only now and then, is not reported.
    """

    def __init__(self, clock: Clock, roles: frozenset[ProcessRole] = ALL_ROLES) -> None:
        self._clock = clock
        self._roles = roles
        parts: tuple[Part, ...] = get_args(Part)
        self._parts = {part: PartHealth() for part in parts if part not in ROLE_OF or ROLE_OF[part] in roles}
        self._failing: set[Part] = set()  # parts whose failure is already in the log
        self._notes: set[Note] = set()

    def ok(self, part: Part) -> None:
        """Note that a part just did its work."""
        if part not in self._parts:
            return
        if part in self._failing:
            self._failing.remove(part)
            log.info("a part works again", part=part)
        self._parts[part] = PartHealth(ok=True, last_success=self._clock.now())

    def begun(self, part: Part) -> None:
        """Note that a part does its work for the first time since the start, however long all of it may take."""
        if not self.was_ever_ok(part):
            self.ok(part)

    def failed(self, part: Part, why: str) -> None:
        """Note that a part does not work. `why` goes to the log only: the report is public."""
        if part not in self._parts:
            return
        if part not in self._failing:
            self._failing.add(part)
            log.warning("a part does not work", part=part, why=why)
        self.ended(part)

    def ended(self, part: Part) -> None:
        """Note that a part does its work no more, as it should at the end of the process: nothing is logged."""
        if part in self._parts:
            self._parts[part] = PartHealth(ok=False, last_success=self._parts[part].last_success)

    def note(self, note: Note) -> None:
        """Add a note to the report, until it is withdrawn. It makes no part unwell."""
        self._notes.add(note)

    def withdraw(self, note: Note) -> None:
        """Take a note back, where it stands."""
        self._notes.discard(note)

    def has(self, note: Note) -> bool:
        """Tell whether a note stands."""
        return note in self._notes

    def was_ever_ok(self, part: Part) -> bool:
        """Tell whether a part has worked since the start."""
        return part in self._parts and self._parts[part].last_success is not None

    def report(self) -> HealthReport:
        """Return how all parts are now."""
        status: Literal["ok", "failing"] = "ok" if all(part.ok for part in self._parts.values()) else "failing"
        return HealthReport(
            status=status, roles=tuple(sorted(self._roles)), parts=dict(self._parts), notes=tuple(sorted(self._notes))
        )
