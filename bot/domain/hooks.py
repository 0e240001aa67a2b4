"""Webhooks that tell an admin's own program what happens: which events there are, and when one is tried again.

An event is a stored fact, written with the fact that it tells of, and sent until it has arrived. It names a person and
a role by their ids at Discord; no name, no e-mail address and no amount ever goes out.

    event                what has happened
    role.granted         the bot gave somebody a role
    role.revoked         the bot took it
    membership.started   somebody in the server has become entitled, by a pledge or by an admin's word
    membership.changed   ... still is, with other tiers or in another standing
    membership.ended     ... is no more, or has left the server
    hold.opened          removals wait for an admin's answer

    answer               what becomes of the event, and of the hook
    2xx                  arrived
    410 Gone             over, and the hook is off: its receiver says that it wants nothing more
    any other, or none   tried again, later each time, and not before its Retry-After; after two days the hook is off

One that has not arrived holds back later ones of the same hook and person, and nothing else.
"""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome
from bot.domain.holds import HoldItem
from bot.domain.model import DiscordUserId, GuildId, HoldId, HookEventId, HookId

MOST_HOOKS = 5  # of a server
GONE = 410
PATIENCE = timedelta(days=2)  # with a receiver to which one event does not get through
# As the Standard Webhooks suggest, without the last steps: a receiver that comes back soon has lost nothing.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
SPREAD = 0.2  # of a pause, either way, by chance: events that failed together do not come back together


class HookEventType(enum.StrEnum):
    """What an event tells; the word stands in its body, so it never changes."""

    ROLE_GRANTED = "role.granted"
    ROLE_REVOKED = "role.revoked"
    MEMBERSHIP_STARTED = "membership.started"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_ENDED = "membership.ended"
    HOLD_OPENED = "hold.opened"


TEST_EVENT = "test"  # what `/patreon hooks test` sends; nobody can ask for it


class DeliveryFailure(enum.StrEnum):
    """Why no answer came."""

    TIMED_OUT = "timed_out"
    UNREACHED = "unreached"
    BAD_CERTIFICATE = "bad_certificate"
    NOT_PUBLIC = "not_public"  # the name leads to an address that we don't send to


class HookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one try: a status, or why there is none."""

    status: int | None = None
    failure: DeliveryFailure | None = None
    wait: timedelta = timedelta()  # for so long the receiver wants nothing, as it says

    @property
    def is_success(self) -> bool:
        """Tell whether it has arrived."""
        return self.status is not None and self.status // 100 == 2

    @property
    def is_gone(self) -> bool:
        """Tell whether the receiver wants nothing more."""
        return self.status == GONE


class OffReason(enum.StrEnum):
    """Why nothing is sent any more."""

    GONE = "gone"  # the receiver said so
    FAILING = "failing"  # for two days


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """An address that wants to be told. What stands behind its host may be a secret, as the one that signs is."""

    hook_id: HookId
    guild_id: GuildId
    place: str  # the host, and the port where one is named
    events: tuple[HookEventType, ...]
    created_by: DiscordUserId
    created_at: datetime
    off_at: datetime | None = None
    off_reason: OffReason | None = None


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell those who want to know."""

    type: HookEventType
    at: datetime
    discord_user_id: DiscordUserId | None = None  # None: of nobody in particular
    data: Mapping[str, Any]

    @property
    def body(self) -> str:
        """What is sent: the same at every try."""
        return body_of(self.type, self.at, self.data)


class HookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to one hook."""

    event_id: HookEventId
    hook_id: HookId
    message_id: str  # by which a receiver knows it again
    body: str
    tries: int = 0
    first_tried_at: datetime | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An event as `/patreon hooks list` shows it."""

    hook_id: HookId
    type: HookEventType
    discord_user_id: DiscordUserId | None
    created_at: datetime
    tries: int
    answer: HookAnswer | None  # the last one; None: it was not tried yet
    due_at: datetime | None  # None: it is over


def read_events(typed: str) -> tuple[HookEventType, ...]:
    """Read which events are wanted, in any order and separated by blanks or commas; nothing is all of them, as is *.

    `role` stands for role.granted and role.revoked, and so on. Raises ValueError for a word that is none of them.
    """
    words = [word.strip(".*") for word in typed.lower().replace(",", " ").split()]
    wanted = {type_ for word in words for type_ in HookEventType if type_ == word or type_.startswith(f"{word}.")}
    known = {"", *HookEventType, *(type_.partition(".")[0] for type_ in HookEventType)}
    unknown = [word for word in words if word not in known]
    if unknown:
        raise ValueError(unknown[0])
    return tuple(type_ for type_ in HookEventType if type_ in wanted or "" in words or not words)


def next_try(
    *, tries: int, first_tried_at: datetime, now: datetime, chance: float, wait: timedelta = timedelta()
) -> datetime | None:
    """Return when an event is tried again that has failed so often; None: it has been tried for two days.

    `chance` is from 0 to 1. `wait`: the receiver wants nothing for so long; it can't have more than the two days.
    """
    end = first_tried_at + PATIENCE
    if now >= end:
        return None
    pause = PAUSES[min(tries, len(PAUSES)) - 1]
    return now + min(max(pause * (1 + SPREAD * (2 * chance - 1)), wait), end - now)


def body_of(type_: str, at: datetime, data: Mapping[str, Any]) -> str:
    """Return an event as JSON, in the form of the Standard Webhooks."""
    return msgspec.json.encode({"type": type_, "timestamp": at, "data": data}).decode()


def role_events(entries: Sequence[AuditEntry]) -> list[NewEvent]:
    """Return what the audit's entries say was done to roles."""
    return [
        NewEvent(
            type=_ROLE_EVENTS[entry.action],
            at=entry.at,
            discord_user_id=entry.discord_user_id,
            data={
                "guild_id": str(entry.guild_id),
                "discord_user_id": str(entry.discord_user_id),
                "role_id": str(entry.role_id),
            },
        )
        for entry in entries
        if entry.action in _ROLE_EVENTS and entry.outcome is Outcome.DONE
    ]


def hold_event(guild_id: GuildId, hold_id: HoldId, items: Sequence[HoldItem], *, at: datetime) -> NewEvent:
    """Say that removals wait for an admin."""
    data = {
        "guild_id": str(guild_id),
        "hold_id": str(hold_id),
        "roles": len(items),
        "people": len({item.discord_user_id for item in items}),
    }
    return NewEvent(type=HookEventType.HOLD_OPENED, at=at, data=data)


_ROLE_EVENTS = {
    AuditAction.GRANT: HookEventType.ROLE_GRANTED,
    AuditAction.REVOKE: HookEventType.ROLE_REVOKED,
}
