"""`/patreon settings`: what an admin may set for their server, shown and changed."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.client import Interaction
from bot.domain.errors import UserMistake
from bot.domain.model import DiscordUserId
from bot.sync.admin.settings import BRAKE_OFF, LANGUAGES, MOST_GRACE_DAYS, Tuning, say_settings
from bot.texts import commands as texts
from cogs.admin.group import Answers, guild_of

HEAD = "**Settings of this server**"
CHANGED = "Changed: {names}."
UNCHANGED = "That is how it is set already; nothing was changed."


class SettingsCommands(commands.Cog):
    """A server's settings."""

    def __init__(self, *, answers: Answers, tuning: Tuning) -> None:
        self._answers = answers
        self._tuning = tuning

    @app_commands.command(name="settings", description=texts.SETTINGS)
    @app_commands.describe(**texts.SETTINGS_OPTIONS)
    @app_commands.choices(
        mode=[app_commands.Choice(name=text, value=mode.value) for mode, text in texts.MODES.items()],
        hand_edits=[app_commands.Choice(name=text, value=word.value) for word, text in texts.HAND_EDITS.items()],
        language=[app_commands.Choice(name=name, value=code) for code, name in LANGUAGES.items()],
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
            "language": language,
        }
        typed = {name: value for name, value in options.items() if value is not None}
        tuned = await self._tuning.change(guild_id, typed, by=DiscordUserId(interaction.user.id))
        names = ", ".join(f"`{name.removesuffix('_id')}`" for name in tuned.changed)
        head = [CHANGED.format(names=names)] if names else [UNCHANGED] if typed else []
        await self._answers.tell(interaction, "\n".join([*head, HEAD, say_settings(tuned.settings)]))


def usable(channel: discord.TextChannel) -> int:
    """Return the channel's id. Raises UserMistake, with the cure, where the bot cannot write there."""
    rights = channel.permissions_for(channel.guild.me)
    needed = {"View Channel": rights.view_channel, "Send Messages": rights.send_messages}
    missing = " and ".join(name for name, is_there in needed.items() if not is_there)
    if missing:
        raise UserMistake(
            f"I cannot write in {channel.mention}: I lack {missing} there; nothing was changed. "
            "Give my role that in the channel's settings under Permissions, or choose another channel"
        )
    return channel.id
