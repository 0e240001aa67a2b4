"""Looks at Discord for `/patreon doctor`: what the observer keeps nothing of, because no plan needs it.

The guild as the gateway keeps it, and one GET. Never writes, never decides.
"""

import asyncio

import discord
import msgspec
import structlog
from discord.http import Route

from bot.discord.failures import DISCORD_FAILURES
from bot.discord.holder import ClientHolder, DiscordAway
from bot.discord.observe import look_role
from bot.domain.assignable import Permission, Powers
from bot.domain.doctor import LogChannelLook
from bot.domain.errors import Later
from bot.domain.model import ChannelId, GuildId

log = structlog.get_logger(__name__)

PATREONS_BOT = 216303189073461248  # the account of Patreon's own Discord bot, the same in every server
OWNER_SECONDS = 3.0


class DiscordCheckup(msgspec.Struct, frozen=True, kw_only=True):
    """What Discord shows of a guild beside its roles and members."""

    needs_2fa: bool
    owner_has_2fa: bool | None  # None: Discord didn't say
    patreons_bot: Powers | None
    log_channel: LogChannelLook | None


class Checkup:
    """Looks."""

    def __init__(self, holder: ClientHolder) -> None:
        self._holder = holder

    async def look(self, guild_id: GuildId, log_channel_id: ChannelId | None) -> DiscordCheckup:
        """Look at a guild and its log channel. Raises DiscordAway where the guild cannot be seen."""
        client = self._holder.current
        guild = client.get_guild(guild_id) if client is not None else None
        if client is None or guild is None or guild.unavailable:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        needs_2fa = guild.mfa_level is discord.MFALevel.require_2fa
        return DiscordCheckup(
            needs_2fa=needs_2fa,
            owner_has_2fa=await _ask_2fa(client) if needs_2fa else None,
            patreons_bot=_find_patreons_bot(guild),
            log_channel=None if log_channel_id is None else _look_at_channel(guild, log_channel_id),
        )


def missing_rights(channel: discord.abc.GuildChannel) -> tuple[Permission, ...]:
    """Return what we may not do in a channel, and must to use it as a log channel."""
    rights = channel.permissions_for(channel.guild.me)
    needed = {
        Permission.VIEW_CHANNEL: rights.view_channel,
        Permission.SEND_MESSAGES: rights.send_messages,
        Permission.EMBED_LINKS: rights.embed_links,
    }
    return tuple(permission for permission, is_there in needed.items() if not is_there)


def _look_at_channel(guild: discord.Guild, channel_id: ChannelId) -> LogChannelLook:
    channel = guild.get_channel(channel_id)
    if channel is None:
        return LogChannelLook(channel_id=channel_id, is_gone=True)
    return LogChannelLook(channel_id=channel_id, missing=missing_rights(channel))


def _find_patreons_bot(guild: discord.Guild) -> Powers | None:
    """Return what Patreon's own bot may do here, by the role that it came with; None where it is not here."""
    for role in guild.roles:
        if role.tags is not None and role.tags.bot_id == PATREONS_BOT:
            return Powers(top=look_role(role), permissions=role.permissions.value)
    return None


async def _ask_2fa(client: discord.Client) -> bool | None:
    """Ask whether the owner of our application uses two-factor authentication: a bot's `mfa_enabled` says that.

    No event tells of it, so what the client kept from its start may be old.
    """
    try:
        async with asyncio.timeout(OWNER_SECONDS):
            own = await client.http.request(Route("GET", "/users/@me"))
    except DISCORD_FAILURES as error:
        log.info("whether the owner uses two factors could not be asked for", why=repr(error))
        return None
    return bool(own.get("mfa_enabled"))
