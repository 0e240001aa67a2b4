"""Who may use `/patreon`, and where and by whom it was typed.

Discord's own setting hides the commands from people without Manage Roles; a server may override that, and a button
is not covered by it, so the right is asked for again each time.
"""

from typing import Any

import discord
from discord import app_commands

from bot.discord.client import Interaction
from bot.discord.observe import powers_of
from bot.discord.replies import is_manager
from bot.domain.assignable import ADMINISTRATOR, Powers
from bot.domain.errors import Later, Mistake, TryLater, UserMistake
from bot.domain.model import GuildId


class AdminGroup(app_commands.Group):
    """A group of commands for those who manage roles. discord.py asks only a command's nearest group."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Tell whether the person may."""
        return is_manager(interaction)


def may_complete(interaction: discord.Interaction[Any]) -> bool:
    """Ask the same of someone who is still typing: choices name campaigns and rules."""
    return is_manager(interaction)


def require_manager(interaction: Interaction) -> None:
    """Raise UserMistake where whoever pressed a button may not."""
    if not is_manager(interaction):
        raise UserMistake(Mistake.NOT_ALLOWED)


def require_administrator(interaction: Interaction) -> None:
    """Raise UserMistake where whoever asks neither owns the server nor administers it."""
    if not is_administrator(interaction):
        raise UserMistake(Mistake.NOT_ADMINISTRATOR)


def is_administrator(interaction: Interaction) -> bool:
    """Tell whether whoever asks, or is still typing, owns the server or administers it."""
    caller = caller_of(interaction)
    return caller.is_owner or bool(caller.permissions & ADMINISTRATOR)


def guild_of(interaction: Interaction) -> GuildId:
    """Return where the command was typed; TryLater while the server is out of sight."""
    guild = interaction.guild
    if guild is None or guild.unavailable:
        raise TryLater(Later.SERVER_UNSEEN)
    return GuildId(guild.id)


def caller_of(interaction: Interaction) -> Powers:
    """Return what whoever asks may do themselves."""
    if not isinstance(interaction.user, discord.Member):
        raise TryLater(Later.SERVER_UNSEEN)
    return powers_of(interaction.user)
