"""Revokes that wait for an admin's answer. What must be held is decided in `safeguards.py`."""

import enum
from collections.abc import Iterable
from datetime import datetime

import msgspec

from bot.domain.model import DiscordUserId, GuildId, HoldId, RoleId
from bot.domain.reasons import OldText, RoleReason


class HoldState(enum.StrEnum):
    """What became of one held revoke."""

    OPEN = "open"  # waits for an admin
    APPROVED = "approved"  # may happen if it is still planned
    DISCARDED = "discarded"  # the role stays until that person's facts change
    RETURNED = "returned"  # it was taken, an admin undid that: it is given back, and stays until their facts change


ANSWERS = frozenset(HoldState) - {HoldState.OPEN}


class HoldItem(msgspec.Struct, frozen=True, kw_only=True):
    """One revoke that the brake held: one role of one person. `mark` tells their facts at that time from later ones."""

    hold_id: HoldId
    guild_id: GuildId
    discord_user_id: DiscordUserId
    role_id: RoleId
    state: HoldState
    mark: str
    reason: RoleReason | OldText

    def holds_for(self, mark: str) -> bool:
        """Tell whether this is an answer and still holds: one that keeps a role, while the facts are the same."""
        return self.state is HoldState.APPROVED or (self.state in ANSWERS and self.mark == mark)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """The held revokes that an admin answers together."""

    hold_id: HoldId
    guild_id: GuildId
    opened_at: datetime
    items: tuple[HoldItem, ...]
    is_after_restore: bool = False  # not the brake opened it: nobody has said since whose these roles are

    @property
    def people(self) -> tuple[DiscordUserId, ...]:
        """Those whose roles are held."""
        return tuple(sorted({item.discord_user_id for item in self.items}))


class HoldGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Those who would lose a role for one and the same reason, moments aside."""

    reason: RoleReason | OldText
    people: tuple[DiscordUserId, ...]


class HoldSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin is told of a hold."""

    hold_id: HoldId
    opened_at: datetime
    roles: int
    people: int
    groups: tuple[HoldGroup, ...]
    is_after_restore: bool = False


def summarise(hold: Hold) -> HoldSummary:
    """Count a hold, and say each reason once, that of most people first."""
    return HoldSummary(
        hold_id=hold.hold_id,
        opened_at=hold.opened_at,
        roles=len(hold.items),
        people=len(hold.people),
        groups=_group(hold.items),
        is_after_restore=hold.is_after_restore,
    )


def _group(items: Iterable[HoldItem]) -> tuple[HoldGroup, ...]:
    found: dict[RoleReason | OldText, list[HoldItem]] = {}
    for item in items:
        found.setdefault(_timeless(item.reason), []).append(item)
    groups = (
        HoldGroup(reason=group[0].reason, people=tuple(item.discord_user_id for item in group))
        for group in found.values()
    )
    return tuple(sorted(groups, key=lambda group: -len(group.people)))


def _timeless(reason: RoleReason | OldText) -> RoleReason | OldText:
    """Return a reason without its moments: they differ from person to person where nothing else does."""
    if isinstance(reason, OldText) or reason.patron is None:
        return reason
    patron = msgspec.structs.replace(reason.patron, until=None, gone_since=None, read_at=None)
    return msgspec.structs.replace(reason, patron=patron)
