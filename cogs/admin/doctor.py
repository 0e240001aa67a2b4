"""`/patreon doctor`: why roles don't come, in a server or to one person, and a button to look again."""

from datetime import datetime

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.buttons import button, number_in, view_of
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.model import DiscordUserId
from bot.domain.notices import TROUBLES
from bot.sync.doctor import Doctor
from bot.texts import commands as texts
from bot.texts.card import Card
from bot.texts.doctor import again_label, doctor_card, person_card
from cogs.admin.answers import Answers
from cogs.admin.rights import guild_of, require_manager


class DoctorCommands(commands.Cog):
    """The doctor."""

    def __init__(self, *, answers: Answers, doctor: Doctor) -> None:
        self._answers = answers
        self._doctor = doctor

    @app_commands.command(name="doctor", description=texts.DOCTOR)
    @app_commands.describe(**texts.DOCTOR_OPTIONS)
    async def doctor(self, interaction: Interaction, user: discord.User | None = None) -> None:
        """Examine the server, or one person."""
        await interaction.response.defer(ephemeral=True)
        card, view = await self._examine(interaction, None if user is None else DiscordUserId(user.id))
        await self._answers.tell(interaction, card, view=view, says=TROUBLES if user is None else ())

    async def look_again(self, interaction: Interaction, argument: str) -> None:
        """Examine the same once more, in place of the message."""
        require_manager(interaction)
        await interaction.response.defer()
        card, view = await self._examine(interaction, DiscordUserId(number_in(argument)) if argument else None)
        await self._answers.retell(interaction, card, view=view, says=() if argument else TROUBLES)

    async def _examine(self, interaction: Interaction, person: DiscordUserId | None) -> tuple[Card, ui.View]:
        guild_id, r = guild_of(interaction), renderer_of(interaction)
        asked_at: datetime = interaction.created_at  # by Discord's clock, from the interaction's own id
        again = view_of(button("doctor:again", again_label(r), argument="" if person is None else str(person)))
        if person is None:
            return doctor_card(r, await self._doctor.examine(guild_id, asked_at=asked_at)), again
        planned, diagnosis = await self._doctor.examine_person(guild_id, person, asked_at=asked_at)
        return person_card(r, person, planned, diagnosis), again
