"""`/patreon connect` and `/patreon disconnect`: a creator lets this server follow their campaign, or it is ended."""

from discord import app_commands, ui
from discord.ext import commands

from bot.discord.asking import asker_of, place_of
from bot.discord.buttons import question, view_of
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, DiscordUserId
from bot.linking.consent_flow import ConsentFlow
from bot.linking.disconnect import Disconnector, Parting
from bot.sync.admin.rulebook import Rulebook
from bot.texts import commands as texts
from bot.texts import linking as words
from cogs.admin.answers import Answers, offer
from cogs.admin.rights import caller_of, guild_of, may_complete, require_manager


class CampaignCommands(commands.Cog):
    """Connect a campaign, or disconnect it."""

    def __init__(
        self, *, answers: Answers, connecting: ConsentFlow, disconnector: Disconnector, rulebook: Rulebook
    ) -> None:
        self._answers = answers
        self._connecting = connecting
        self._disconnector = disconnector
        self._rulebook = rulebook

    @app_commands.command(name="connect", description=texts.CONNECT)
    async def connect(self, interaction: Interaction) -> None:
        """Give the link for the creator."""
        await interaction.response.defer(ephemeral=True)
        guild_of(interaction)  # else there is nothing to connect to
        r = renderer_of(interaction)
        started = await self._connecting.start(asker_of(interaction))
        view = view_of(ui.Button(label=words.connect_button(r), url=started.authorize_url.reveal()))
        await self._connecting.attach_button(started.state_id, place_of(interaction, None))  # the creator may be quick
        await self._answers.tell(interaction, words.connect_invitation(r, until=started.expires_at), view=view)

    @app_commands.command(name="disconnect", description=texts.DISCONNECT)
    @app_commands.describe(**texts.DISCONNECT_OPTIONS)
    @app_commands.choices(roles=[app_commands.Choice(name=text, value=value) for value, text in texts.ROLES.items()])
    async def disconnect(self, interaction: Interaction, campaign: str, roles: str) -> None:
        """Ask whether they mean it."""
        await interaction.response.defer(ephemeral=True)
        parting = await self._draft(interaction, campaign, roles)
        r = renderer_of(interaction)
        argument = f"{parting.campaign.campaign_id}:{roles}"
        view = question("disconnect", *words.disconnect_buttons(r), argument=argument, is_dangerous=True)
        card = words.disconnect_question(
            r,
            parting.campaign.name,
            rules=parting.rules,
            people=parting.people,
            keeps_roles=roles == "keep",
            has_shared=bool(parting.shared_role_ids),
        )
        await self._answers.tell(interaction, card, view=view)

    async def confirm_disconnect(self, interaction: Interaction, argument: str) -> None:
        """End it, where whoever pressed may still do so."""
        require_manager(interaction)
        await interaction.response.defer()
        campaign_id, _, roles = argument.partition(":")
        if roles not in {"keep", "remove"}:
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        await self._draft(interaction, campaign_id, roles)
        parting = await self._disconnector.disconnect(
            guild_of(interaction),
            CampaignId(campaign_id),
            keeps_roles=roles == "keep",
            by=DiscordUserId(interaction.user.id),
        )
        card = words.disconnected_card(
            renderer_of(interaction),
            parting.campaign.name,
            keeps_roles=roles == "keep",
            has_shared=bool(parting.shared_role_ids),
        )
        await self._answers.retell(interaction, card)

    @disconnect.autocomplete("campaign")
    @app_commands.check(may_complete)
    async def complete_campaign(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the campaigns that this server follows."""
        campaigns = await self._rulebook.campaigns(guild_of(interaction))
        return offer([(one.name, one.campaign_id) for one in campaigns], typed)

    async def _draft(self, interaction: Interaction, campaign: str, roles: str) -> Parting:
        """Say what would end, where it is theirs to end: who takes roles back must rank above them."""
        guild_id = guild_of(interaction)
        parting = await self._disconnector.draft(guild_id, campaign)
        if roles == "remove":
            self._rulebook.check_rank(guild_id, parting.role_ids | parting.shared_role_ids, caller_of(interaction))
        return parting
