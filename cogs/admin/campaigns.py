"""`/patreon connect` and `/patreon disconnect`: a creator lets this server follow their campaign, or it is ended."""

from discord import app_commands, ui
from discord.ext import commands

from bot.discord.asking import asker_of, place_of
from bot.discord.buttons import question, view_of
from bot.discord.client import Interaction
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, DiscordUserId
from bot.linking.connect import ConnectFlow
from bot.linking.disconnect import Disconnector, Parting
from bot.sync.admin.rulebook import Rulebook
from bot.texts import commands as texts
from bot.texts.linking import plain
from cogs.admin.group import Answers, caller_of, guild_of, may_complete, offer, require_manager

CONNECT_BUTTON = "Sign in at Patreon as the creator"
INVITATION = """\
**Connect a Patreon campaign to this server**
The creator opens this button, signs in at Patreon with the account that owns the campaign, and allows access. Then a \
page of mine names this server and you, says what I will read, and asks them to confirm. Nothing is read before that.
If the creator is somebody else, send them the address behind the button. It works once, until {until}."""
KEPT = "Roles that it gave stay with their holders, as if a person had given them, and I never take them back."
TAKEN = "Roles that it gave are taken back."
SHARED = "Roles that another rule names too go on following that rule{kept}."
KEPT_TOO = ", and stay with those who would lose them"
QUESTION = """\
End what this server has with the campaign **{name}**?
{rules} of its rules are removed; {people} people hold a role by them. {fate}
It can be connected again at any time with `/patreon connect`."""
DONE = "Done: this server no longer follows the campaign **{name}**. {fate}"


class CampaignCommands(commands.Cog):
    """Connect a campaign, or disconnect it."""

    def __init__(
        self, *, answers: Answers, connecting: ConnectFlow, disconnector: Disconnector, rulebook: Rulebook
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
        connecting = self._connecting
        started = await connecting.start(asker_of(interaction))
        view = view_of(ui.Button(label=CONNECT_BUTTON, url=started.authorize_url.reveal()))
        until = f"<t:{int(started.expires_at.timestamp())}:t>"
        await self._answers.tell(interaction, INVITATION.format(until=until), view=view)
        await connecting.attach_button(started.state_id, place_of(interaction, None))

    @app_commands.command(name="disconnect", description=texts.DISCONNECT)
    @app_commands.describe(**texts.DISCONNECT_OPTIONS)
    @app_commands.choices(roles=[app_commands.Choice(name=text, value=value) for value, text in texts.ROLES.items()])
    async def disconnect(self, interaction: Interaction, campaign: str, roles: str) -> None:
        """Ask whether they mean it."""
        await interaction.response.defer(ephemeral=True)
        parting = await self._draft(interaction, campaign, roles)
        view = question(
            "disconnect", "Disconnect", argument=f"{parting.campaign.campaign_id}:{roles}", is_dangerous=True
        )
        text = QUESTION.format(
            name=plain(parting.campaign.name),
            rules=parting.rules,
            people=parting.people,
            fate=_fate(parting, keeps_roles=roles == "keep"),
        )
        await self._answers.tell(interaction, text, view=view)

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
        fate = _fate(parting, keeps_roles=roles == "keep")
        await self._answers.retell(interaction, DONE.format(name=plain(parting.campaign.name), fate=fate))

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


def _fate(parting: Parting, *, keeps_roles: bool) -> str:
    fate = KEPT if keeps_roles else TAKEN
    shared = SHARED.format(kept=KEPT_TOO if keeps_roles else "")
    return f"{fate} {shared}" if parting.shared_role_ids else fate
