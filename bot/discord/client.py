"""The Discord client: what it asks to see, where it connects, which commands it offers.

Rules:
1. It sees guilds and, where the application may, their members; never messages. It caches nobody: whoever we follow is
   asked for by id.
2. Every address hangs under DISCORD_API_URL; the gateway is the one that `GET /gateway/bot` names there.
3. Commands are registered in the background (`discord/registration.py`): nobody waits for them.
A client lives once: after its end the supervisor builds a fresh one. What the commands do is in `cogs/`.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import structlog
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord.embeds import TURN, Pager
from bot.discord.holder import ClientHolder
from bot.discord.registration import CommandRegistration
from bot.discord.replies import answer_error, comes_in_sight, turn_page
from bot.discord.translator import CommandTranslator

log = structlog.get_logger(__name__)

SPARE_IDENTIFIES = 200  # of a thousand a day; whoever uses them all up gets a new token (discord-api-docs, Gateway)
WORK = ("discord.py: ", "CommandTree-", "discord-ui-")  # how discord.py names the tasks of events, commands, buttons
WORK_SECONDS = 1.5
REGISTERED_WITHIN_SECONDS = 5.0  # for so long the first connection waits for the commands, that they be there with it
LONGEST_LIMIT_SECONDS = 120.0  # a longer wait that Discord asks for is an error, and whoever asked decides
GUILD_READY_SECONDS = 0.5  # discord.py's own wait, after the last guild that came
GUILDS_SECONDS = 5.0  # that a guild's outage may keep us from the others; one that comes later is looked at then


class PledgekeeperBot(commands.Bot):
    """One connection to Discord, with the commands and events of `cogs/`."""

    def __init__(
        self,
        *,
        holder: ClientHolder,
        registration: CommandRegistration,
        add_cogs: "AddCogs",
        has_members_intent: bool,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=CommandTree,
            intents=discord.Intents(guilds=True, members=has_members_intent),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=GUILD_READY_SECONDS,
            max_ratelimit_timeout=LONGEST_LIMIT_SECONDS,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self.holder = holder
        self.pager = Pager()
        self.button_handlers: dict[str, ButtonHandler] = {TURN: turn_page}
        self._registration = registration
        self._add_cogs = add_cogs
        self._pause = 0.0
        self._is_connected = False
        self._registering: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        """Get ready between login and connection. Raises PrivilegedIntentsRequired where members may not be seen."""
        if self.intents.members and not _may_see_members(self.application):
            raise discord.PrivilegedIntentsRequired(None)
        await self._choose_gateway()
        await self.tree.set_translator(CommandTranslator())
        await self._add_cogs(self)
        await self._register_commands()

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect, after a while where a day's connections run short."""
        if self._pause > 0:
            log.warning("few connections to discord are left today", seconds=self._pause)
            await asyncio.sleep(self._pause)
        await super().connect(reconnect=reconnect)

    async def close(self) -> None:
        """Disconnect, once the commands and events under way have ended; they are given a little time."""
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
        own = asyncio.current_task()
        work = {task for task in asyncio.all_tasks() if task.get_name().startswith(WORK) and task is not own}
        if work:
            await asyncio.wait(work, timeout=WORK_SECONDS)
        await super().close()

    async def on_ready(self) -> None:
        """Let the others work with this client, once its guilds are shown."""
        self._is_connected = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GUILDS_SECONDS):
                while any(guild.unavailable for guild in self.guilds):
                    await self.wait_for("guild_available")
        if self._is_connected:
            log.info("connected to discord", guilds=len(self.guilds), sees_members=self.intents.members)
            self.holder.put(self)

    async def on_resumed(self) -> None:
        """Let the others go on."""
        if self.is_ready():
            self.holder.put(self)

    async def on_disconnect(self) -> None:
        """Let the others wait."""
        self._is_connected = False
        self.holder.lose(self)

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:
        """Log what an event's listener raised; the next event is another matter."""
        log.error("an event could not be handled", event_name=event_method, exc_info=sys.exc_info())

    async def _choose_gateway(self) -> None:
        _, url, limit = await self.http.get_bot_gateway()
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
        self._pause = identify_pause(remaining=limit["remaining"], reset_after_seconds=limit["reset_after"] / 1000)

    async def _register_commands(self) -> None:
        self._registering = asyncio.create_task(self._registration.run(self), name="registration of the commands")
        await asyncio.wait({self._registering}, timeout=REGISTERED_WITHIN_SECONDS)


Interaction = discord.Interaction[PledgekeeperBot]
AddCogs = Callable[[PledgekeeperBot], Awaitable[None]]
ButtonHandler = Callable[[Interaction, str], Awaitable[None]]


class CommandTree(app_commands.CommandTree[PledgekeeperBot]):
    """The commands, with one answer to whatever goes wrong in them."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Let nothing be done in a server that Discord does not show."""
        return await comes_in_sight(interaction)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Say what went wrong."""
        await answer_error(interaction, error)


def build_client(
    *,
    api_url: str,
    holder: ClientHolder,
    registration: CommandRegistration,
    add_cogs: AddCogs,
    has_members_intent: bool,
) -> PledgekeeperBot:
    """Build a client that has not logged in yet."""
    Route.BASE = api_url
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we never speak
    return PledgekeeperBot(
        holder=holder, registration=registration, add_cogs=add_cogs, has_members_intent=has_members_intent
    )


def identify_pause(*, remaining: int, reset_after_seconds: float) -> float:
    """Return how many seconds to wait before a new session, so that a day of crashes cannot use all of them up."""
    return 0.0 if remaining > SPARE_IDENTIFIES else reset_after_seconds / max(remaining, 1)


def _may_see_members(application: discord.AppInfo | None) -> bool:
    """Read the application's switches: connecting without the right to an intent is a refusal."""
    if application is None:
        return False
    return application.flags.gateway_guild_members or application.flags.gateway_guild_members_limited
