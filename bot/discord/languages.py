"""In which language a guild is spoken to, where nobody in particular reads: its log channel and Discord's audit log."""

import discord

from bot.discord.holder import ClientHolder
from bot.domain.model import AUTOMATIC, GuildId, GuildSettings
from bot.storage import Storage
from bot.texts.catalogs import ENGLISH, Language, choose
from bot.texts.renderer import Medium, Renderer


def language_of(settings: GuildSettings, guild: discord.Guild | None) -> Language:
    """Return the language that the settings name, else the guild's own; English where we speak neither."""
    is_automatic = settings.language == AUTOMATIC
    wanted = [guild.preferred_locale.value] if is_automatic and guild is not None else [settings.language]
    return choose(wanted) or ENGLISH


async def guild_renderer(
    guild_id: GuildId, *, storage: Storage, holder: ClientHolder, medium: Medium = Medium.DISCORD
) -> Renderer:
    """Return what speaks to a guild as a whole."""
    guild = holder.current.get_guild(guild_id) if holder.current is not None else None
    return Renderer(language_of(await storage.guilds.settings(guild_id), guild), medium)
