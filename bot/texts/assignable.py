"""Why a role can't be given by a pledge, and what someone who manages the server can do about it.

Permissions are called what Discord calls them in the reader's language.
"""

from collections.abc import Iterable, Mapping

from bot.domain.assignable import Block, Permission, Right
from bot.texts.renderer import N_, Renderer, Text

PERMISSIONS: Mapping[Permission, str] = {
    Permission.KICK_MEMBERS: N_("Kick Members"),
    Permission.BAN_MEMBERS: N_("Ban Members"),
    Permission.ADMINISTRATOR: N_("Administrator"),
    Permission.MANAGE_CHANNELS: N_("Manage Channels"),
    Permission.MANAGE_SERVER: N_("Manage Server"),
    Permission.VIEW_AUDIT_LOG: N_("View Audit Log"),
    Permission.VIEW_CHANNEL: N_("View Channel"),
    Permission.SEND_MESSAGES: N_("Send Messages"),
    Permission.EMBED_LINKS: N_("Embed Links"),
    Permission.MANAGE_MESSAGES: N_("Manage Messages"),
    Permission.MENTION_EVERYONE: N_("Mention @everyone"),
    Permission.MUTE_MEMBERS: N_("Mute Members"),
    Permission.DEAFEN_MEMBERS: N_("Deafen Members"),
    Permission.MOVE_MEMBERS: N_("Move Members"),
    Permission.MANAGE_NICKNAMES: N_("Manage Nicknames"),
    Permission.MANAGE_ROLES: N_("Manage Roles"),
    Permission.MANAGE_PERMISSIONS: N_("Manage Permissions"),
    Permission.MANAGE_WEBHOOKS: N_("Manage Webhooks"),
    Permission.MANAGE_EXPRESSIONS: N_("Manage Expressions"),
    Permission.MANAGE_EVENTS: N_("Manage Events"),
    Permission.MANAGE_THREADS: N_("Manage Threads"),
    Permission.TIME_OUT_MEMBERS: N_("Timeout Members"),
}

_BLOCKS: Mapping[Block, str] = {
    Block.GONE: N_(
        "A role that one of your rules assigns has been deleted. Find the rule with `/patreon rule list`, and remove "
        "it with `/patreon rule remove`."
    ),
    Block.EVERYONE: N_("I can't assign @everyone. Choose another role."),
    Block.MANAGED: N_("The role **{role}** belongs to an integration, so I can't assign it. Choose another role."),
    Block.DANGEROUS: N_(
        "I won't assign the role **{role}**, because it has moderation or management permissions, in the "
        "server or in a channel. Nobody should get those for a pledge. Remove them from the role and "
        "from the channels, or choose another role."
    ),
    Block.NO_RIGHT: N_(
        "I can't change the role **{role}** without the Manage Roles permission. Add that permission to my role."
    ),
    Block.ABOVE_BOT: N_(
        "I can't change the role **{role}** because it isn't below my highest role. "
        "Go to Server Settings > Roles and drag my role above it."
    ),
    Block.ABOVE_CALLER: N_(
        "The role **{role}** isn't below your own highest role, so you can't let pledges assign it. "
        "Ask someone who ranks above it."
    ),
    Block.OWNER_NEEDS_2FA: N_(
        "I can't change the role **{role}** because this server requires two-factor authentication for moderation, and "
        "the Discord account that owns my application doesn't use it. Its owner can turn it on in Discord under User "
        "Settings > My Account."
    ),
    Block.REFUSED: N_(
        "I can't change the role **{role}** because Discord refused it. Check that I have the Manage Roles permission "
        "and that my role is above it."
    ),
}


def say_block(r: Renderer, block: Block, role_name: str) -> Text:
    """Say why a role can't be given, and what to do about it."""
    return r.say(_BLOCKS[block], role=role_name or r.say("deleted role"))


def say_permissions(r: Renderer, permissions: Iterable[Permission]) -> Text:
    """List permissions by Discord's names."""
    return r.listing([r.say(PERMISSIONS[one]) for one in permissions])


def say_rights(r: Renderer, rights: Iterable[Right]) -> Text:
    """List what a role may do, and where it is in some channels only."""
    return r.listing([_say_right(r, one) for one in rights])


def _say_right(r: Renderer, right: Right) -> Text:
    permission = r.say(PERMISSIONS[right.permission])
    if not right.channels:
        return permission
    channel, more = right.channels[0], len(right.channels) - 1
    if not more:
        return r.say("{permission} in #{channel}", permission=permission, channel=channel)
    return r.plural(
        "{permission} in #{channel} and {count} more channel",
        "{permission} in #{channel} and {count} more channels",
        more,
        permission=permission,
        channel=channel,
    )
