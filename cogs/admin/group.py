"""The `/patreon` group, and who may use it.

Discord's own setting hides the group from people without Manage Roles; a server may override that, and a button is not
covered by it, so the right is asked for again each time.
"""

from typing import Any

import discord
import msgspec
from discord import app_commands, ui

from bot.discord.client import Interaction
from bot.discord.observe import powers_of
from bot.discord.replies import NOT_ALLOWED, OUT_OF_SIGHT, is_manager, replace, say, show, swap
from bot.domain.assignable import Powers
from bot.domain.errors import TryLater, UserMistake
from bot.domain.model import GuildId
from bot.texts.card import Card


class AdminGroup(app_commands.Group):
    """A group of commands for those who manage roles. discord.py asks only a command's nearest group."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Tell whether the person may."""
        return is_manager(interaction)


patreon = AdminGroup(
    name="patreon",
    description="Roles that follow Patreon pledges",
    allowed_contexts=app_commands.AppCommandContext(guild=True),
    default_permissions=discord.Permissions(manage_roles=True),
)


def may_complete(interaction: discord.Interaction[Any]) -> bool:
    """Ask the same of someone who is still typing: choices name campaigns and rules."""
    return is_manager(interaction)


def require_manager(interaction: Interaction) -> None:
    """Raise UserMistake where whoever pressed a button may not."""
    if not is_manager(interaction):
        raise UserMistake(NOT_ALLOWED)


def guild_of(interaction: Interaction) -> GuildId:
    """Return where the command was typed; TryLater while the server is out of sight."""
    guild = interaction.guild
    if guild is None or guild.unavailable:
        raise TryLater(OUT_OF_SIGHT)
    return GuildId(guild.id)


def caller_of(interaction: Interaction) -> Powers:
    """Return what whoever asks may do themselves."""
    if not isinstance(interaction.user, discord.Member):
        raise TryLater(OUT_OF_SIGHT)
    return powers_of(interaction.user)


async def tell(interaction: Interaction, answer: Card | str, *, view: ui.View | None = None) -> None:
    """Answer an admin, below what they have not been told yet."""
    pending = await _take_pending(interaction)
    if isinstance(answer, Card):
        await show(interaction, _below(pending, answer), view=view)
    else:
        await say(interaction, "\n".join([*pending, answer]), view=view or discord.utils.MISSING)


async def retell(interaction: Interaction, answer: Card | str) -> None:
    """Answer the press of an admin's button, in place of its message."""
    pending = await _take_pending(interaction)
    if isinstance(answer, Card):
        await swap(interaction, _below(pending, answer))
    else:
        await replace(interaction, "\n".join([*pending, answer]))


async def _take_pending(interaction: Interaction) -> list[str]:
    """Return what no admin has read yet, with a line below."""
    pending = await interaction.client.services.messenger.take_pending(guild_of(interaction))
    return [*pending, ""] if pending else []


def _below(pending: list[str], card: Card) -> Card:
    return msgspec.structs.replace(card, body=type(card.body)("\n".join([*pending, card.body])))
