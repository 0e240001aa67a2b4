"""Keeps the bot on Discord: whatever ends a client is logged, health says so, and a fresh one follows.

Rules:
1. One malformed gateway event ends discord.py's client (it lets the error out of `start`); a fresh one is back within
   half a minute. discord.py's own reconnecting, which backs off for up to a quarter of an hour, is not used: only its
   resuming is. A client of several shards may renew one of them so, but for a minute at most.
2. A token that Discord refuses from the start, twice, is a wrong setting and ends the process. One that it took before
   is tried again seldom and said loudly: the web pages stay up meanwhile.
3. While the home server is in an outage of Discord's, the gateway is not well: there is nothing that we could do there.
4. Where the members intent is refused, the next client goes without; the one after that asks again.
5. Shards that Discord refuses are tried again seldom: each try uses up one of a day's connections. Only a person can
   change their number.
It may run again after it was cancelled: what Discord said of the token it remembers.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import discord
import structlog

from bot.discord.client import PledgekeeperBot
from bot.discord.failures import DISCORD_FAILURES
from bot.discord.holder import ClientHolder
from bot.domain.errors import SettingsInvalid, Setup
from bot.domain.model import GuildId, Secret
from bot.runtime.health import HealthBoard, Note
from bot.runtime.loops import Pauses

log = structlog.get_logger(__name__)

BAD_TOKEN_PAUSE_SECONDS = 300.0
BAD_SHARDS_PAUSE_SECONDS = 300.0
FIRST_LOGIN_PAUSE_SECONDS = 10.0
FIRST_LOGINS = 2  # a single refusal may be Discord's own trouble
LOGIN_WITHIN_SECONDS = 90.0  # Discord may slow down what is asked then
READY_WITHIN_SECONDS = 60.0  # after its last IDENTIFY; guilds come within seconds
CLOSE_SECONDS = 2.0
WATCH_SECONDS = 0.5
# discord-api-docs, Gateway Close Event Codes
AUTHENTICATION_FAILED, INVALID_SHARD, SHARDING_REQUIRED, DISALLOWED_INTENTS = 4004, 4010, 4011, 4014

SHARDS_REFUSED = (
    "Discord refuses our shards: there are more servers than they may have, or no such shards. "
    "Stop every process that is connected to Discord, and run python run.py reshard with the number that it recommends"
)
MEMBERS_UNSEEN = (
    "this application may not see members; joins and hand edits show later. "
    "Switch on Server Members Intent in the Developer Portal (Bot)"
)


T = TypeVar("T")


class DiscordSupervisor:
    """Runs one client after the other."""

    def __init__(
        self,
        build: Callable[[bool], PledgekeeperBot],
        *,
        token: Secret,
        holder: ClientHolder,
        health: HealthBoard,
        home_guild_id: GuildId | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        self._home_guild_id = home_guild_id
        self._build = build  # told whether to ask for the members intent
        self._token = token
        self._holder = holder
        self._health = health
        self._pauses = pauses or Pauses()
        self._was_taken = False  # Discord has taken the token since the start
        self._refusals = 0  # before that

    async def run(self) -> NoReturn:
        """Keep a client connected until cancelled. Raises SettingsInvalid where Discord never took the token."""
        watch = asyncio.create_task(self._watch(), name="gateway watch")
        try:
            while True:
                started = time.monotonic()
                try:
                    await self._live_as_allowed()
                except Exception as error:  # noqa: BLE001  whatever it was: a fresh client is the cure
                    await self._mind(error, started)
                else:
                    await self._rest("the client ended", started)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask Discord something while there is no client, until it answers. Raises SettingsInvalid as `run`."""
        while True:
            started = time.monotonic()
            try:
                async with asyncio.timeout(LOGIN_WITHIN_SECONDS):
                    return await question()
            except Exception as error:  # noqa: BLE001  as above
                await self._mind(error, started)

    async def _mind(self, error: Exception, started: float) -> None:
        """Wait as long as is right after what ended a client."""
        why, pause = repr(error), None
        if is_token_refused(error):
            why, pause = "Discord refuses DISCORD_TOKEN", self._pause_after_refusal()
        elif are_shards_refused(error):
            why, pause = SHARDS_REFUSED, BAD_SHARDS_PAUSE_SECONDS
            self._health.note(Note.RESHARD_NEEDED)
        elif not isinstance(error, DISCORD_FAILURES):
            log.error("the discord client crashed", exc_info=error)
        await self._rest(why, started, pause)

    async def _rest(self, why: str, started: float, pause: float | None = None) -> None:
        self._health.failed("gateway", why)
        if pause is None:
            pause = self._pauses.after_run(time.monotonic() - started)
        log.warning("a fresh discord client follows", why=why, seconds=pause)
        await asyncio.sleep(pause)

    def _pause_after_refusal(self) -> float:
        if self._was_taken:
            return BAD_TOKEN_PAUSE_SECONDS
        self._refusals += 1
        if self._refusals >= FIRST_LOGINS:
            raise SettingsInvalid(Setup.DISCORD_REFUSES)
        return FIRST_LOGIN_PAUSE_SECONDS

    async def _live_as_allowed(self) -> None:
        try:
            await self._live(has_members_intent=True)
        except discord.DiscordException as error:
            if not is_intent_refused(error):
                raise
            log.warning(MEMBERS_UNSEEN)
            await self._live(has_members_intent=False)

    async def _live(self, *, has_members_intent: bool) -> None:
        """Run a client from its login to its end, which comes too where it does not get ready."""
        client = self._build(has_members_intent)
        try:
            async with asyncio.timeout(LOGIN_WITHIN_SECONDS):
                await client.login(self._token.reveal())
            await self._stay_connected(client)
        finally:
            self._was_taken = self._was_taken or client.user is not None
            self._holder.lose(client)
            await self._close(client)

    async def _stay_connected(self, client: PledgekeeperBot) -> None:
        life = asyncio.create_task(client.connect(reconnect=client.renews_sessions), name="discord client")
        sessions, ready_until = None, math.inf
        try:
            while not life.done():
                before, sessions = sessions, client.connected_sessions
                if client.is_whole or sessions is None or sessions != before:
                    ready_until = time.monotonic() + READY_WITHIN_SECONDS
                elif time.monotonic() > ready_until:
                    raise TimeoutError(f"not ready within {READY_WITHIN_SECONDS:.0f} seconds")
                await renew_spoilt(client)
                await asyncio.wait({life}, timeout=WATCH_SECONDS)
            await life
        finally:
            while not life.done():  # discord.py swallows what cancels it while it connects a shard again
                life.cancel()
                await asyncio.wait({life}, timeout=WATCH_SECONDS)
            await asyncio.gather(life, return_exceptions=True)

    async def _close(self, client: PledgekeeperBot) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.close()
        except Exception as error:  # noqa: BLE001  it is given up anyway
            log.warning("a discord client did not close cleanly", why=repr(error))

    async def _watch(self) -> NoReturn:
        """Report the connection while it lives."""
        while True:
            trouble = self._find_trouble(self._holder.current)
            if trouble is None:
                self._health.ok("gateway")
                self._health.withdraw(Note.RESHARD_NEEDED)
            elif self._health.was_ever_ok("gateway"):  # a first connection that fails says why itself
                self._health.failed("gateway", trouble)
            await asyncio.sleep(WATCH_SECONDS)

    def _find_trouble(self, client: discord.Client | None) -> str | None:
        if not isinstance(client, PledgekeeperBot) or not client.is_alive:
            missing = client.missing_shards if isinstance(client, PledgekeeperBot) else []
            return "not connected to discord" + "".join(f", shard {shard_id}" for shard_id in missing)
        home = None if self._home_guild_id is None else client.get_guild(self._home_guild_id)
        return "the home server is in an outage of Discord's" if home is not None and home.unavailable else None


async def renew_spoilt(client: PledgekeeperBot) -> None:
    """Renew what an event of a wrong shape spoilt: discord.py takes roles and positions as they come.

    Raises ClientException where only a fresh client can.
    """
    for guild in client.guilds:
        if not guild.unavailable and not _is_sound(guild):
            if not await client.renew(guild):
                raise discord.ClientException(f"an event of a wrong shape spoilt the roles of the server {guild.id}")
            return


def _is_sound(guild: discord.Guild) -> bool:
    try:
        return guild.get_role(guild.id) is not None and all(isinstance(role.position, int) for role in guild.roles)
    except TypeError:  # .roles sorts by position
        return False


def is_token_refused(error: Exception) -> bool:
    """Tell whether Discord does not know the token, over REST or at the gateway."""
    if isinstance(error, discord.ConnectionClosed):
        return error.code == AUTHENTICATION_FAILED
    return isinstance(error, discord.LoginFailure)


def are_shards_refused(error: Exception) -> bool:
    """Tell whether a session would have had too many servers, or is of a shard that there is not."""
    return isinstance(error, discord.ConnectionClosed) and error.code in {INVALID_SHARD, SHARDING_REQUIRED}


def is_intent_refused(error: Exception) -> bool:
    """Tell whether the application may not see members, by its switches or at the gateway."""
    if isinstance(error, discord.ConnectionClosed):
        return error.code == DISALLOWED_INTENTS
    return isinstance(error, discord.PrivilegedIntentsRequired)
