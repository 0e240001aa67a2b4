"""`/patreon sync` and `/patreon preview`: bring roles in line now, or see what that would change."""

from discord import app_commands
from discord.ext import commands

from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId
from bot.sync.admin.trail import Trail
from bot.sync.applying.reconcile import Reconciler
from bot.sync.rounds import Rounds
from bot.texts import commands as texts
from bot.texts.sync import preview_card, sync_card
from cogs.admin.answers import Answers
from cogs.admin.rights import guild_of


class SyncCommands(commands.Cog):
    """Bring roles in line, or preview that."""

    def __init__(self, *, answers: Answers, rounds: Rounds, reconciler: Reconciler, trail: Trail) -> None:
        self._answers = answers
        self._rounds = rounds
        self._reconciler = reconciler
        self._trail = trail

    @app_commands.command(name="sync", description=texts.SYNC)
    async def sync(self, interaction: Interaction) -> None:
        """Run a round for this server."""
        await interaction.response.defer(ephemeral=True)
        await self._trail.note_sync(guild_of(interaction), by=DiscordUserId(interaction.user.id))
        report = await self._rounds.run(trigger=Trigger.SYNC, guild_id=guild_of(interaction))
        await self._answers.tell(interaction, sync_card(renderer_of(interaction), report))

    @app_commands.command(name="preview", description=texts.PREVIEW)
    async def preview(self, interaction: Interaction) -> None:
        """Plan everyone and write nothing."""
        await interaction.response.defer(ephemeral=True)
        plan = await self._reconciler.preview(guild_of(interaction))
        await self._answers.tell(interaction, preview_card(renderer_of(interaction), plan))
