"""`/patreon comp …`: roles that admins give without a pledge."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.model import DiscordUserId, RoleId
from bot.sync.admin.comps import CompEditor, CompRequest
from bot.texts import commands as texts
from bot.texts.comps import comps_card, ended_card, given_card
from cogs.admin.answers import Answers
from cogs.admin.rights import AdminGroup, caller_of, guild_of


class CompCommands(commands.Cog):
    """Roles without a pledge."""

    comp = AdminGroup(name="comp", description=texts.COMP)

    def __init__(self, *, answers: Answers, editor: CompEditor) -> None:
        self._answers = answers
        self._editor = editor

    @comp.command(name="add", description=texts.COMP_ADD)
    @app_commands.describe(**texts.COMP_ADD_OPTIONS)
    async def add_comp(
        self, interaction: Interaction, user: discord.User, role: discord.Role, until: str, reason: str
    ) -> None:
        """Give somebody a role, or change what was said of it."""
        await interaction.response.defer(ephemeral=True)
        wish = CompRequest(discord_user_id=DiscordUserId(user.id), role_id=RoleId(role.id), until=until, reason=reason)
        by = DiscordUserId(interaction.user.id)
        given = await self._editor.give(guild_of(interaction), wish, caller_of(interaction), by=by)
        card = given_card(renderer_of(interaction), given.named, before=given.before, now=given.now)
        await self._answers.tell(interaction, card)

    @comp.command(name="list", description=texts.COMP_LIST)
    async def list_comps(self, interaction: Interaction) -> None:
        """Show who has one."""
        await interaction.response.defer(ephemeral=True)
        comps = await self._editor.list(guild_of(interaction))
        await self._answers.tell(interaction, comps_card(renderer_of(interaction), comps))

    @comp.command(name="remove", description=texts.COMP_REMOVE)
    @app_commands.describe(**texts.COMP_REMOVE_OPTIONS)
    async def remove_comp(self, interaction: Interaction, user: discord.User, role: discord.Role) -> None:
        """End one now."""
        await interaction.response.defer(ephemeral=True)
        ended = await self._editor.remove(
            guild_of(interaction),
            DiscordUserId(user.id),
            RoleId(role.id),
            caller_of(interaction),
            by=DiscordUserId(interaction.user.id),
        )
        await self._answers.tell(interaction, ended_card(renderer_of(interaction), ended.named, now=ended.now))
