"""May this role be handed out by a pledge? Pure; the same question for a new rule, an adoption and each single grant.

Discord's own limits (discord-api-docs, Permissions, Permission Hierarchy): a bot gives only roles below its own top
role, never @everyone, never a role that an integration manages. Ours: never a role with a right that a stolen or forged
pledge must not buy, be it in one channel only.
"""

import enum
from collections.abc import Sequence

import msgspec

from bot.domain.model import RoleId

# discord-api-docs, Permissions, Bitwise Permission Flags
DANGEROUS = {
    1 << 1: "Kick Members",
    1 << 2: "Ban Members",
    1 << 3: "Administrator",
    1 << 4: "Manage Channels",
    1 << 5: "Manage Server",
    1 << 7: "View Audit Log",
    1 << 13: "Manage Messages",
    1 << 17: "Mention @everyone",
    1 << 22: "Mute Members",
    1 << 23: "Deafen Members",
    1 << 24: "Move Members",
    1 << 27: "Manage Nicknames",
    1 << 28: "Manage Roles",
    1 << 29: "Manage Webhooks",
    1 << 30: "Manage Expressions",
    1 << 33: "Manage Events",
    1 << 34: "Manage Threads",
    1 << 40: "Time out Members",
}
MANAGE_ROLES = 1 << 28
ADMINISTRATOR = 1 << 3
# Those of them that a channel's own permissions can give; Discord ignores the others there.
CHANNEL_RIGHTS = {
    bit: DANGEROUS[bit] for bit in (1 << 4, 1 << 13, 1 << 17, 1 << 22, 1 << 23, 1 << 24, 1 << 29, 1 << 33, 1 << 34)
} | {MANAGE_ROLES: "Manage Permissions"}
_ANYWHERE, _IN_CHANNELS = sum(DANGEROUS), sum(CHANNEL_RIGHTS)


class ChannelRights(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel's own permissions allow a role."""

    channel: str
    permissions: int

    @property
    def is_dangerous(self) -> bool:
        """Tell whether a pledge must not buy it."""
        return self.permissions & _IN_CHANNELS != 0


class RoleLook(msgspec.Struct, frozen=True, kw_only=True):
    """A role as Discord shows it."""

    role_id: RoleId
    name: str
    position: int
    permissions: int = 0
    is_managed: bool = False
    is_everyone: bool = False
    channels: tuple[ChannelRights, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """Order roles as Discord does: by position; of two at one position the lower id ranks higher."""
        return (self.position, -self.role_id)


class Powers(msgspec.Struct, frozen=True, kw_only=True):
    """Who hands the role out: their highest role and their rights; the owner of the guild has no limit."""

    top: RoleLook
    permissions: int
    is_owner: bool = False


class Block(enum.StrEnum):
    """Why a role cannot be given now."""

    GONE = "gone"
    EVERYONE = "everyone"
    MANAGED = "managed"
    DANGEROUS = "dangerous"
    NO_RIGHT = "no_right"
    ABOVE_BOT = "above_bot"
    ABOVE_CALLER = "above_caller"
    REFUSED = "refused"  # Discord said no to a write; its breaker is open
    OWNER_NEEDS_2FA = "owner_needs_2fa"  # Discord says no to every write in this server

    @property
    def stops_revokes(self) -> bool:
        """Tell whether taking the role away cannot work either."""
        return self not in {Block.DANGEROUS, Block.ABOVE_CALLER}


def find_block(role: RoleLook, *, bot: Powers, caller: Powers | None = None) -> Block | None:
    """Return why `bot` (on behalf of `caller`, where a person asks) cannot or must not give `role`."""
    if role.is_everyone:
        return Block.EVERYONE
    if role.is_managed:
        return Block.MANAGED
    if not bot.permissions & (MANAGE_ROLES | ADMINISTRATOR):
        return Block.NO_RIGHT
    if role.rank >= bot.top.rank:
        return Block.ABOVE_BOT
    if role.permissions & _ANYWHERE or any(one.is_dangerous for one in role.channels):
        return Block.DANGEROUS
    return Block.ABOVE_CALLER if caller is not None and not ranks_above(caller, role) else None


def ranks_above(caller: Powers, role: RoleLook) -> bool:
    """Tell whether Discord would let them give or take this role by hand, as far as rank goes."""
    return caller.is_owner or role.rank < caller.top.rank


def dangerous_rights(role: RoleLook) -> tuple[str, ...]:
    """Name the rights of this role, in the server or in a channel, that a pledge must not buy."""
    own = [name for bit, name in DANGEROUS.items() if role.permissions & bit]
    for bit, name in CHANNEL_RIGHTS.items():
        channels = [one.channel for one in role.channels if one.permissions & bit]
        if channels:
            own.append(f"{name} in {_some(channels)}")
    return tuple(own)


def _some(channels: Sequence[str]) -> str:
    more = len(channels) - 1
    return f"#{channels[0]}" + (f" and {more} more channel{'s' if more > 1 else ''}" if more else "")
