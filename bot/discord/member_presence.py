"""Stores who is in the servers that have a token of the API: the process that answers may see no gateway.

Of those who are tied to a server, and as far as they were shown: nobody is asked for. Who is planned is stored with
that (`note`), before any program is told of them, and compared soon after, for a plan of many may be older than what
was stored meanwhile. So is what else changes: who comes and goes, and who is tied no more. Who is not remembered at the
moment (a new session, say) stays as stored. A server that Discord does not list any more, not even as unavailable, has
removed the bot: its tokens end.

One at a time compares what is stored with what is shown: else whoever comes back just then would be stored as away.
"""

import asyncio
import math
from collections import defaultdict
from time import monotonic
from typing import NoReturn

import discord

from bot.discord.client import PledgekeeperBot
from bot.discord.holder import ClientHolder
from bot.discord.observe import Observer
from bot.domain.api_token import TokenChange
from bot.domain.audit_entry import AuditAction, AuditEntry, TokenChanged
from bot.domain.changes import Trigger
from bot.domain.model import GuildId
from bot.domain.planned import Presence
from bot.runtime.clock import Clock
from bot.storage import Storage

LOOK_SECONDS = 2.0
LOOK_ANYHOW_SECONDS = 60.0  # who is tied to a server changes too, and to look goes through all of them


class MemberPresence:
    """Looks within seconds after somebody came or went or was noted, and now and then anyhow; stores what is new."""

    def __init__(self, *, holder: ClientHolder, observer: Observer, storage: Storage, clock: Clock) -> None:
        self._holder = holder
        self._observer = observer
        self._storage = storage
        self._clock = clock
        self._storing = defaultdict[GuildId, asyncio.Lock](asyncio.Lock)
        self._looked: dict[GuildId, tuple[int, float]] = {}  # at which comings and goings, and when (monotonic)
        self._noted: dict[GuildId, float] = {}  # when a plan last brought news (monotonic)

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            for guild_id in await self._storage.api_tokens.guilds():
                if self._is_due(guild_id):
                    await self.look(guild_id)
            await asyncio.sleep(LOOK_SECONDS)

    async def note(self, guild_id: GuildId, presence: Presence) -> None:
        """Store whether people who were planned are in a server and tied to it."""
        async with self._storing[guild_id]:
            if await self._storage.guild_members.note(guild_id, presence):
                self._noted[guild_id] = monotonic()

    async def look(self, guild_id: GuildId) -> None:
        """Store who is in a server now, where it is in sight; end its tokens where it has removed us."""
        looked = self._observer.presence_mark(guild_id), monotonic()
        if _has_left(self._holder.current, guild_id):
            await self._end_tokens(guild_id)
        elif guild_id in self._observer.guild_ids():
            async with self._storing[guild_id]:
                await self._save(guild_id)
            self._looked[guild_id] = looked

    async def _end_tokens(self, guild_id: GuildId) -> None:
        """End them, and write it down for whoever looks for them should the bot come back."""
        now = self._clock.now()
        ended = [
            TokenChanged(change=TokenChange.ENDED, token_id=one.token_id, label=one.label, by=None)
            for one in await self._storage.api_tokens.revoke_all(guild_id, at=now)
        ]
        await self._storage.audit.add(
            *(
                AuditEntry(at=now, guild_id=guild_id, action=AuditAction.API, reason=reason, trigger=Trigger.API)
                for reason in ended
            )
        )

    def _is_due(self, guild_id: GuildId) -> bool:
        """Tell whether somebody came, went or was noted since the last look, or may have without our noticing."""
        mark, at = self._looked.get(guild_id, (-1, 0.0))
        if mark != self._observer.presence_mark(guild_id) or self._noted.get(guild_id, -math.inf) >= at:
            return True
        return monotonic() - at >= LOOK_ANYHOW_SECONDS

    async def _save(self, guild_id: GuildId) -> None:
        tied = await self._storage.links.people_of(guild_id)
        stored = await self._storage.guild_members.load_guild(guild_id)
        shown = self._observer.remembered(guild_id, tied)
        here = {person for person in tied if shown.get(person, person in stored)}
        if here != stored:
            await self._storage.guild_members.save_guild(guild_id, came=here - stored, left=stored - here)


def _has_left(client: discord.Client | None, guild_id: GuildId) -> bool:
    """Tell whether a client that would show a server does not know it at all; in doubt it has not."""
    if not isinstance(client, PledgekeeperBot) or not client.is_whole or client.get_guild(guild_id) is not None:
        return False
    return client.covers(guild_id)
