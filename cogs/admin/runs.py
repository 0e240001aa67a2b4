"""`/patreon sync` and `/patreon preview`: bring roles in line now, or see what that would change."""

from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.domain.changes import Trigger
from bot.texts.runs import preview_card, sync_card
from cogs.admin.group import guild_of, patreon, tell


@patreon.command(name="sync", description="Read Patreon now and bring this server's roles in line")
async def sync(interaction: Interaction) -> None:
    """Run a round for this server."""
    await interaction.response.defer(ephemeral=True)
    report = await interaction.client.services.rounds.run(trigger=Trigger.SYNC, guild_id=guild_of(interaction))
    await tell(interaction, sync_card(renderer_of(interaction), report))


@patreon.command(name="preview", description="Show what the next sync would change; changes nothing itself")
async def preview(interaction: Interaction) -> None:
    """Plan everyone and write nothing."""
    await interaction.response.defer(ephemeral=True)
    plan = await interaction.client.services.reconciler.preview(guild_of(interaction))
    await tell(interaction, preview_card(renderer_of(interaction), plan))
