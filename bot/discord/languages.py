"""In which language a guild is spoken to, where nobody in particular reads: its log channel and Discord's audit log."""

import discord

from bot.domain.model import AUTOMATIC, GuildSettings
from bot.texts.catalogs import ENGLISH, Language, choose


def language_of(settings: GuildSettings, guild: discord.Guild | None) -> Language:
    """Return the language that the settings name, else the guild's own; English where we speak neither."""
    is_automatic = settings.language == AUTOMATIC
    wanted = [guild.preferred_locale.value] if is_automatic and guild is not None else [settings.language]
    return choose(wanted) or ENGLISH
