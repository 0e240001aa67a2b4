"""/link and /unlink: a person joins their Discord account to their Patreon account, or parts them."""

from datetime import datetime

import discord
import structlog
from discord import app_commands, ui
from discord.ext import commands

from bot.discord.asking import asker_of, place_of
from bot.discord.buttons import question, view_of
from bot.discord.client import Interaction, PledgekeeperBot
from bot.discord.replies import replace, replace_soon, say
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.news import RoleNews, RoleStatus
from bot.linking.outcome import Unlinked
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import say_news_cause
from bot.texts.linking import STATUS_WORDS, plain
from bot.texts.renderer import Medium, Renderer

log = structlog.get_logger(__name__)

LINK_BUTTON = "Sign in at Patreon"
INVITATION = """\
**Link your Patreon account to this Discord account**
Press the button, sign in at Patreon and allow access. Then a page of mine asks whether you typed /link: check that it \
shows your name, and press Yes. Your roles follow at once.
It works once, until {until}. **Never forward this message**: it is for you alone."""
ALREADY = (
    "You are linked to the Patreon account **{name}** at present. Use the button only to link another one instead."
)
NO_RULES = "This server gives no role for a pledge yet. Your link is kept; roles follow by themselves once it does."
SENT = "I sent you a direct message with your personal link: {url}"
CLOSED = "-# Your direct messages are closed to me, so the link is here."
NOT_SENT = "-# Discord did not take my direct message just now, so the link is here."
CLOSED_CODES = {50007, 50278}  # discord-api-docs, JSON Error Codes: closed to us, and no server in common

UNLINK_QUESTION = """\
Part this Discord account from the Patreon account **{name}**?
In every server you lose the roles that I gave you for your pledge, and I forget your Patreon data. Your pledge itself \
goes on. You can come back with /link at any time."""
NOT_LINKED = "No Patreon account is linked to you, so there is nothing to part. /link joins one."
UNLINKING = "You're being unlinked. Discord is slow to remove your roles; I'll update this message when they're gone."
ROLES_LATER = "Discord isn't answering right now. I'll remove your pledge roles as soon as it does."
UNLINKED = "Done: the Patreon account **{name}** is no longer linked to you. You can come back with /link at any time."


class LinkCog(commands.Cog):
    """Link and unlink."""

    def __init__(self, bot: PledgekeeperBot) -> None:
        self._services = bot.services
        bot.button_handlers["confirm:unlink"] = self.confirm_unlink

    @app_commands.command(description="Link your Patreon account, to get the roles of your pledge")
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def link(self, interaction: Interaction) -> None:
        """Send the personal link to Patreon."""
        await interaction.response.defer(ephemeral=True)
        started = await self._services.flow.start_link(asker_of(interaction))
        text = await self._invitation(interaction, started.expires_at)
        view = view_of(ui.Button(label=LINK_BUTTON, url=started.authorize_url.reveal()))
        sent = await send_dm(interaction.user, text, view)
        if isinstance(sent, discord.Message):
            await say(interaction, SENT.format(url=sent.jump_url))
            place = place_of(interaction, sent)
        else:
            await say(
                interaction, f"{text}\n{CLOSED if getattr(sent, 'code', None) in CLOSED_CODES else NOT_SENT}", view=view
            )
            place = place_of(interaction, None)
        await self._services.flow.attach_button(started.state_id, place)

    @app_commands.command(description="Part your Patreon account from Discord and give up the roles of your pledge")
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def unlink(self, interaction: Interaction) -> None:
        """Ask whether they mean it."""
        await interaction.response.defer(ephemeral=True)
        link = await self._services.storage.links.find_discord(DiscordUserId(interaction.user.id))
        if link is None:
            await say(interaction, NOT_LINKED)
            return
        text = UNLINK_QUESTION.format(name=plain(link.patreon_name))
        await say(interaction, text, view=question("unlink", "Unlink", is_dangerous=True))

    async def confirm_unlink(self, interaction: Interaction, _: str) -> None:
        """Part the accounts of whoever pressed."""
        parting = self._services.flow.unlink(DiscordUserId(interaction.user.id))
        unlinked = await replace_soon(interaction, parting, meanwhile=UNLINKING)
        await replace(interaction, unlinked_text(unlinked))

    async def _invitation(self, interaction: Interaction, until: datetime) -> str:
        lines = [INVITATION.format(until=f"<t:{int(until.timestamp())}:t>")]
        link = await self._services.storage.links.find_discord(DiscordUserId(interaction.user.id))
        if link is not None:
            lines.append(ALREADY.format(name=plain(link.patreon_name)))
        guild_id = interaction.guild_id
        if guild_id is not None and not await self._services.storage.rules.list_guild(GuildId(guild_id)):
            lines.append(NO_RULES)
        return "\n".join(lines)


async def send_dm(
    person: discord.User | discord.Member, text: str, view: ui.View
) -> discord.Message | discord.DiscordException:
    """Send a direct message; return the error where Discord will not, for whatever reason: the reply serves as well."""
    try:
        return await person.send(text, view=view, suppress_embeds=True)
    except discord.DiscordException as error:
        log.info("a direct message is not possible", discord_user_id=person.id, error=str(error))
        return error


def unlinked_text(unlinked: Unlinked) -> str:
    """Say what became of the link and of the roles."""
    if unlinked.patreon_name is None:
        return NOT_LINKED
    lines = [UNLINKED.format(name=plain(unlinked.patreon_name))]
    if unlinked.news is None:
        lines.append(ROLES_LATER)
    lines += [_role_line(one) for one in unlinked.news or () if one.status is not RoleStatus.MISSING]
    return "\n".join(lines)


def _role_line(role: RoleNews) -> str:
    is_told = role.status is RoleStatus.STAYS
    why = f" ({say_news_cause(Renderer(ENGLISH, Medium.DISCORD), role)})" if is_told else ""
    return f"- {plain(role.guild_name)}: **{plain(role.role_name)}** {STATUS_WORDS[role.status]}{why}"
