"""May this role be handed out by a pledge? Pure; the same question for a new rule, an adoption and each single grant.

Discord's own limits (discord-api-docs, Permissions, Permission Hierarchy): a bot gives only roles below its own top
role, never @everyone, never a role that an integration manages. Ours: never a role with a right that a stolen or forged
pledge must not buy.
"""

import enum

import msgspec

from bot.model import RoleId

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


class RoleLook(msgspec.Struct, frozen=True, kw_only=True):
    """A role as Discord shows it."""

    role_id: RoleId
    name: str
    position: int
    permissions: int = 0
    is_managed: bool = False
    is_everyone: bool = False

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
    if dangerous_rights(role):
        return Block.DANGEROUS
    if caller is not None and not caller.is_owner and role.rank >= caller.top.rank:
        return Block.ABOVE_CALLER
    return None


def dangerous_rights(role: RoleLook) -> tuple[str, ...]:
    """Name the rights of this role that a pledge must not buy."""
    return tuple(name for bit, name in DANGEROUS.items() if role.permissions & bit)
