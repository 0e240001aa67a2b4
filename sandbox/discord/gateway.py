"""The gateway: all sessions, and which of them hears of an event. The socket of one client is `connection.py`.

Which intent an event needs: docs, "List of Intents". Events of the bot itself are sent without the members intent.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson
from aiohttp import web

from sandbox.discord import intents
from sandbox.discord.identifies import Identifies
from sandbox.discord.objects import application_flags, guild_create_json, own_user_json
from sandbox.discord.sessions import Close, Session, frame
from sandbox.discord.state import DiscordState, Guild, fresh_bot_token
from sandbox.weather import Weather

RECONNECT = 7
INVALID_SESSION = 9
BAD_TOKEN = 4004
GUILDS_A_SESSION = 2_500
MALFORMED = frozenset({"malformed_event"})
SILENT = frozenset({"silent_looks"})
CUTS = frozenset({"op7", "op9", "gateway_drop"})
AIMED = re.compile(r"\bshard/(\d+)")
"""In a fault's route: the one shard that it strikes."""

# A frame of the right kind with nothing in it that a client needs.
NONSENSE = b'{"guild_id":null}'


class Gateway:
    """Sends events to whoever listens, and keeps them for those who will be back."""

    def __init__(self, state: DiscordState, weather: Weather) -> None:
        self.state = state
        self.weather = weather
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.sockets: set[web.WebSocketResponse] = set()
        self.heartbeat_seconds = 41.25
        self.member_list_seconds = 30.0
        self.guilds_after_seconds = 0.0  # between READY and the guilds: Discord names no limit
        self.identifies = Identifies()
        self.shards = 1  # as many as `GET /gateway/bot` recommends
        self.guilds_a_session = GUILDS_A_SESSION
        self.member_lists: dict[str, float] = {}

    def dispatch(self, event: str, data: dict[str, Any], *, guild_id: str | None = None, intent: int = 0) -> None:
        """Send `event` to each session that covers the guild and asked for the intent (0: to all of them)."""
        guild = self.state.guilds[guild_id] if guild_id else None
        if guild is not None and (guild.is_out or self.state.bot.id not in guild.members):
            return
        listeners = [s for s in self.sessions.values() if s.covers(guild_id) and s.intents & intent == intent]
        if not listeners:
            return
        written = orjson.dumps(data)
        if self.weather.take("discord", f"GATEWAY /{event}", among=MALFORMED):
            written = NONSENSE
        for session in listeners:
            session.dispatch(event, written)

    def welcome(self, session: Session, *, sharded: bool) -> None:
        """Let a new session know who it is and which guilds it is in: READY, then each GUILD_CREATE."""
        self.forget_the_gone()
        self.sessions[session.id] = session
        guilds = self.guilds_of(session)
        ready = {
            "v": 10,
            "user": own_user_json(self.state.bot, owner_has_2fa=self.state.application.owner_has_2fa),
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "application": {"id": self.state.application.id, "flags": application_flags(self.state)},
            "private_channels": [],
            "relationships": [],
            "user_settings": {},
            "_trace": ["stand-in"],
        }
        session.dispatch("READY", orjson.dumps(ready | {"shard": session.shard} if sharded else ready))
        if session.intents & intents.GUILDS and self.guilds_after_seconds:
            asyncio.get_running_loop().call_later(self.guilds_after_seconds, self._show, session, guilds)
        elif session.intents & intents.GUILDS:
            self._show(session, guilds)

    def _show(self, session: Session, guilds: Iterable[Guild]) -> None:
        for guild in guilds:
            if guild.is_out:
                continue
            session.dispatch("GUILD_CREATE", self._guild_create(session, guild))

    def _guild_create(self, session: Session, guild: Guild) -> bytes:
        brought = guild_create_json(self.state, guild, large_threshold=session.large_threshold)
        return orjson.dumps(brought | {"unavailable": False})

    def forget_the_gone(self) -> None:
        """Drop the sessions that can no longer be resumed."""
        for session in [s for s in self.sessions.values() if s.is_over()]:
            del self.sessions[session.id]

    def guilds_of(self, session: Session) -> list[Guild]:
        """Return the guilds of the bot that a session covers."""
        return [guild for guild in self.state.bot_guilds() if session.covers(guild.id)]

    def connected(self, shard_id: int | None = None) -> list[Session]:
        """Return the sessions that have a socket now: all, or those of one shard, of whatever process."""
        return [
            session
            for session in self.sessions.values()
            if session.outbox is not None and shard_id in (None, session.shard[0])
        ]

    def ask_to_reconnect(self, only: Iterable[Session] | None = None) -> None:
        """Send op 7 to all, or to some: they close and resume."""
        self._tell(frame(RECONNECT, None), only)

    def invalidate(self, only: Iterable[Session] | None = None) -> None:
        """Send op 9 to all, or to some: they identify anew."""
        for session in self._tell(frame(INVALID_SESSION, data=False), only):
            del self.sessions[session.id]

    def drop(self, only: Iterable[Session] | None = None, *, code: int = 1006) -> None:
        """Cut the socket of all, or of some; 1006 means without a closing frame."""
        self._tell(Close(code), only)

    def reset_token(self) -> None:
        """End every session and let the bot have another token: what follows the last IDENTIFY of a day (docs)."""
        self.state.bot_token = fresh_bot_token()
        self._tell(Close(BAD_TOKEN, "Authentication failed."))
        self.sessions.clear()

    def _tell(self, item: bytes | Close, only: Iterable[Session] | None = None) -> list[Session]:
        told = self.connected()
        if only is not None:
            meant = {session.id for session in only}
            told = [session for session in told if session.id in meant]
        for session in told:
            if session.outbox is not None:
                session.outbox.put_nowait(item)
        return told

    def strike(self) -> None:
        """Carry out the faults of the gateway that someone switched on, once a client is there to feel them."""
        for fault in list(self.weather.faults):
            if fault.service != "discord" or fault.fault not in CUTS:
                continue
            aimed = AIMED.search(fault.route)
            struck = self.connected(int(aimed[1]) if aimed else None)
            if struck:
                # The fault's own route, so that any route at all means the gateway.
                self._cut(self.weather.take("discord", fault.route, among=CUTS), struck)

    def _cut(self, fault: str | None, struck: list[Session]) -> None:
        if fault == "op7":
            self.ask_to_reconnect(struck)
        elif fault == "op9":
            self.invalidate(struck)
        elif fault == "gateway_drop":
            self.drop(struck)

    async def close(self) -> None:
        """Cut all clients off, as when the service goes away."""
        for socket in list(self.sockets):
            await socket.close(code=1001)
        self.sessions.clear()
