"""What set planning off, and what came of a change that was planned. Values only."""

import enum

import msgspec

from bot.domain.model import ReadId
from bot.domain.plan import WRITES, Decision


class Trigger(enum.StrEnum):
    """What led to a person being planned, or to an entry of the audit. It is a label: nothing is decided by it."""

    INTERVAL = "interval"
    START = "start"
    LINK = "link"
    UNLINK = "unlink"
    MOVE = "move"  # a link moved to another Discord account
    CONSENT = "patron's consent"
    REPORT = "Patreon's report"
    WEBHOOK = "webhook"
    JOIN = "join"
    MEMBER_CHANGED = "member changed"
    ROLES_CHANGED = "roles changed"
    ROLE_DELETED = "role deleted"
    RULE_ADDED = "rule added"
    RULE_REMOVED = "rule removed"
    RULE_EDITED = "rule edited"
    GROUP = "/patreon rule group"
    LOOK = "look"
    SEEN = "seen on Discord"
    MEMBERSHIP = "/membership"
    ADOPT = "/patreon adopt"
    API = "/patreon api"
    COMP = "/patreon comp"
    COMP_ENDED = "comp ended"
    BELIEVE = "/patreon believe"
    CONNECT = "/patreon connect"
    DISCONNECT = "/patreon disconnect"
    HOLDS = "/patreon holds"
    HOOKS = "/patreon hooks"
    PATRONS = "/patreon patrons"
    RESTORE = "/patreon restore"
    SETTINGS = "/patreon settings"
    SYNC = "/patreon sync"
    UNDO = "/patreon undo"
    UNKNOWN = "?"  # of an earlier version


class Urgency(enum.IntEnum):
    """Whose turn comes first."""

    WAITING = 0
    LOOK = 1  # settles the ledger with what was seen; its writes, if any, queue as bulk
    BULK_GRANT = 2
    BULK_REVOKE = 3


class Outcome(enum.StrEnum):
    """What came of a write; `discord/role_writer.py` says which answer of Discord's means which."""

    DONE = "done"
    AWAY = "away"
    GONE = "gone"
    REFUSED = "refused"
    BANNED = "banned"
    NEEDS_2FA = "needs_2fa"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class RoleChange(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that was carried out, or tried."""

    decision: Decision
    outcome: Outcome
    read_id: ReadId | None = None  # the read of the campaign's list on which it rests
    is_counted: bool = False  # for the brake

    @property
    def is_write(self) -> bool:
        """Tell whether Discord was asked for it: a row of the ledger is dropped without."""
        return self.decision.action in WRITES

    @property
    def is_done(self) -> bool:
        """Tell whether a role was given or taken."""
        return self.is_write and self.outcome is Outcome.DONE
