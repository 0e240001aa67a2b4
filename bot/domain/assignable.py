"""May this role be handed out by a pledge? Pure; the same question for a new rule, an adoption and each single grant.

Discord's own limits (discord-api-docs, Permissions, Permission Hierarchy): a bot gives only roles below its own top
role, never @everyone, never a role that an integration manages. Ours: never a role with a right that a stolen or forged
pledge must not buy, be it in one channel only.
"""

import enum

import msgspec

from bot.domain.model import RoleId


class Permission(enum.StrEnum):
    """A right in Discord, by the word that its API has for it (discord-api-docs, Bitwise Permission Flags)."""

    KICK_MEMBERS = "kick_members"
    BAN_MEMBERS = "ban_members"
    ADMINISTRATOR = "administrator"
    MANAGE_CHANNELS = "manage_channels"
    MANAGE_SERVER = "manage_guild"
    VIEW_AUDIT_LOG = "view_audit_log"
    VIEW_CHANNEL = "view_channel"
    SEND_MESSAGES = "send_messages"
    EMBED_LINKS = "embed_links"
    MANAGE_MESSAGES = "manage_messages"
    MENTION_EVERYONE = "mention_everyone"
    MUTE_MEMBERS = "mute_members"
    DEAFEN_MEMBERS = "deafen_members"
    MOVE_MEMBERS = "move_members"
    MANAGE_NICKNAMES = "manage_nicknames"
    MANAGE_ROLES = "manage_roles"
    MANAGE_PERMISSIONS = "manage_permissions"  # what Discord calls Manage Roles where a channel gives it
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_EXPRESSIONS = "manage_expressions"
    MANAGE_EVENTS = "manage_events"
    MANAGE_THREADS = "manage_threads"
    TIME_OUT_MEMBERS = "moderate_members"


DANGEROUS = {
    1 << 1: Permission.KICK_MEMBERS,
    1 << 2: Permission.BAN_MEMBERS,
    1 << 3: Permission.ADMINISTRATOR,
    1 << 4: Permission.MANAGE_CHANNELS,
    1 << 5: Permission.MANAGE_SERVER,
    1 << 7: Permission.VIEW_AUDIT_LOG,
    1 << 13: Permission.MANAGE_MESSAGES,
    1 << 17: Permission.MENTION_EVERYONE,
    1 << 22: Permission.MUTE_MEMBERS,
    1 << 23: Permission.DEAFEN_MEMBERS,
    1 << 24: Permission.MOVE_MEMBERS,
    1 << 27: Permission.MANAGE_NICKNAMES,
    1 << 28: Permission.MANAGE_ROLES,
    1 << 29: Permission.MANAGE_WEBHOOKS,
    1 << 30: Permission.MANAGE_EXPRESSIONS,
    1 << 33: Permission.MANAGE_EVENTS,
    1 << 34: Permission.MANAGE_THREADS,
    1 << 40: Permission.TIME_OUT_MEMBERS,
}
MANAGE_ROLES = 1 << 28
ADMINISTRATOR = 1 << 3
# Those of them that a channel's own permissions can give; Discord ignores the others there.
CHANNEL_RIGHTS = {
    bit: DANGEROUS[bit] for bit in (1 << 4, 1 << 13, 1 << 17, 1 << 22, 1 << 23, 1 << 24, 1 << 29, 1 << 33, 1 << 34)
} | {MANAGE_ROLES: Permission.MANAGE_PERMISSIONS}
_ANYWHERE, _IN_CHANNELS = sum(DANGEROUS), sum(CHANNEL_RIGHTS)


class Right(msgspec.Struct, frozen=True):
    """A permission that a role has: in the whole server, or in these channels, by their names."""

    permission: Permission
    channels: tuple[str, ...] = ()


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


class RoleRefusal(msgspec.Struct, frozen=True):
    """Why a role must not follow pledges, with its rights where they are why."""

    block: Block
    rights: tuple[Right, ...] = ()


def find_refusal(role: RoleLook, *, bot: Powers, caller: Powers | None = None) -> RoleRefusal | None:
    """Return what to tell whoever chooses `role`: its rights before its place, which nobody should mend for it."""
    block = find_block(role, bot=bot, caller=caller)
    rights = dangerous_rights(role)
    if rights and block not in {Block.EVERYONE, Block.MANAGED}:
        return RoleRefusal(Block.DANGEROUS, rights)
    return None if block is None else RoleRefusal(block)


def ranks_above(caller: Powers, role: RoleLook) -> bool:
    """Tell whether Discord would let them give or take this role by hand, as far as rank goes."""
    return caller.is_owner or role.rank < caller.top.rank


def dangerous_rights(role: RoleLook) -> tuple[Right, ...]:
    """Return the rights of this role, in the server or in channels, that a pledge must not buy."""
    everywhere = [Right(right) for bit, right in DANGEROUS.items() if role.permissions & bit]
    in_channels = [
        Right(right, channels)
        for bit, right in CHANNEL_RIGHTS.items()
        if (channels := tuple(one.channel for one in role.channels if one.permissions & bit))
    ]
    return (*everywhere, *in_channels)
