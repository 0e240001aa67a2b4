"""Tells a server that just invited the bot how to begin: once for each invitation, and never where there are rules.

In its system channel; where we may not write there, to whoever invited us, as far as Discord tells who that was.
"""

import discord
import structlog

from bot.discord.failures import DISCORD_FAILURES
from bot.discord.languages import language_of
from bot.domain.model import GuildId
from bot.storage import Storage
from bot.texts.renderer import Medium, Renderer
from bot.texts.setup import greeting

log = structlog.get_logger(__name__)

NEWEST_ENTRIES = 10  # of the audit log, among which the invitation is


class Greeter:
    """Greets."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def greet(self, guild: discord.Guild) -> None:
        """Say how to begin, unless it was said since this invitation. Never raises for Discord's sake."""
        guild_id, joined_at = GuildId(guild.id), guild.me.joined_at
        if joined_at is None or await self._storage.rules.list_guild(guild_id):
            return
        if not await self._storage.setups.note_invitation(guild_id, joined_at):
            return
        settings = await self._storage.guilds.settings(guild_id)
        text = greeting(Renderer(language_of(settings, guild), Medium.DISCORD), server=guild.name)
        place = await _find_place(guild)
        if place is None:
            log.info("nobody could be greeted in a new server", guild_id=guild_id)
            return
        try:
            await place.send(text, allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True)
        except DISCORD_FAILURES as error:
            log.info("a new server could not be greeted", guild_id=guild_id, why=repr(error))


async def _find_place(guild: discord.Guild) -> discord.abc.Messageable | None:
    channel = guild.system_channel
    if channel is not None:
        rights = channel.permissions_for(guild.me)
        if rights.view_channel and rights.send_messages:
            return channel
    return await _find_inviter(guild)


async def _find_inviter(guild: discord.Guild) -> discord.abc.Messageable | None:
    """Return whoever invited us: the audit log tells, where we may read it."""
    if not guild.me.guild_permissions.view_audit_log:
        return None
    try:
        async for entry in guild.audit_logs(action=discord.AuditLogAction.bot_add, limit=NEWEST_ENTRIES):
            if entry.target is not None and entry.target.id == guild.me.id:
                return entry.user
    except DISCORD_FAILURES as error:
        log.info("who invited us could not be read", guild_id=guild.id, why=repr(error))
    return None
