"""/link and /unlink: a person links their Patreon account to their Discord account, or unlinks it."""

import discord
import structlog
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.asking import asker_of, place_of
from bot.discord.buttons import question, view_of
from bot.discord.client import Interaction
from bot.discord.embeds import embed_of, renderer_of
from bot.discord.failures import DISCORD_FAILURES
from bot.discord.replies import replace_soon, show, swap
from bot.domain.model import DiscordUserId, GuildId
from bot.linking.consent_flow import ConsentFlow, StartedLink
from bot.linking.link import PatronLink
from bot.linking.unlink import Unlinker
from bot.texts import commands as texts
from bot.texts import linking as words
from bot.texts.card import Card

log = structlog.get_logger(__name__)

CLOSED_CODES = {50007, 50278}  # discord-api-docs, JSON Error Codes: closed to us, and no server in common


class LinkCog(commands.Cog):
    """Link and unlink."""

    def __init__(self, *, flow: ConsentFlow, patron_link: PatronLink, unlinker: Unlinker) -> None:
        self._flow = flow
        self._patron_link = patron_link
        self._unlinker = unlinker

    @app_commands.command(description=texts.LINK)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def link(self, interaction: Interaction) -> None:
        """Send the personal link to Patreon."""
        await interaction.response.defer(ephemeral=True)
        r = renderer_of(interaction)
        started = await self._flow.start(asker_of(interaction))
        card = await self._invitation(interaction, started)
        view = view_of(ui.Button(label=words.link_button(r), url=started.authorize_url.reveal()))
        sent = await send_dm(interaction.user, card, view)
        message = sent if isinstance(sent, discord.Message) else None
        # Before the reply: whoever is quick is to be told, too.
        await self._flow.attach_button(started.state_id, place_of(interaction, message))
        if message is not None:
            await show(interaction, words.invitation_sent(r, message.jump_url))
        else:
            is_closed = getattr(sent, "code", None) in CLOSED_CODES
            await show(interaction, words.invitation_here(r, card, is_closed=is_closed), view=view)

    @app_commands.command(description=texts.UNLINK)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def unlink(self, interaction: Interaction) -> None:
        """Ask whether they mean it."""
        await interaction.response.defer(ephemeral=True)
        r = renderer_of(interaction)
        link = await self._patron_link.find(DiscordUserId(interaction.user.id))
        if link is None:
            await show(interaction, words.not_linked(r))
            return
        view = question("unlink", *words.unlink_buttons(r), is_dangerous=True)
        await show(interaction, words.unlink_question(r, link.patreon_name), view=view)

    async def confirm_unlink(self, interaction: Interaction, _: str) -> None:
        """Unlink whoever pressed."""
        r = renderer_of(interaction)
        unlinking = self._unlinker.unlink(DiscordUserId(interaction.user.id))
        unlinked = await replace_soon(interaction, unlinking, meanwhile=words.unlinking(r))
        await swap(interaction, words.unlinked_card(r, unlinked))

    async def _invitation(self, interaction: Interaction, started: StartedLink) -> Card:
        link = await self._patron_link.find(DiscordUserId(interaction.user.id))
        guild_id = interaction.guild_id
        return words.invitation(
            renderer_of(interaction),
            until=started.expires_at,
            linked_to=None if link is None else link.patreon_name,
            has_rules=guild_id is None or await self._patron_link.has_roles(GuildId(guild_id)),
        )


async def send_dm(person: discord.User | discord.Member, card: Card, view: ui.View) -> discord.Message | Exception:
    """Send a direct message; return the error where Discord will not, for whatever reason: the reply serves as well."""
    try:
        return await person.send(embed=embed_of(card), view=view)
    except DISCORD_FAILURES as error:
        log.info("a direct message is not possible", discord_user_id=person.id, why=str(error))
        return error
