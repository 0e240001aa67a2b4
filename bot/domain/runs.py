"""Runs: what one cause led to in one server, under one number. Pure.

What an admin does begins a run; what happens by itself (a round, a webhook) joins the newest run of its trigger, or
begins one. Which run a change belongs to is settled by its trigger and the time when it is written down, for these
outlive a kill and come to other processes: so a run is not handed on from a command to its last write.

    trigger           a change joins the newest run of its trigger while that is no older than
    of an admin       an hour        what they did may wait for Discord
    of its own        a minute       a bulk change writes every second or so

Older is: since the run began, or since its newest entry. An admin who does the same again begins another run: what the
earlier one has left to do counts as the later one's.
"""

from datetime import datetime, timedelta

import msgspec

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Trigger
from bot.domain.model import GuildId, RunId

PAUSE = timedelta(minutes=1)
ADMINS_PAUSE = timedelta(hours=1)

BY_ADMINS = frozenset(
    {
        Trigger.RULE_ADDED,
        Trigger.RULE_REMOVED,
        Trigger.RULE_EDITED,
        Trigger.GROUP,
        Trigger.ADOPT,
        Trigger.API,
        Trigger.COMP,
        Trigger.BELIEVE,
        Trigger.CONNECT,
        Trigger.DISCONNECT,
        Trigger.HOLDS,
        Trigger.HOOKS,
        Trigger.PATRONS,
        Trigger.RESTORE,
        Trigger.SETTINGS,
        Trigger.SYNC,
        Trigger.UNDO,
    }
)
_ACTS = frozenset(
    {
        AuditAction.ADOPT,
        AuditAction.RESTORE,
        AuditAction.COMP,
        AuditAction.ANSWER_HOLD,
        AuditAction.SETTING,
        AuditAction.BELIEVE,
        AuditAction.CONNECT,
        AuditAction.DISCONNECT,
        AuditAction.SYNC,
        AuditAction.RULE,
        AuditAction.UNDO,
        AuditAction.EXPORT,
        AuditAction.API,
        AuditAction.HOOK,
    }
)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A number, and what it stands for."""

    run_id: RunId
    guild_id: GuildId
    trigger: Trigger
    began_at: datetime


def begins(entry: AuditEntry) -> bool:
    """Tell whether an entry says what an admin did: that is a run of its own."""
    return entry.action in _ACTS


def goes_on(trigger: Trigger, latest_at: datetime, now: datetime) -> bool:
    """Tell whether a run whose newest entry is of that time takes what is written down now."""
    return now - latest_at <= (ADMINS_PAUSE if trigger in BY_ADMINS else PAUSE)
