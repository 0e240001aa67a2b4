"""Whether somebody may manage a server's roles at this moment, asked of Discord, wherever the server is shown.

A process that doesn't show the server asks by REST alone: as the application, without a session of its own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import structlog
from discord.http import Route

from bot.discord.observe import ASK_SECONDS, Observer
from bot.domain.model import DiscordUserId, GuildId, Secret

log = structlog.get_logger(__name__)


class Rights:
    """Asks for one person's rights. `is_shared`: another process may show the server."""

    def __init__(self, observer: Observer, *, token: Secret, api_url: str, is_shared: bool) -> None:
        self._observer = observer
        self._token = token
        self._api_url = api_url
        self._is_shared = is_shared

    async def may_manage_roles(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool | None:
        """Ask Discord whether this person may manage roles there; None where it cannot be found out. Never raises."""
        if not self._is_shared or guild_id in self._observer.guild_ids():
            return await self._observer.may_manage_roles(guild_id, discord_user_id)
        try:
            async with asyncio.timeout(ASK_SECONDS), self._logged_in() as client:
                return await _ask(client, guild_id, discord_user_id)
        except Exception as error:  # noqa: BLE001  discord.py lets aiohttp's errors through; none of them is a no
            log.info("a member's rights could not be asked for", guild_id=guild_id, why=repr(error))
            return None

    @asynccontextmanager
    async def _logged_in(self) -> AsyncIterator[discord.Client]:
        """Lend a client that never connects."""
        Route.BASE = self._api_url
        client = discord.Client(intents=discord.Intents.none())
        try:
            await client.login(self._token.reveal())
            yield client
        finally:
            await client.close()


async def _ask(client: discord.Client, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool | None:
    try:
        guild = await client.fetch_guild(guild_id, with_counts=False)
    except (discord.NotFound, discord.Forbidden):  # we are not there
        return None
    try:
        member = await guild.fetch_member(discord_user_id)
    except discord.NotFound:
        return False
    return guild.owner_id == member.id or member.guild_permissions.manage_roles
