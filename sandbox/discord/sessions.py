"""A gateway session: what a client asked for at IDENTIFY, and the events it may still have to be told again.

Outlives its socket, so that RESUME can replay; knows nothing of sockets but the outbox it is given.
"""

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.peers import Peer

REPLAYED_EVENTS = 5_000
RESUME_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Close:
    """Put into an outbox: close the socket with this code."""

    code: int
    reason: str = ""


Outbox = asyncio.Queue[bytes | Close]


def frame(op: int, data: Any) -> bytes:
    """Return a frame that is no dispatch."""
    return orjson.dumps({"op": op, "d": data, "s": None, "t": None})


@dataclass(slots=True, eq=False)
class Session:
    """One identified client (or one of its shards)."""

    intents: int
    shard: tuple[int, int] = (0, 1)
    large_threshold: int = 50
    outbox: Outbox | None = None
    peer: Peer | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    seq: int = 0
    sent: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=REPLAYED_EVENTS))
    left_at: float = 0.0

    def covers(self, guild_id: str | None) -> bool:
        """Tell whether this shard gets the guild's events; direct messages belong to shard 0 (docs, "Sharding")."""
        index, count = self.shard
        return (int(guild_id) >> 22) % count == index if guild_id else index == 0

    def dispatch(self, event: str, data: bytes, *, replayed: bool = True) -> None:
        """Send an event (its JSON), now if a socket is there, else on RESUME."""
        self.seq += 1
        written = b'{"op":0,"t":"%b","s":%d,"d":%b}' % (event.encode(), self.seq, data)
        if replayed:
            self.sent.append((self.seq, written))
        if self.outbox is not None:
            self.outbox.put_nowait(written)

    def can_replay_from(self, seq: int) -> bool:
        """Tell whether every event after `seq` is still here."""
        oldest = self.sent[0][0] if self.sent else self.seq + 1
        return seq <= self.seq and (seq == self.seq or oldest <= seq + 1)

    def resume(self, outbox: Outbox, seq: int, peer: Peer) -> None:
        """Take a new socket and send again what came after `seq`, then RESUMED with an empty object."""
        for number, written in self.sent:
            if number > seq:
                outbox.put_nowait(written)
        self.outbox, self.peer = outbox, peer
        self.dispatch("RESUMED", b"{}")

    def leave(self) -> None:
        """Note that the socket is gone."""
        self.outbox = None
        self.left_at = time.monotonic()

    def is_over(self) -> bool:
        """Tell whether the client stayed away too long to resume."""
        return self.outbox is None and time.monotonic() - self.left_at > RESUME_SECONDS
