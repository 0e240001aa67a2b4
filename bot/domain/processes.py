"""What a process does, where several work on one database (docs/decisions/0013-several-processes.md)."""

from datetime import datetime
from enum import StrEnum

import msgspec


class ProcessRole(StrEnum):
    """A part of the work that a process may take; no role of Discord's."""

    GATEWAY = "gateway"  # Discord: sessions, commands, every role and message that goes out
    WORKER = "worker"  # Patreon: reads of campaigns, fresh tokens, webhooks that are looked after
    WEB = "web"  # pages, and what Patreon sends


ALL_ROLES = frozenset(ProcessRole)


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process that works on a database."""

    process_id: str  # a text that it makes for itself
    roles: frozenset[ProcessRole]
    address: str  # where its /healthz is: host:port
    version: str
    since: datetime
