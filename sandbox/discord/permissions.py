"""Who may do what: permission bits, role order, channel overwrites. Pure: reads records, changes nothing.

Facts: Discord docs, "Permissions" (bits, hierarchy, overwrites) and discord-api-docs #1778 (equal positions: the
lower id ranks higher). Administrator passes every permission check but not the role order; the owner passes both.
"""

from sandbox.discord.model import Channel, Guild, Member, Role

KICK_MEMBERS = 1 << 1
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
VIEW_AUDIT_LOG = 1 << 7
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
CHANGE_NICKNAME = 1 << 26
MANAGE_NICKNAMES = 1 << 27
MANAGE_ROLES = 1 << 28
USE_APPLICATION_COMMANDS = 1 << 31

ALL = (1 << 53) - 1
EVERYONE_DEFAULT = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | CHANGE_NICKNAME
    | USE_APPLICATION_COMMANDS
)
# What a server that asks its moderators for two factors grants to nobody without (docs, "Permissions").
NEEDS_2FA = KICK_MEMBERS | ADMINISTRATOR | MANAGE_CHANNELS | MANAGE_GUILD | MANAGE_MESSAGES | MANAGE_ROLES
BOT_DEFAULT = MANAGE_ROLES | VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | READ_MESSAGE_HISTORY


def guild_permissions(guild: Guild, member: Member) -> int:
    """Return what `member` may do in the guild at large."""
    if guild.owner_id == member.id:
        return ALL
    bits = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        bits |= guild.roles[role_id].permissions
    return ALL if bits & ADMINISTRATOR else bits


def channel_permissions(guild: Guild, member: Member, channel: Channel) -> int:
    """Return what `member` may do in `channel`: @everyone's overwrite, then the roles' together, then their own."""
    bits = guild_permissions(guild, member)
    if bits & ADMINISTRATOR:
        return ALL
    everyone = channel.overwrites.get(guild.id)
    if everyone:
        bits = bits & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role_id in member.role_ids:
        overwrite = channel.overwrites.get(role_id)
        if overwrite:
            allow |= overwrite.allow
            deny |= overwrite.deny
    bits = bits & ~deny | allow
    own = channel.overwrites.get(member.id)
    if own:
        bits = bits & ~own.deny | own.allow
    return bits if bits & VIEW_CHANNEL else 0


def rank(role: Role) -> tuple[int, int]:
    """Return a key that grows with a role's rank."""
    return role.position, -int(role.id)


def top_role(guild: Guild, member: Member) -> Role:
    """Return the highest role that `member` has, @everyone at least."""
    return max((guild.roles[r] for r in member.role_ids), key=rank, default=guild.roles[guild.id])


def outranks(guild: Guild, member: Member, role: Role) -> bool:
    """Tell whether `member` stands strictly above `role`. The owner stands above all."""
    return guild.owner_id == member.id or rank(top_role(guild, member)) > rank(role)


def is_assignable(guild: Guild, actor: Member, role: Role) -> bool:
    """Tell whether `actor`, who may manage roles, may give or take `role`."""
    return role.id != guild.id and not role.managed and outranks(guild, actor, role)


def is_admin(guild: Guild, member: Member) -> bool:
    """Tell whether `member` has Administrator or owns the guild."""
    return bool(guild_permissions(guild, member) & ADMINISTRATOR)
