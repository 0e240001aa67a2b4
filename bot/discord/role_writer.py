"""Writes one role of one person on Discord, and says what came of it. Decides nothing, records nothing.

Outcomes (discord-api-docs, Opcodes and Status Codes, JSON error codes):

    204                       DONE      accepted; not yet seen
    404 10007, 10013          AWAY      the person left: a fact, no error
    404 10011                 GONE      the role was deleted: a fact, no error
    403 (50013, 50001, …)     REFUSED   no right, or the role is above ours: stop trying, tell the admin
    429 that names no limit,  BANNED    Discord's edge blocks the address, or does not know the token: stop all
    or does not end; 401                writes for a while, for ten thousand refusals in ten minutes make it a block
                                        (discord-api-docs, Rate Limits, Invalid Request Limit)
    60003                     NEEDS_2FA the server asks it of moderators, and our application's owner has none: no write
                                        of any role works there (discord-api-docs, JSON Error Codes; DiscordSRV #852)
    any other 4xx             REJECTED  nothing happened, and nobody knows why; it concerns this write alone
    anything else             UNKNOWN   it may or may not have happened: look at the member
"""

import asyncio
from datetime import datetime, timedelta

import discord
import msgspec
import structlog

from bot.discord.failures import DISCORD_FAILURES
from bot.discord.holder import ClientHolder
from bot.discord.languages import language_of
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import DiscordUserId, GuildId, GuildSettings, RoleId
from bot.runtime.clock import Clock
from bot.texts.card import REASON_LENGTH, cut
from bot.texts.discord_audit_log import say_change_reason
from bot.texts.renderer import Medium, Renderer

log = structlog.get_logger(__name__)

FIRST_BAN_PAUSE, LONGEST_BAN_PAUSE = timedelta(minutes=1), timedelta(minutes=15)  # doubled while it lasts
WRITE_TIMEOUT_SECONDS = 120.0  # discord.py itself waits out rate limits and retries server errors within this
UNKNOWN_MEMBER, UNKNOWN_USER, UNKNOWN_ROLE = 10007, 10013, 10011
TWO_FACTOR_NEEDED = 60003


class WriteReason(msgspec.Struct, frozen=True, kw_only=True):
    """What Discord's audit log says of a write: what led to it, in the language of these settings."""

    trigger: Trigger
    settings: GuildSettings


class RoleWriter:
    """The only place that changes roles."""

    def __init__(self, holder: ClientHolder, clock: Clock) -> None:
        self._holder = holder
        self._clock = clock
        self._bans = 0  # since the last answer that was none
        self._banned_until: datetime | None = None

    @property
    def is_banned(self) -> bool:
        """Tell whether Discord blocks us, so that no write is tried."""
        return self._banned_until is not None and self._clock.now() < self._banned_until

    async def put(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId, *, why: WriteReason
    ) -> Outcome:
        """Assign a role."""
        return await self._write("add_role", guild_id, discord_user_id, role_id, why)

    async def delete(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId, *, why: WriteReason
    ) -> Outcome:
        """Remove a role."""
        return await self._write("remove_role", guild_id, discord_user_id, role_id, why)

    async def _write(
        self, verb: str, guild_id: GuildId, discord_user_id: DiscordUserId, role_id: RoleId, why: WriteReason
    ) -> Outcome:
        client = self._holder.current
        if client is None:
            return Outcome.UNKNOWN
        if self.is_banned:
            return Outcome.BANNED
        # The library's own call under Member.add_roles: it needs no Member object, which we may not hold.
        call = getattr(client.http, verb)
        renderer = Renderer(language_of(why.settings, client.get_guild(guild_id)), Medium.PLAIN)
        reason = cut(say_change_reason(renderer, why.trigger), REASON_LENGTH)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_SECONDS):
                await call(guild_id, discord_user_id, role_id, reason=reason)
        except discord.RateLimited as error:
            return self._pause_all(f"retry_after={error.retry_after:.0f}")
        except discord.HTTPException as error:
            return self._judge(error)
        except DISCORD_FAILURES as error:
            log.warning("a role write got no answer", guild_id=guild_id, role_id=role_id, why=repr(error))
            return Outcome.UNKNOWN
        self._bans = 0
        return Outcome.DONE

    def _judge(self, error: discord.HTTPException) -> Outcome:
        if error.code in {UNKNOWN_MEMBER, UNKNOWN_USER}:
            return Outcome.AWAY
        if error.code == UNKNOWN_ROLE:
            return Outcome.GONE
        if error.code == TWO_FACTOR_NEEDED:
            return Outcome.NEEDS_2FA
        if error.status == 403:
            return Outcome.REFUSED
        if error.status in {401, 429}:  # discord.py waits out every limit that Discord itself names
            return self._pause_all(f"status {error.status}")
        log.warning("a role write failed", status=error.status, code=error.code)
        return Outcome.REJECTED if 400 <= error.status < 500 else Outcome.UNKNOWN

    def _pause_all(self, why: str) -> Outcome:
        pause = min(FIRST_BAN_PAUSE * 2**self._bans, LONGEST_BAN_PAUSE)
        self._bans = min(self._bans + 1, 8)
        self._banned_until = self._clock.now() + pause
        log.error("Discord lets us write nothing; all role writes pause", why=why, pause=str(pause))
        return Outcome.BANNED
