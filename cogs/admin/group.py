"""The `/patreon` group, and who may use it.

Discord's own setting hides the group from people without Manage Roles; a server may override that, and a button is not
covered by it, so the right is asked for again each time.
"""

from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.discord.notifier import Notifier
from bot.discord.observe import powers_of
from bot.discord.replies import is_manager, show, swap
from bot.domain.assignable import Powers
from bot.domain.errors import Later, Mistake, TryLater, UserMistake
from bot.domain.model import GuildId
from bot.domain.notices import Trouble
from bot.texts import commands as texts
from bot.texts.card import CHOICE_LENGTH, Card
from bot.texts.troubles import kept_card

CHOICES = 25  # Discord shows no more (discord-api-docs, Application Commands, Autocomplete)


class AdminGroup(app_commands.Group):
    """A group of commands for those who manage roles. discord.py asks only a command's nearest group."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Tell whether the person may."""
        return is_manager(interaction)


def patreon_group(cogs: Iterable[commands.Cog]) -> AdminGroup:
    """Make the group, with the commands of these."""
    patreon = AdminGroup(
        name="patreon",
        description=texts.PATREON,
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        default_permissions=discord.Permissions(manage_roles=True),
    )
    for cog in cogs:
        for command in cog.get_app_commands():
            patreon.add_command(command)
    return patreon


def may_complete(interaction: discord.Interaction[Any]) -> bool:
    """Ask the same of someone who is still typing: choices name campaigns and rules."""
    return is_manager(interaction)


def require_manager(interaction: Interaction) -> None:
    """Raise UserMistake where whoever pressed a button may not."""
    if not is_manager(interaction):
        raise UserMistake(Mistake.NOT_ALLOWED)


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


class Answers:
    """Answers admins, below what they have not been told yet."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def tell(
        self,
        interaction: Interaction,
        answer: Card,
        *,
        view: ui.View | None = None,
        says: tuple[type[Trouble], ...] = (),
    ) -> None:
        """Answer a command; troubles that the answer `says` itself are not told above it."""
        await show(interaction, answer, above=await self._take_news(interaction, says), view=view)

    async def retell(self, interaction: Interaction, answer: Card) -> None:
        """Answer the press of a button, in place of its message."""
        await swap(interaction, answer, above=await self._take_news(interaction))

    async def _take_news(self, interaction: Interaction, said: tuple[type[Trouble], ...] = ()) -> Card | None:
        pending = await self._notifier.take_pending(guild_of(interaction))
        kept = [notice for notice in pending if not isinstance(notice, said)]
        return kept_card(renderer_of(interaction), kept) if kept else None


def offer(choices: Iterable[tuple[str, str]], typed: str) -> list[app_commands.Choice[str]]:
    """Offer what fits what was typed so far: of each choice what to show, and the value."""
    wanted = typed.strip().casefold()
    fitting = [(label, value) for label, value in choices if wanted in label.casefold() or wanted == value]
    return [app_commands.Choice(name=label[:CHOICE_LENGTH], value=value) for label, value in fitting[:CHOICES]]
