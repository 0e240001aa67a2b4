"""`/patreon why` and `/patreon unlink`: one person's roles explained, or their link ended.

Only for people who belong to this server. Of a member whom no campaign of this server lists, `why` says just that, not
who they are elsewhere, and `unlink` changes nothing.
"""

import discord
from discord import app_commands

from bot.discord.buttons import number_in, question
from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.discord.replies import replace_soon
from bot.domain.model import DiscordUserId
from bot.texts.membership import (
    nothing_to_unlink_card,
    unlink_label,
    unlink_question_card,
    unlinked_card,
    unlinking_text,
    why_card,
)
from cogs.admin.group import guild_of, patreon, require_manager, retell, tell


@patreon.command(name="why", description="Explain which pledge roles a person has or lacks, and why")
@app_commands.describe(user="Whose roles")
async def why(interaction: Interaction, user: discord.User) -> None:
    """Explain one person's plan."""
    await interaction.response.defer(ephemeral=True)
    services, guild_id, person = interaction.client.services, guild_of(interaction), DiscordUserId(user.id)
    planned = await services.reconciler.explain_to_team(guild_id, person)
    r = renderer_of(interaction)
    remarks = () if planned.plan.is_link_hidden else await services.zero.remarks(guild_id, person)
    said = [r.verbatim(remark) for remark in remarks]
    await tell(interaction, why_card(r, person, planned.plan, planned.guild, remarks=said))


@patreon.command(
    name="unlink", description="Part a person from their Patreon account and take the roles of their pledge"
)
@app_commands.describe(user="Whom to unlink")
async def unlink(interaction: Interaction, user: discord.User) -> None:
    """Ask whether they mean it."""
    await interaction.response.defer(ephemeral=True)
    services, guild_id, person = interaction.client.services, guild_of(interaction), DiscordUserId(user.id)
    r, link = renderer_of(interaction), (await services.reconciler.explain_to_team(guild_id, person)).plan.link
    if link is None or link.ended_at is not None:
        await tell(interaction, nothing_to_unlink_card(r, person))
        return
    view = question("unlink-member", unlink_label(r), argument=str(person), is_dangerous=True)
    await tell(interaction, unlink_question_card(r, person, link.patreon_name), view=view)


async def confirm_unlink_member(interaction: Interaction, argument: str) -> None:
    """Part the accounts, where whoever pressed may still do so."""
    require_manager(interaction)
    await interaction.response.defer()
    services, person, r = interaction.client.services, DiscordUserId(number_in(argument)), renderer_of(interaction)
    guild_id = guild_of(interaction)
    if (await services.reconciler.explain_to_team(guild_id, person)).plan.link is None:
        await retell(interaction, nothing_to_unlink_card(r, person))
        return
    parting = services.flow.unlink(person, by_admin_of=guild_id)
    unlinked = await replace_soon(interaction, parting, meanwhile=unlinking_text(r, person))
    name = unlinked.patreon_name
    card = nothing_to_unlink_card(r, person) if name is None else unlinked_card(r, person, name)
    await retell(interaction, card)
