"""`/patreon settings`: what an admin may set for their server, shown and changed."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.checkup import missing_rights
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.discord.languages import language_of
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import AUTOMATIC, BRAKE_OFF, DiscordUserId
from bot.sync.admin.settings import MOST_GRACE_DAYS, SettingsEditor
from bot.texts import commands as texts
from bot.texts.catalogs import LANGUAGES
from bot.texts.settings import settings_card
from cogs.admin.answers import Answers
from cogs.admin.rights import guild_of


class SettingsCommands(commands.Cog):
    """A server's settings."""

    def __init__(self, *, answers: Answers, editor: SettingsEditor) -> None:
        self._answers = answers
        self._editor = editor

    @app_commands.command(name="settings", description=texts.SETTINGS)
    @app_commands.describe(**texts.SETTINGS_OPTIONS)
    @app_commands.choices(
        mode=[app_commands.Choice(name=text, value=mode.value) for mode, text in texts.MODES.items()],
        hand_edits=[app_commands.Choice(name=text, value=word.value) for word, text in texts.HAND_EDITS.items()],
        language=[
            app_commands.Choice(name=texts.AUTOMATIC_LANGUAGE, value=AUTOMATIC),
            *(app_commands.Choice(name=language.name, value=tag) for tag, language in LANGUAGES.items()),
        ],
    )
    async def settings(  # noqa: PLR0917  the options of the command
        self,
        interaction: Interaction,
        mode: str | None = None,
        grace_days: app_commands.Range[int, 0, MOST_GRACE_DAYS] | None = None,
        brake_percent: app_commands.Range[int, 1, BRAKE_OFF] | None = None,
        hand_edits: str | None = None,
        zero_link: bool | None = None,
        decline_dm: bool | None = None,
        log_channel: discord.TextChannel | None = None,
        no_log_channel: bool | None = None,
        language: str | None = None,
    ) -> None:
        """Change what was typed, and show everything."""
        await interaction.response.defer(ephemeral=True)
        guild_id = guild_of(interaction)
        options = {
            "mode": mode,
            "grace_days": grace_days,
            "brake_percent": brake_percent,
            "hand_edits": hand_edits,
            "zero_link": zero_link,
            "decline_dm": decline_dm,
            "log_channel": None if log_channel is None else usable(log_channel),
            "no_log_channel": no_log_channel or None,
            "language": None if language is None else spoken(language),
        }
        typed = {name: value for name, value in options.items() if value is not None}
        edited = await self._editor.change(guild_id, typed, by=DiscordUserId(interaction.user.id))
        card = settings_card(
            renderer_of(interaction),
            edited.settings,
            language=language_of(edited.settings, interaction.guild),
            changed=[name.removesuffix("_id") for name in edited.changed],
            is_change=bool(typed),
        )
        await self._answers.tell(interaction, card)


def usable(channel: discord.TextChannel) -> int:
    """Return the channel's id. Raises UserMistake where the bot cannot write there."""
    missing = missing_rights(channel)
    if missing:
        raise UserMistake(Mistake.LOG_CHANNEL_SHUT, channel=channel.id, permissions=missing)
    return channel.id


def spoken(language: str) -> str:
    """Return the language's tag. Raises UserMistake where we do not speak it."""
    if language != AUTOMATIC and language not in LANGUAGES:
        raise UserMistake(Mistake.SETTING_NO_WORD, option="language", known=(AUTOMATIC, *LANGUAGES))
    return language
