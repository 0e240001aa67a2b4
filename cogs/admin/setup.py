"""`/patreon setup`: one panel that leads from the invitation to live roles; each press is judged anew."""

from datetime import datetime
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.asking import asker_of
from bot.discord.buttons import number_in
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, DiscordUserId, RoleId, TierId
from bot.domain.setup import SetupStep, SetupView
from bot.linking.consent_flow import ConsentFlow
from bot.sync.admin.setup import Press, SetupEditor, WentLive
from bot.texts import commands as texts
from bot.texts.card import Outcome
from bot.texts.renderer import Medium
from bot.texts.setup import setup_cancelled, setup_live, setup_role_reason
from cogs.admin.rights import caller_of, guild_of, require_manager
from cogs.admin.setup_panel import closing, generation_of, panel


class SetupCommands(commands.Cog):
    """The panel."""

    def __init__(self, *, editor: SetupEditor, connecting: ConsentFlow) -> None:
        self._editor = editor
        self._connecting = connecting

    @app_commands.command(name="setup", description=texts.SETUP)
    async def setup(self, interaction: Interaction) -> None:
        """Begin, or go on where it was left."""
        await interaction.response.defer(ephemeral=True)
        view = await self._editor.open(_press(interaction, None))
        await interaction.followup.send(
            view=await self._draw(interaction, view),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    async def campaign(self, interaction: Interaction, argument: str) -> None:
        """Take a campaign; without an argument the only one."""
        press = await self._take(interaction)
        await self._show(interaction, await self._editor.choose_campaign(press, CampaignId(argument) or None))

    async def role(self, interaction: Interaction, argument: str) -> None:
        """Take a role for a tier, or none."""
        press = await self._take(interaction)
        role_id = next((RoleId(number_in(one)) for one in _values(interaction)), None)
        await self._show(interaction, await self._editor.choose_role(press, TierId(argument), role_id))

    async def create(self, interaction: Interaction, argument: str) -> None:
        """Make a role for a tier."""
        press = await self._take(interaction)
        reason = setup_role_reason(renderer_of(interaction, Medium.PLAIN), interaction.user.name)
        await self._show(interaction, await self._editor.create_role(press, TierId(argument), reason=reason))

    async def policy(self, interaction: Interaction, argument: str) -> None:
        """Take an answer."""
        press = await self._take(interaction)
        value = next(iter(_values(interaction)), "")
        await self._show(interaction, await self._editor.choose_policy(press, argument, value))

    async def policies(self, interaction: Interaction, _: str) -> None:
        """Go on to the policies."""
        await self._show(interaction, await self._editor.turn_to(await self._take(interaction), SetupStep.POLICIES))

    async def preview(self, interaction: Interaction, _: str) -> None:
        """Go on to the preview."""
        await self._show(interaction, await self._editor.turn_to(await self._take(interaction), SetupStep.PREVIEW))

    async def back(self, interaction: Interaction, argument: str) -> None:
        """Go back to a step, or to another page of the tiers."""
        press = await self._take(interaction)
        step, _, page = argument.partition(":")
        if step not in set(SetupStep) or not (page or "0").isdecimal() or len(page) > 3:
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        await self._show(interaction, await self._editor.turn_to(press, SetupStep(step), int(page or 0)))

    async def live(self, interaction: Interaction, _: str) -> None:
        """Write the rules."""
        done = await self._editor.go_live(await self._take(interaction))
        if isinstance(done, WentLive):
            await self._close(interaction, closing(setup_live(renderer_of(interaction), done.rules), Outcome.DONE))
        else:
            await self._show(interaction, done)

    async def cancel(self, interaction: Interaction, _: str) -> None:
        """Forget the draft."""
        view = await self._editor.cancel(await self._take(interaction))
        if view is None:
            await self._close(interaction, closing(setup_cancelled(renderer_of(interaction)), Outcome.INFO))
        else:
            await self._show(interaction, view)

    async def _take(self, interaction: Interaction) -> Press:
        """Take a press, from whoever may manage roles now."""
        require_manager(interaction)
        await interaction.response.defer()
        return _press(interaction, generation_of(interaction.message))

    async def _show(self, interaction: Interaction, view: SetupView) -> None:
        await self._close(interaction, await self._draw(interaction, view))

    async def _close(self, interaction: Interaction, layout: ui.LayoutView) -> None:
        await interaction.edit_original_response(view=layout, allowed_mentions=discord.AllowedMentions.none())

    async def _draw(self, interaction: Interaction, view: SetupView) -> ui.LayoutView:
        url = None
        if view.draft.step is SetupStep.CAMPAIGN and not view.campaigns:
            url = (await self._connecting.start(asker_of(interaction))).authorize_url
        return panel(renderer_of(interaction), renderer_of(interaction, Medium.PLAIN), view, connect=url)


def _press(interaction: Interaction, seen: int | None) -> Press:
    asked_at: datetime = interaction.created_at  # by Discord's clock, from the interaction's own id
    return Press(
        guild_id=guild_of(interaction),
        by=DiscordUserId(interaction.user.id),
        caller=caller_of(interaction),
        seen=seen,
        asked_at=asked_at,
    )


def _values(interaction: Interaction) -> list[str]:
    data: Any = interaction.data or {}
    return [str(one) for one in data.get("values") or []]
