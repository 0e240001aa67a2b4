"""`/patreon why` and `/patreon unlink`: one person's roles explained, or their link ended.

Only for people who belong to this server. Of a member whom no campaign of this server lists, `why` says just that, not
who they are elsewhere, and `unlink` changes nothing.
"""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.discord.replies import replace_soon
from bot.domain.model import DiscordUserId
from bot.linking.unlink import Unlinker
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reported_links import ReportedLinks
from bot.texts import commands as texts
from bot.texts.linking import unlink_buttons
from bot.texts.membership import (
    nothing_to_unlink_card,
    unlink_question_card,
    unlinked_card,
    unlinking_text,
    why_card,
)
from bot.texts.troubles import say_trouble
from cogs.admin.answers import Answers
from cogs.admin.rights import guild_of, require_manager


class PeopleCommands(commands.Cog):
    """One person, explained or unlinked."""

    def __init__(
        self, *, answers: Answers, reconciler: Reconciler, reported_links: ReportedLinks, unlinker: Unlinker
    ) -> None:
        self._answers = answers
        self._reconciler = reconciler
        self._reported_links = reported_links
        self._unlinker = unlinker

    @app_commands.command(name="why", description=texts.WHY)
    @app_commands.describe(**texts.WHY_OPTIONS)
    async def why(self, interaction: Interaction, user: discord.User) -> None:
        """Explain one person's plan."""
        await interaction.response.defer(ephemeral=True)
        guild_id, person, r = guild_of(interaction), DiscordUserId(user.id), renderer_of(interaction)
        planned = await self._reconciler.explain_to_team(guild_id, person)
        remarks = () if planned.plan.is_link_hidden else await self._reported_links.remarks(guild_id, person)
        said = [say_trouble(r, remark) for remark in remarks]
        await self._answers.tell(interaction, why_card(r, person, planned.plan, planned.guild, remarks=said))

    @app_commands.command(name="unlink", description=texts.UNLINK_PERSON)
    @app_commands.describe(**texts.UNLINK_PERSON_OPTIONS)
    async def unlink(self, interaction: Interaction, user: discord.User) -> None:
        """Ask whether they mean it."""
        await interaction.response.defer(ephemeral=True)
        guild_id, person, r = guild_of(interaction), DiscordUserId(user.id), renderer_of(interaction)
        link = (await self._reconciler.explain_to_team(guild_id, person)).plan.link
        if link is None or link.ended_at is not None:
            await self._answers.tell(interaction, nothing_to_unlink_card(r, person))
            return
        view = question("unlink-member", *unlink_buttons(r), argument=str(person), is_dangerous=True)
        await self._answers.tell(interaction, unlink_question_card(r, person, link.patreon_name), view=view)

    async def confirm_unlink_member(self, interaction: Interaction, argument: str) -> None:
        """Part the accounts, where whoever pressed may still do so."""
        require_manager(interaction)
        await interaction.response.defer()
        guild_id, person, r = guild_of(interaction), DiscordUserId(number_in(argument)), renderer_of(interaction)
        if (await self._reconciler.explain_to_team(guild_id, person)).plan.link is None:
            await self._answers.retell(interaction, nothing_to_unlink_card(r, person))
            return
        parting = self._unlinker.unlink(person, by_admin_of=guild_id)
        unlinked = await replace_soon(interaction, parting, meanwhile=unlinking_text(r, person))
        name = unlinked.patreon_name
        card = nothing_to_unlink_card(r, person) if name is None else unlinked_card(r, person, name)
        await self._answers.retell(interaction, card)
