"""Makes a role for a tier. Discord puts a new one at the bottom, so it is below ours (discord-api-docs, Create Role).

It may do nothing: whoever gets it pays for it, and an admin adds what it is for.
"""

import asyncio

import discord

from bot.discord.failures import DISCORD_FAILURES
from bot.discord.holder import ClientHolder, DiscordAway
from bot.domain.errors import Later, Mistake, TryLater, UserMistake
from bot.domain.model import GuildId, RoleId
from bot.texts.card import REASON_LENGTH

NAME_LENGTH = 100
MOST_ROLES = 250
TOO_MANY_ROLES = 30005
SEEN_SECONDS = 3.0  # for so long the gateway may take to show it
LOOK_SECONDS = 0.05
MAKE_SECONDS = 30.0


class RoleMaker:
    """Makes roles."""

    def __init__(self, holder: ClientHolder) -> None:
        self._holder = holder

    async def make(self, guild_id: GuildId, name: str, *, reason: str) -> RoleId:
        """Make a role without permissions. Raises UserMistake where Discord refuses, or TryLater."""
        client = self._holder.current
        guild = client.get_guild(guild_id) if client is not None else None
        if guild is None or guild.unavailable:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        if not guild.me.guild_permissions.manage_roles:
            raise UserMistake(Mistake.ROLE_NOT_MADE)
        try:
            async with asyncio.timeout(MAKE_SECONDS):
                role = await guild.create_role(
                    name=name[:NAME_LENGTH], permissions=discord.Permissions.none(), reason=reason[:REASON_LENGTH]
                )
        except discord.Forbidden:
            raise UserMistake(Mistake.ROLE_NOT_MADE) from None
        except discord.HTTPException as error:
            if error.code == TOO_MANY_ROLES:
                raise UserMistake(Mistake.ROLES_FULL, most=MOST_ROLES) from None
            raise TryLater(Later.DISCORD_SILENT, reason=str(error)) from error
        except DISCORD_FAILURES as error:
            raise TryLater(Later.DISCORD_SILENT, reason=repr(error)) from error
        await _until_shown(guild, role.id)
        return RoleId(role.id)


async def _until_shown(guild: discord.Guild, role_id: int) -> None:
    """Wait for the gateway's word of it: what is drawn then is drawn with it."""
    for _ in range(round(SEEN_SECONDS / LOOK_SECONDS)):
        if guild.get_role(role_id) is not None:
            return
        await asyncio.sleep(LOOK_SECONDS)
