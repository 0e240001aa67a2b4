"""Who typed a command that leads to a page of ours, and which message carries its button."""

import discord

from bot.discord.client import Interaction
from bot.domain.consent import Asker
from bot.domain.model import ChannelId, DiscordUserId, GuildId, Secret
from bot.storage.states import ButtonKind, ButtonPlace


def asker_of(interaction: Interaction) -> Asker:
    """Say who typed the command and where, as the confirm page shows them."""
    person, guild = interaction.user, interaction.guild
    return Asker(
        discord_user_id=DiscordUserId(person.id),
        username=person.name,
        display_name=person.display_name,
        avatar_url=person.display_avatar.url,
        guild_id=GuildId(guild.id) if guild is not None else None,
        guild_name=guild.name if guild is not None else "",
        guild_icon_url=guild.icon.url if guild is not None and guild.icon is not None else None,
        locale=interaction.locale.value,
    )


def place_of(interaction: Interaction, message: discord.Message | None) -> ButtonPlace:
    """Say which message carries the link's button."""
    if message is not None:
        return ButtonPlace(kind=ButtonKind.DM, channel_id=ChannelId(message.channel.id), message_id=message.id)
    return ButtonPlace(
        kind=ButtonKind.REPLY, application_id=interaction.application_id, token=Secret(interaction.token)
    )
