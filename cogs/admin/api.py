"""`/patreon api …`: which programs may read who is a patron. For the owner and administrators."""

from discord import app_commands
from discord.ext import commands

from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.model import DiscordUserId
from bot.sync.admin.api_tokens import TokenEditor
from bot.texts import commands as texts
from bot.texts.api import created_card, revoked_card, token_choice, tokens_card
from bot.texts.renderer import Medium
from cogs.admin.answers import Answers, offer
from cogs.admin.rights import AdminGroup, guild_of, is_administrator, require_administrator


class ApiCommands(commands.Cog):
    """Tokens of the API."""

    api = AdminGroup(name="api", description=texts.API)

    def __init__(self, *, answers: Answers, editor: TokenEditor) -> None:
        self._answers = answers
        self._editor = editor

    @api.command(name="create", description=texts.API_CREATE)
    @app_commands.describe(**texts.API_CREATE_OPTIONS)
    async def create_token(self, interaction: Interaction, label: str) -> None:
        """Make a token, and show it this once."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        new = await self._editor.create(guild_of(interaction), label, by=DiscordUserId(interaction.user.id))
        card = created_card(renderer_of(interaction), new.token, new.shown, new.public_url)
        await self._answers.tell(interaction, card)

    @api.command(name="list", description=texts.API_LIST)
    async def list_tokens(self, interaction: Interaction) -> None:
        """Show each token with its last use."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        tokens = await self._editor.list(guild_of(interaction))
        await self._answers.tell(interaction, tokens_card(renderer_of(interaction), tokens))

    @api.command(name="revoke", description=texts.API_REVOKE)
    @app_commands.describe(**texts.API_REVOKE_OPTIONS)
    async def revoke_token(self, interaction: Interaction, token: str) -> None:
        """End a token now."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        revoked = await self._editor.revoke(guild_of(interaction), token, by=DiscordUserId(interaction.user.id))
        await self._answers.tell(interaction, revoked_card(renderer_of(interaction), revoked))

    @revoke_token.autocomplete("token")
    @app_commands.check(is_administrator)
    async def complete_token(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the server's tokens, by their labels."""
        r, tokens = renderer_of(interaction, Medium.PLAIN), await self._editor.list(guild_of(interaction))
        return offer([(token_choice(r, one), str(one.token_id)) for one in tokens], typed)
