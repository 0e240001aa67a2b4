"""`/patreon adopt` and `/patreon restore`: which roles are mine to manage, as an admin says."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.model import DiscordUserId, RoleId
from bot.sync.admin.adoption import Adoption
from bot.texts import commands as texts
from bot.texts.adoption import adopted_card, adoption_buttons, adoption_card, restored_card
from cogs.admin.answers import Answers
from cogs.admin.rights import caller_of, guild_of, require_manager


class LedgerCommands(commands.Cog):
    """Which roles count as given by the bot."""

    def __init__(self, *, answers: Answers, adoption: Adoption) -> None:
        self._answers = answers
        self._adoption = adoption

    @app_commands.command(name="adopt", description=texts.ADOPT)
    @app_commands.describe(**texts.ADOPT_OPTIONS)
    async def adopt(self, interaction: Interaction, role: discord.Role) -> None:
        """Show whom it would be about, and ask."""
        await interaction.response.defer(ephemeral=True)
        guild_id = guild_of(interaction)
        draft = await self._adoption.draft(guild_id, RoleId(role.id), caller_of(interaction))
        renderer = renderer_of(interaction)
        view = question("adopt", *adoption_buttons(renderer), argument=str(role.id), is_dangerous=True)
        await self._answers.tell(interaction, adoption_card(renderer, draft), view=view if draft.people else None)

    async def confirm_adopt(self, interaction: Interaction, argument: str) -> None:
        """Adopt whoever holds the role by now."""
        require_manager(interaction)
        await interaction.response.defer()
        admin = DiscordUserId(interaction.user.id)
        role_id, caller = RoleId(number_in(argument)), caller_of(interaction)
        draft = await self._adoption.adopt(guild_of(interaction), role_id, caller, by=admin)
        await self._answers.retell(interaction, adopted_card(renderer_of(interaction), draft))

    @app_commands.command(name="restore", description=texts.RESTORE)
    @app_commands.describe(**texts.RESTORE_OPTIONS)
    async def restore(self, interaction: Interaction, user: discord.User, role: discord.Role) -> None:
        """Lift a hand edit."""
        await interaction.response.defer(ephemeral=True)
        admin = DiscordUserId(interaction.user.id)
        person = DiscordUserId(user.id)
        caller = caller_of(interaction)
        await self._adoption.restore(guild_of(interaction), person, RoleId(role.id), caller=caller, by=admin)
        await self._answers.tell(interaction, restored_card(renderer_of(interaction), role.name, person))
