"""The nouns of the stand-in Discord: plain records, no rules, no JSON.

Ids are snowflake strings, as Discord writes them; times are aware UTC datetimes. Records that exist once for each
member have slots and share their empty parts, so that a guild of half a million members fits in memory.
"""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

DEFAULT_LOCALE = "en-US"

TEXT_CHANNEL = 0
DM_CHANNEL = 1

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

NO_ROLES: frozenset[str] = frozenset()
AUDIT_ENTRIES_KEPT = 10_000


@dataclass(slots=True)
class User:
    """An account, of a person or of a bot; `locale` is the language in their user settings."""

    id: str
    username: str
    display_name: str | None = None
    is_bot: bool = False
    dms_open: bool = True
    locale: str = DEFAULT_LOCALE


@dataclass(slots=True)
class Role:
    """A role of a guild; the one whose id is the guild's is @everyone."""

    id: str
    name: str
    permissions: int = 0
    position: int = 1
    colour: int = 0
    hoist: bool = False
    mentionable: bool = False
    managed: bool = False
    tags: Json = field(default_factory=dict)


@dataclass(slots=True)
class Member:
    """A user in a guild. `role_ids` is replaced, never changed in place, so that a snapshot stays one."""

    user: User
    joined_at: datetime
    role_ids: frozenset[str] = NO_ROLES
    nick: str | None = None
    pending: bool = False
    flags: int = 0

    @property
    def id(self) -> str:
        return self.user.id


@dataclass(slots=True)
class Overwrite:
    """What a channel allows and denies to one role or member."""

    id: str
    allow: int = 0
    deny: int = 0
    is_member: bool = False


@dataclass(slots=True)
class Message:
    """A message of the bot; an ephemeral one is seen by `only_for` alone."""

    id: str
    channel_id: str
    author_id: str
    created_at: datetime
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    flags: int = 0
    kind: int = 0
    edited_at: datetime | None = None
    only_for: str | None = None
    interaction: Json | None = None
    nonce: str | int | None = None

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)


@dataclass(slots=True)
class Channel:
    """A text channel of a guild, or a direct channel between the bot and `recipient_id`."""

    id: str
    name: str = ""
    kind: int = TEXT_CHANNEL
    guild_id: str | None = None
    recipient_id: str | None = None
    position: int = 0
    topic: str | None = None
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)


@dataclass(slots=True)
class AuditEntry:
    """A line of a guild's audit log."""

    id: str
    action: int
    user_id: str
    target_id: str
    changes: list[Json]
    reason: str | None = None


@dataclass(slots=True)
class Guild:
    """A server; `is_out` during an outage."""

    id: str
    name: str
    owner_id: str
    roles: dict[str, Role] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    system_channel_id: str | None = None
    preferred_locale: str = DEFAULT_LOCALE
    requires_2fa: bool = False
    is_out: bool = False
    audit_log: deque[AuditEntry] = field(default_factory=lambda: deque(maxlen=AUDIT_ENTRIES_KEPT))
    _order: list[int] | None = None

    def add(self, member: Member) -> None:
        self.members[member.id] = member
        self._order = None

    def remove(self, user_id: str) -> None:
        del self.members[user_id]
        self._order = None

    def ids_after(self, user_id: int, limit: int) -> list[str]:
        """Return up to `limit` ids of members above `user_id`, ascending; sorts only when someone came or went."""
        if self._order is None:
            self._order = sorted(map(int, self.members))
        start = bisect_right(self._order, user_id)
        return [str(found) for found in self._order[start : start + limit]]


@dataclass(slots=True)
class Application:
    """The bot's application: its owner, its portal switches, and its commands (as Discord would list them)."""

    id: str
    name: str
    owner: User
    owner_has_2fa: bool = True
    commands: dict[str, Json] = field(default_factory=dict)
    guild_commands: dict[str, dict[str, Json]] = field(default_factory=dict)
