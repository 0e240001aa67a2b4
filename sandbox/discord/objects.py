"""State -> Discord's JSON. Pure: reads the state, decides nothing.

Shapes: Discord docs ("Guild Resource", "User Resource", "Channel Resource", "Message Resource") and Discord's OpenAPI
description. A role's colour is what `colors.primary_color` says; `color` is the old name for it.
"""

from datetime import datetime

from sandbox.discord.model import (
    DM_CHANNEL,
    Application,
    AuditEntry,
    Channel,
    Guild,
    Json,
    Member,
    Message,
    Overwrite,
    Role,
    User,
)
from sandbox.discord.state import DiscordState

# Application flags: what a bot of fewer than 10,000 users is allowed in the portal (docs, "Application Flags").
LIMITED_INTENT_FLAGS = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}


def stamp(moment: datetime) -> str:
    return moment.isoformat()


def user_json(user: User) -> Json:
    shown: Json = {
        "id": user.id,
        "username": user.username,
        "global_name": user.display_name,
        "avatar": None,
        "discriminator": "0000" if user.is_bot else "0",
        "public_flags": 0,
        "flags": 0,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
    }
    return shown | {"bot": True} if user.is_bot else shown


def own_user_json(user: User, *, owner_has_2fa: bool) -> Json:
    """Return what GET /users/@me answers to the bot: a bot's `mfa_enabled` is that of its application's owner."""
    return user_json(user) | {"mfa_enabled": owner_has_2fa, "locale": user.locale, "verified": True, "email": None}


def role_json(role: Role) -> Json:
    shown: Json = {
        "id": role.id,
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": role.colour,
        "colors": {"primary_color": role.colour, "secondary_color": None, "tertiary_color": None},
        "hoist": role.hoist,
        "managed": role.managed,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    return shown | {"tags": role.tags} if role.tags else shown


def member_json(member: Member) -> Json:
    return member_facts(member) | {"user": user_json(member.user)}


def member_facts(member: Member) -> Json:
    """Return the member without the user, as messages and resolved data carry it."""
    return {
        "roles": sorted(member.role_ids, key=int),
        "joined_at": stamp(member.joined_at),
        "nick": member.nick,
        "pending": member.pending,
        "flags": member.flags,
        "avatar": None,
        "banner": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "communication_disabled_until": None,
        "premium_since": None,
        "mute": False,
        "deaf": False,
    }


def overwrite_json(overwrite: Overwrite) -> Json:
    return {
        "id": overwrite.id,
        "type": int(overwrite.is_member),
        "allow": str(overwrite.allow),
        "deny": str(overwrite.deny),
    }


def channel_json(state: DiscordState, channel: Channel) -> Json:
    last_message = next((m.id for m in reversed(channel.messages.values()) if not m.ephemeral), None)
    shown: Json = {"id": channel.id, "type": channel.kind, "flags": 0, "last_message_id": last_message}
    if channel.kind == DM_CHANNEL:
        return shown | {"recipients": [user_json(state.users[channel.recipient_id or ""])]}
    return shown | {
        "guild_id": channel.guild_id,
        "name": channel.name,
        "position": channel.position,
        "topic": channel.topic,
        "nsfw": False,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "permission_overwrites": [overwrite_json(o) for o in channel.overwrites.values()],
    }


def guild_json(guild: Guild) -> Json:
    """Return what GET /guilds/{id} answers."""
    return {
        "id": guild.id,
        "name": guild.name,
        "owner_id": guild.owner_id,
        "roles": [role_json(role) for role in guild.roles.values()],
        "system_channel_id": guild.system_channel_id,
        "mfa_level": int(guild.requires_2fa),
        "preferred_locale": guild.preferred_locale,
        **GUILD_REST,
    }


# What no one can change here, as a new server has it.
GUILD_REST: Json = {
    "icon": None,
    "description": None,
    "home_header": None,
    "splash": None,
    "discovery_splash": None,
    "features": [],
    "banner": None,
    "application_id": None,
    "region": "deprecated",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "system_channel_flags": 0,
    "widget_enabled": False,
    "widget_channel_id": None,
    "verification_level": 1,
    "default_message_notifications": 1,
    "explicit_content_filter": 0,
    "max_presences": None,
    "max_members": 25_000_000,
    "max_stage_video_channel_users": 50,
    "max_video_channel_users": 25,
    "vanity_url_code": None,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "rules_channel_id": None,
    "safety_alerts_channel_id": None,
    "public_updates_channel_id": None,
    "premium_progress_bar_enabled": False,
    "premium_progress_bar_enabled_user_updated_at": None,
    "nsfw": False,
    "nsfw_level": 0,
    "emojis": [],
    "stickers": [],
    "incidents_data": None,
}


def guild_create_json(state: DiscordState, guild: Guild, *, large_threshold: int) -> Json:
    """Return the guild as GUILD_CREATE brings it: of the members only the bot (docs, "Guild Create")."""
    me = guild.members[state.bot.id]
    return guild_json(guild) | {
        "joined_at": stamp(me.joined_at),
        "large": len(guild.members) > large_threshold,
        "member_count": len(guild.members),
        "members": [member_json(me)],
        "channels": [channel_json(state, channel) for channel in guild.channels.values()],
        "threads": [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def message_json(state: DiscordState, message: Message) -> Json:
    """Return a message as REST answers it."""
    shown: Json = {
        "id": message.id,
        "type": message.kind,
        "channel_id": message.channel_id,
        "author": user_json(state.users[message.author_id]),
        "content": message.content,
        "embeds": message.embeds,
        "components": message.components,
        "attachments": message.attachments,
        "mentions": [user_json(state.users[user_id]) for user_id in message.mentions],
        "mention_roles": message.mention_roles,
        "mention_everyone": message.mention_everyone,
        "timestamp": stamp(message.created_at),
        "edited_timestamp": stamp(message.edited_at) if message.edited_at else None,
        "flags": message.flags,
        "pinned": False,
        "tts": False,
    }
    if message.nonce is not None:
        shown["nonce"] = message.nonce
    if message.interaction is not None:
        app_id = state.application.id
        shown |= {"application_id": app_id, "webhook_id": app_id, "interaction_metadata": message.interaction}
    return shown


def application_flags(state: DiscordState) -> int:
    return sum(LIMITED_INTENT_FLAGS[intent] for intent in state.intents_allowed)


def application_json(state: DiscordState) -> Json:
    """Return what GET /applications/@me and /oauth2/applications/@me answer."""
    application: Application = state.application
    flags = application_flags(state)
    return {
        "id": application.id,
        "name": application.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": user_json(state.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "owner": user_json(application.owner),
        "team": None,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": len(state.bot_guilds()),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
        "integration_types_config": {"0": {}},
    }


def audit_json(entry: AuditEntry) -> Json:
    shown: Json = {
        "id": entry.id,
        "action_type": entry.action,
        "user_id": entry.user_id,
        "target_id": entry.target_id,
        "changes": entry.changes,
    }
    return shown | {"reason": entry.reason} if entry.reason else shown
