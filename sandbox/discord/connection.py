"""One client's gateway socket: HELLO, IDENTIFY or RESUME, heartbeats, close codes (docs, "Gateway").

Answers with plain text frames unless the client asked for zlib-stream; clients that ask for zstd take text as well.
"""

import asyncio
import contextlib
import time
import zlib
from collections import deque
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from sandbox.discord import intents
from sandbox.discord.gateway import BAD_TOKEN, INVALID_SESSION, Gateway
from sandbox.discord.identifies import Verdict
from sandbox.discord.member_requests import answer_member_request
from sandbox.discord.sessions import Close, Outbox, Session, frame
from sandbox.peers import peer_of

HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME, REQUEST_MEMBERS = 1, 2, 3, 4, 6, 8
HELLO, HEARTBEAT_ACK = 10, 11
MAX_PAYLOAD_BYTES = 4096
SENDS_A_MINUTE = 120
MISSED_HEARTBEATS = 2.0
ACK_SECONDS = 0.03
"""A client notes that it sent a heartbeat just after it did: an answer sooner than any network's is taken for late."""

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, ALREADY_AUTHENTICATED = 4001, 4002, 4003, 4005
RATE_LIMITED, TIMED_OUT, INVALID_SHARD, SHARDING_REQUIRED = 4008, 4009, 4010, 4011
INVALID_VERSION, INVALID_INTENTS, DISALLOWED_INTENTS = 4012, 4013, 4014


class Refused(Exception):
    """The socket must be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.close = Close(code, reason)


class Connection:
    """Speaks with one client from its HELLO to its end."""

    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.gateway = gateway
        self.socket = socket
        self.transport = request.transport  # a break sends no closing frame, and a socket's own `close` would
        self.query = dict(request.query)
        self.peer = peer_of(request)
        self.outbox: Outbox = asyncio.Queue()
        self.session: Session | None = None
        self.heard: deque[float] = deque()
        self._has_hung_up = False
        self._zlib = zlib.compressobj() if self.query.get("compress") == "zlib-stream" else None

    async def run(self) -> None:
        """Serve the client until one of the two is gone."""
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            if self.session is not None and self.session.outbox is self.outbox:
                self._leave(self.session)
            self.outbox.put_nowait(Close(1000))
            await asyncio.wait({writer}, timeout=1)
            writer.cancel()

    def _leave(self, session: Session) -> None:
        session.leave()
        if self.socket.close_code in (1000, 1001) and not self._has_hung_up:
            # A client that closes so is gone for good (docs, "Disconnecting").
            self.gateway.sessions.pop(session.id, None)

    async def _write(self) -> None:
        while True:
            item = await self.outbox.get()
            if isinstance(item, Close):
                await self._hang_up(item)
                return
            with contextlib.suppress(ConnectionError):
                await self._send(item)

    async def _send(self, written: bytes) -> None:
        if self._zlib is None:
            await self.socket.send_str(written.decode())
        else:
            await self.socket.send_bytes(self._zlib.compress(written) + self._zlib.flush(zlib.Z_SYNC_FLUSH))

    async def _hang_up(self, close: Close) -> None:
        self._has_hung_up = True
        if close.code == 1006 and self.transport is not None:
            self.transport.abort()
        else:
            await self.socket.close(code=close.code, message=close.reason.encode())

    async def _read(self) -> None:
        if self.query.get("v") != "10":
            self.outbox.put_nowait(Close(INVALID_VERSION, "Invalid API version."))
            return
        try:
            interval = self.gateway.heartbeat_seconds
            hello = {"heartbeat_interval": int(interval * 1000), "_trace": ["stand-in"]}
            self.outbox.put_nowait(frame(HELLO, hello))
            while True:
                message = await self.socket.receive(timeout=interval * MISSED_HEARTBEATS)
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    return
                await self._hear(message.data)
        except TimeoutError:
            self.outbox.put_nowait(Close(TIMED_OUT, "Session timed out."))
        except Refused as refused:
            self.outbox.put_nowait(refused.close)

    async def _hear(self, data: str | bytes) -> None:
        self._count()
        try:
            payload = orjson.loads(data)
            op, body = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(DECODE_ERROR, "Error while decoding payload.") from error
        if len(data) > MAX_PAYLOAD_BYTES:
            raise Refused(DECODE_ERROR, "Payload too large.")
        if op == HEARTBEAT:
            asyncio.get_running_loop().call_later(ACK_SECONDS, self.outbox.put_nowait, frame(HEARTBEAT_ACK, None))
        elif op == IDENTIFY:
            self._identify(body)
        elif op == RESUME:
            self._resume(body)
        else:
            await self._command(op, body)

    async def _command(self, op: object, body: Any) -> None:
        if op not in (PRESENCE, VOICE_STATE, REQUEST_MEMBERS):
            raise Refused(UNKNOWN_OPCODE, "Unknown opcode.")
        if self.session is None:
            raise Refused(NOT_AUTHENTICATED, "Not authenticated.")
        if op == REQUEST_MEMBERS:
            await answer_member_request(self.gateway, self.session, body)

    def _count(self) -> None:
        now = time.monotonic()
        self.heard.append(now)
        while self.heard[0] < now - 60:
            self.heard.popleft()
        if len(self.heard) > SENDS_A_MINUTE:
            raise Refused(RATE_LIMITED, "Rate limited.")

    def _identify(self, body: Any) -> None:
        if self.session is not None:
            raise Refused(ALREADY_AUTHENTICATED, "Already authenticated.")
        if not isinstance(body, dict) or "properties" not in body:
            raise Refused(DECODE_ERROR, "Error while decoding payload.")
        if body.get("token") != self.gateway.state.bot_token:
            raise Refused(BAD_TOKEN, "Authentication failed.")
        wanted = body.get("intents")
        if not isinstance(wanted, int) or not intents.are_known(wanted):
            raise Refused(INVALID_INTENTS, "Invalid intent(s).")
        if not intents.are_allowed(wanted, self.gateway.state.intents_allowed):
            raise Refused(DISALLOWED_INTENTS, "Disallowed intent(s).")
        shard = read_shard(body.get("shard", [0, 1]))
        session = Session(wanted, shard, body.get("large_threshold", 50), self.outbox, self.peer)
        if self._may_start(session, is_sharded="shard" in body):
            self.session = session
            self.gateway.welcome(session, sharded="shard" in body)

    def _may_start(self, session: Session, *, is_sharded: bool) -> bool:
        """Count an IDENTIFY against the day and its pace; the client may send another on the same socket."""
        verdict = self.gateway.identifies.take(session.shard[0] if is_sharded else None)
        if verdict is Verdict.NONE_LEFT:
            self.gateway.reset_token()
            raise Refused(BAD_TOKEN, "Authentication failed.")
        if verdict is Verdict.TOO_SOON:
            self.outbox.put_nowait(frame(INVALID_SESSION, data=False))
            return False
        if len(self.gateway.guilds_of(session)) > self.gateway.guilds_a_session:
            raise Refused(SHARDING_REQUIRED, "Sharding required.")
        return True

    def _resume(self, body: Any) -> None:
        if self.session is not None:
            raise Refused(ALREADY_AUTHENTICATED, "Already authenticated.")
        if not isinstance(body, dict) or not isinstance(body.get("seq"), int):
            raise Refused(DECODE_ERROR, "Error while decoding payload.")
        if body.get("token") != self.gateway.state.bot_token:
            raise Refused(BAD_TOKEN, "Authentication failed.")
        self.gateway.forget_the_gone()
        session = self.gateway.sessions.get(str(body.get("session_id")))
        if session is None or not session.can_replay_from(body["seq"]):
            self.outbox.put_nowait(frame(INVALID_SESSION, data=False))
            return
        if session.outbox is not None:
            session.outbox.put_nowait(Close(1006))
        self.session = session
        session.resume(self.outbox, body["seq"], self.peer)


def read_shard(shard: Any) -> tuple[int, int]:
    """Return (index, count), or close with 4010."""
    match shard:
        case [int(index), int(count)] if 0 <= index < count:
            return index, count
    raise Refused(INVALID_SHARD, "Invalid shard.")
