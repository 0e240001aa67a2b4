"""Offers our commands to Discord in the background: the bot follows roles also while Discord will not take them.

Discord may ask for hours of patience (a 429), or take no more new commands that day (400 with code 30034); the commands
it has stay meanwhile. When the next try is due is stored, so that a restart asks for nothing earlier.
Knows no command: what the tree holds is offered, and only where it differs from what Discord has.
"""

import asyncio
import contextlib
import hashlib
import math
from datetime import datetime, timedelta
from typing import Any

import discord
import msgspec
import structlog
from discord import app_commands
from discord.ext import commands

from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard, Note
from bot.storage.notices import Notices

Command = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu

log = structlog.get_logger(__name__)

REGISTERED = "commands-registered"  # with the fingerprint of what was taken
DUE = "commands-due"  # with the moment of the next try
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # where Discord names none; doubled each time
LONGEST_LIMIT_SECONDS = 7 * 86_400.0  # a longer one was not meant
DAILY_LIMIT = 30034  # discord-api-docs, JSON Error Codes: max number of application command creates has been reached
STEP_SECONDS = 1.0


class CommandRegistration:
    """Tries until Discord has our commands."""

    def __init__(self, *, notices: Notices, health: HealthBoard, clock: Clock) -> None:
        self._notices = notices
        self._health = health
        self._clock = clock
        self._failures = 0

    async def run(self, client: commands.Bot) -> None:
        """Register a client's commands; ends when Discord has them."""
        self._failures = 0
        while (due := await self._due() or await self._try(client)) is not None:
            self._health.note(Note.COMMANDS_PENDING)
            while self._clock.now() < due:  # noqa: ASYNC110  time passes, no event tells
                await asyncio.sleep(STEP_SECONDS)
            await self._notices.clear(DUE)
        self._health.withdraw(Note.COMMANDS_PENDING)

    async def _due(self) -> datetime | None:
        stored = await self._notices.seen(DUE)
        if stored is None:
            return None
        due = datetime.fromisoformat(stored)
        was_meant = due - self._clock.now() <= timedelta(seconds=LONGEST_LIMIT_SECONDS)
        return due if was_meant else None  # else the clock was wrong when it was stored

    async def _try(self, client: commands.Bot) -> datetime | None:
        """Offer the commands, where Discord has others; return when to try again, None where it has them now."""
        try:
            ours = [await _payload(client.tree, command) for command in client.tree.get_commands()]
            if await self._notices.seen(REGISTERED) == await _fingerprint(client, ours):
                return None
            await client.tree.sync()
        except Exception as error:  # noqa: BLE001  the boundary of a background task: it is tried again
            pause = retry_after(error, failures=self._failures)
            self._failures += 1
            due = self._clock.now() + pause
            await self._notices.note(DUE, self._clock.now(), due.isoformat())
            log.error(  # noqa: TRY400  Discord's answer says it all
                "the commands could not be registered; the old ones stay, and I try again by myself",
                why=str(error),
                due=due.isoformat(timespec="seconds"),
            )
            return due
        log.info("commands registered")
        try:
            await self._notices.note(REGISTERED, self._clock.now(), await _fingerprint(client, ours))
        except Exception as error:  # noqa: BLE001  Discord took them all the same
            log.warning("the commands cannot be told apart later; the next start offers them again", why=repr(error))
        return None


async def _fingerprint(client: commands.Bot, ours: list[dict[str, Any]]) -> str:
    """Tell apart any two pairs of what we offer and what Discord has: it renews a command's version with it."""
    theirs = await client.http.get_global_commands(client.application_id or 0)
    registered = sorted((str(command["id"]), str(command.get("version"))) for command in theirs)
    return hashlib.sha256(msgspec.json.encode([ours, registered])).hexdigest()


async def _payload(tree: app_commands.CommandTree, command: Command) -> dict[str, Any]:
    """Return what Discord is told of a command, in all languages."""
    translator = tree.translator
    return command.to_dict(tree) if translator is None else await command.get_translated_payload(tree, translator)


def retry_after(error: Exception, *, failures: int) -> timedelta:
    """Return how long to wait after a refusal: as Discord says, else longer each time, an hour at most.

    429 with a time          that time, a week at most
    400 with 30034           LONGEST_PAUSE: a day's creations are used up, and are given back little by little
    anything else            FIRST_PAUSE, doubled with each failure before, at most LONGEST_PAUSE
    """
    if isinstance(error, discord.RateLimited):
        return _limit(error.retry_after)
    if isinstance(error, discord.HTTPException):
        named = error.response.headers.get("Retry-After", "") if error.status == 429 else ""
        with contextlib.suppress(ValueError):
            return _limit(float(named))
        if error.code == DAILY_LIMIT:
            return LONGEST_PAUSE
    doubled: int = 2 ** min(failures, 10)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def _limit(seconds: float) -> timedelta:
    """Return a wait that Discord names. Raises ValueError for what is none."""
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(seconds)
    return timedelta(seconds=min(seconds, LONGEST_LIMIT_SECONDS))
