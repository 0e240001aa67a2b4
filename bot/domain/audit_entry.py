"""What the audit keeps: who changed what, when, what led to it, and the facts that decided. Values only.

The facts are a tagged struct, kept as JSON and put into words when they are shown. An entry of before they were has its
sentence instead (`OldText`).
"""

import enum
from datetime import datetime

import msgspec

from bot.domain.api_token import TokenChange
from bot.domain.changes import Outcome, Trigger
from bot.domain.holds import HoldState
from bot.domain.model import (
    ApiTokenId,
    AuditId,
    CampaignId,
    DiscordUserId,
    GuildId,
    HoldId,
    HookId,
    ReadId,
    RoleId,
    RunId,
)
from bot.domain.reasons import OldText, RoleReason, RuleFacts


class AuditAction(enum.StrEnum):
    """What was done, or seen."""

    GRANT = "grant"
    REVOKE = "revoke"
    FORGET = "forget"  # the ledger's row went, and no role with it
    SPARE = "spare"  # it is no longer earned, and stays for as long as its rule says
    EARNED_AGAIN = "earned again"
    SUPPRESS = "suppress"  # somebody took a role of ours away
    HOLD_AGAIN = "hold again"  # somebody gave it back
    ADOPT = "adopt"
    RESTORE = "restore"
    COMP = "comp"
    ANSWER_HOLD = "hold"
    SETTING = "setting"
    BELIEVE = "believe"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    SYNC = "sync"
    RULE = "rule"
    UNDO = "undo"
    EXPORT = "export"
    API = "api"
    HOOK = "webhook"
    UNKNOWN = "?"  # of an earlier version


class Discovery(enum.StrEnum):
    """What was seen of a role that the ledger knew otherwise."""

    ROLE_DELETED = "role deleted"
    TAKEN = "taken"  # by somebody; it stays away
    TAKEN_BUT_ENFORCED = "taken but enforced"  # by somebody; it is given again while it is earned
    GIVEN_BACK = "given back"  # by somebody
    OURS = "ours"  # our own write: its answer or its record was lost


class FoundReason(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """It was found when we looked."""

    found: Discovery


class HoldAnswered(msgspec.Struct, frozen=True, kw_only=True, tag="hold"):
    """An admin answered a hold."""

    hold_id: HoldId
    state: HoldState
    roles: int
    people: int
    by: DiscordUserId


class AdminGave(msgspec.Struct, frozen=True, kw_only=True, tag="admin"):
    """An admin adopted the role, or let it be given again."""

    by: DiscordUserId


class CompChange(enum.StrEnum):
    """What an admin did about a comp."""

    GIVEN = "given"
    CHANGED = "changed"
    ENDED = "ended"


class CompChanged(msgspec.Struct, frozen=True, kw_only=True, tag="comp"):
    """An admin gave somebody the role without a pledge, or ended that."""

    change: CompChange
    reason: str
    until: datetime | None
    by: DiscordUserId


class SettingChanged(msgspec.Struct, frozen=True, kw_only=True, tag="setting"):
    """An admin changed a setting of the server."""

    name: str
    before: str
    after: str
    by: DiscordUserId


class ReadBelieved(msgspec.Struct, frozen=True, kw_only=True, tag="believed"):
    """An admin accepted a read that looked wrong."""

    campaign_id: CampaignId
    campaign_name: str
    by: DiscordUserId


class CampaignFollowed(msgspec.Struct, frozen=True, kw_only=True, tag="connected"):
    """A creator let the server follow a campaign."""

    campaign_id: CampaignId
    campaign_name: str


class CampaignLeft(msgspec.Struct, frozen=True, kw_only=True, tag="disconnected"):
    """An admin ended that; the roles by its rules stay or go."""

    campaign_id: CampaignId
    campaign_name: str
    keeps_roles: bool
    by: DiscordUserId


class SyncAsked(msgspec.Struct, frozen=True, kw_only=True, tag="sync"):
    """An admin had everyone checked."""

    by: DiscordUserId


class RuleChange(enum.StrEnum):
    """What an admin did about a rule."""

    ADDED = "added"
    EDITED = "edited"
    REMOVED = "removed"


class RuleChanged(msgspec.Struct, frozen=True, kw_only=True, tag="rule"):
    """An admin changed a rule: how it is now, or was."""

    change: RuleChange
    role: str
    rule: RuleFacts
    by: DiscordUserId


class GroupChanged(msgspec.Struct, frozen=True, kw_only=True, tag="group"):
    """An admin made an exclusive group of these roles, the highest first, or ended it."""

    roles: tuple[str, ...]
    ends: bool
    by: DiscordUserId


class RunUndone(msgspec.Struct, frozen=True, kw_only=True, tag="undo"):
    """An admin undid so many role changes of a run."""

    run_id: RunId
    roles: int
    by: DiscordUserId


class PatronsExported(msgspec.Struct, frozen=True, kw_only=True, tag="exported"):
    """An admin took the list of patrons away as a file."""

    rows: int
    has_amounts: bool
    by: DiscordUserId


class TokenChanged(msgspec.Struct, frozen=True, kw_only=True, tag="token"):
    """An admin made a token of the API, or revoked it; or it ended with the bot's stay in the server."""

    change: TokenChange
    token_id: ApiTokenId
    label: str
    by: DiscordUserId | None  # None: whoever removed the bot


class HookChange(enum.StrEnum):
    """What an admin did about a webhook of the server's own."""

    ADDED = "added"
    REMOVED = "removed"


class HookChanged(msgspec.Struct, frozen=True, kw_only=True, tag="webhook"):
    """An admin had events sent to an address, or ended that. Named is its host alone: the rest may be a secret."""

    change: HookChange
    hook_id: HookId
    place: str
    by: DiscordUserId


AuditReason = (
    RoleReason
    | FoundReason
    | HoldAnswered
    | AdminGave
    | CompChanged
    | SettingChanged
    | ReadBelieved
    | CampaignFollowed
    | CampaignLeft
    | SyncAsked
    | RuleChanged
    | GroupChanged
    | RunUndone
    | PatronsExported
    | TokenChanged
    | HookChanged
    | OldText
)


class AuditEntry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One change, one that was tried, or one that was seen."""

    at: datetime
    guild_id: GuildId
    discord_user_id: DiscordUserId | None = None
    role_id: RoleId | None = None
    action: AuditAction
    outcome: Outcome | None = None  # of a change that was tried
    reason: AuditReason
    trigger: Trigger
    read_id: ReadId | None = None
    is_counted: bool = False  # a revoke that counts for the brake


class AuditRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An entry as it is kept: with its number, and that of its run."""

    audit_id: AuditId
    run_id: RunId | None  # None: of before there were runs
    entry: AuditEntry


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of a guild are wanted; what is None is any."""

    guild_id: GuildId
    discord_user_id: DiscordUserId | None = None
    role_id: RoleId | None = None
    run_id: RunId | None = None
