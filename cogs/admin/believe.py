"""`/patreon believe`: an admin accepts a member list that looks wrong."""

from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.model import DiscordUserId, ReadId
from bot.sync.admin.acceptance import Acceptance
from bot.texts import commands as texts
from bot.texts.acceptance import accepted_card, doubts_buttons, doubts_card
from cogs.admin.answers import Answers
from cogs.admin.rights import guild_of, require_manager


class BelieveCommands(commands.Cog):
    """An admin's word on a doubted list."""

    def __init__(self, *, answers: Answers, acceptance: Acceptance) -> None:
        self._answers = answers
        self._acceptance = acceptance

    @app_commands.command(name="believe", description=texts.BELIEVE)
    async def believe(self, interaction: Interaction) -> None:
        """Show what would be accepted, and ask."""
        await interaction.response.defer(ephemeral=True)
        renderer, doubts = renderer_of(interaction), await self._acceptance.doubts(guild_of(interaction))
        read_ids = ",".join(str(doubt.read_id) for doubt in doubts)
        view = question("believe", *doubts_buttons(renderer), argument=read_ids, is_dangerous=True)
        await self._answers.tell(interaction, doubts_card(renderer, doubts), view=view)

    async def confirm_believe(self, interaction: Interaction, argument: str) -> None:
        """Accept the lists that were shown, those that still wait."""
        require_manager(interaction)
        await interaction.response.defer()
        read_ids = {ReadId(number_in(number)) for number in argument.split(",")}
        admin = DiscordUserId(interaction.user.id)
        believed = await self._acceptance.believe(guild_of(interaction), read_ids, by=admin)
        await self._answers.retell(interaction, accepted_card(renderer_of(interaction), believed))
