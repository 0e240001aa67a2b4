"""/membership: what Patreon says of the person who asks, which roles follow from it and why, and how old that is."""

from discord import app_commands, ui
from discord.ext import commands

from bot.discord.buttons import button, view_of
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.discord.replies import show, swap
from bot.domain.model import DiscordUserId, GuildId
from bot.sync.check_again import Refresh
from bot.sync.overview import Overviews
from bot.texts import commands as texts
from bot.texts.card import Card
from bot.texts.membership import check_again_label, membership_card, not_linked_card


class MembershipCog(commands.Cog):
    """One person's own standing."""

    def __init__(self, *, overviews: Overviews, refresh: Refresh) -> None:
        self._overviews = overviews
        self._refresh = refresh

    @app_commands.command(description=texts.MEMBERSHIP)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def membership(self, interaction: Interaction) -> None:
        """Explain the person's own plan."""
        await interaction.response.defer(ephemeral=True)
        card, view = await self._page(interaction)
        await show(interaction, card, view=view)

    async def refresh(self, interaction: Interaction, _: str) -> None:
        """Ask Patreon again, and show what came of it."""
        person = DiscordUserId(interaction.user.id)
        self._refresh.begin(person)
        await interaction.response.defer()
        await self._refresh.follow(person)
        card, view = await self._page(interaction)
        await swap(interaction, card, view=view)

    async def _page(self, interaction: Interaction) -> tuple[Card, ui.View | None]:
        r = renderer_of(interaction)
        guild_id = None if interaction.guild_id is None else GuildId(interaction.guild_id)
        overview = await self._overviews.of(DiscordUserId(interaction.user.id), guild_id)
        if overview is None:
            return not_linked_card(r), None
        card = membership_card(
            r,
            overview.servers,
            elsewhere=overview.elsewhere,
            owned=overview.owned,
            has_consent_ended=overview.has_consent_ended,
            is_dm=guild_id is None,
        )
        return card, view_of(button("refresh:membership", check_again_label(r))) if overview.is_linked else None
