"""Who is on the other end of a connection: where it comes from, what it calls itself, and which process holds it.

The process is found by Linux's /proc, and only for connections of this machine; elsewhere it stays unknown.
"""

import os
from asyncio import BaseTransport
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web

CONNECTIONS = Path("/proc/net/tcp")
LOCAL, INODE = 1, 9  # columns there

_processes: WeakKeyDictionary[BaseTransport, int | None] = WeakKeyDictionary()  # to find one takes milliseconds


@dataclass(frozen=True, slots=True)
class Peer:
    """A client of the stand-in."""

    address: str
    user_agent: str
    pid: int | None


def peer_of(request: web.Request) -> Peer:
    """Return who sent this request."""
    transport = request.transport
    host, port = (transport.get_extra_info("peername") if transport is not None else None) or ("", 0)
    pid = None
    if transport is not None:
        if transport not in _processes:
            _processes[transport] = find_process(host, port)
        pid = _processes[transport]
    return Peer(f"{host}:{port}", request.headers.get("User-Agent", ""), pid)


def find_process(host: str, port: int) -> int | None:
    """Return the process that holds the socket at this end of a connection."""
    try:
        wanted = f"{_in_hex(host)}:{port:04X}"
        rows = (line.split() for line in CONNECTIONS.read_text().splitlines()[1:])
        sockets = {f"socket:[{row[INODE]}]" for row in rows if row[LOCAL] == wanted and row[INODE] != "0"}
    except (OSError, ValueError):
        return None
    return next((pid for pid in _processes_here() if _holds(pid, sockets)), None) if sockets else None


def _in_hex(host: str) -> str:
    return "".join(f"{int(part):02X}" for part in reversed(host.split(".")))


def _processes_here() -> list[int]:
    """Return our own process first: most clients of a test are in it."""
    own = os.getpid()
    others = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [own, *(pid for pid in others if pid != own)]


def _holds(pid: int, sockets: set[str]) -> bool:
    try:
        return any(_target(entry) in sockets for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it ended, or is another user's
        return False


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""
