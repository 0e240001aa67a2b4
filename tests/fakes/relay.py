"""A relay between us and a PostgreSQL, on a Unix socket of its own: it can fall silent, as a cut network does.

It can also say once, in the middle of the answer to COMMIT, that the server goes, as a pooler does whose server went
(https://www.postgresql.org/docs/current/protocol-message-formats.html).
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.postgres import OWNER, SOCKET
from tests.fakes.postgres import Postgres

COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
_FIELDS = b"SFATAL\0C57P01\0Mserver conn crashed?\0\0"
GOES = b"E" + (len(_FIELDS) + 4).to_bytes(4) + _FIELDS


@dataclass
class Relay:
    """Passes on what it hears, both ways, while it is not cut."""

    server: Postgres
    folder: Path
    passing: asyncio.Event = field(default_factory=asyncio.Event)
    clients: set[asyncio.Task[None]] = field(default_factory=set)
    breaks_commit: bool = False

    def url(self, database: str) -> str:
        """Return the address of a database behind it."""
        return f"postgresql://{OWNER}@/{database}?host={self.folder}"

    def cut(self) -> None:
        """Pass on nothing more; nobody is told."""
        self.passing.clear()

    def mend(self) -> None:
        """Pass everything on again, what came meanwhile first."""
        self.passing.set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        client = asyncio.create_task(self._serve(reader, writer))
        self.clients.add(client)
        client.add_done_callback(self.clients.discard)

    async def close(self) -> None:
        """Hang up on everybody."""
        for client in self.clients:
            client.cancel()
        await asyncio.gather(*self.clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            with contextlib.suppress(OSError):  # no server is there: whoever came is hung up on
                its_reader, its_writer = await asyncio.open_unix_connection(self.server.folder / SOCKET)
                ends.append(its_writer)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(reader, its_writer))
                    both.create_task(self._pass(its_reader, writer))
        finally:
            for end in ends:
                end.close()
                with contextlib.suppress(ConnectionError):
                    await end.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while heard := await reader.read(65_536):
                await self.passing.wait()
                if self.breaks_commit and COMMITTED in heard:
                    self.breaks_commit = False
                    writer.write(heard.partition(COMMITTED)[0] + COMMITTED + GOES)
                    break
                writer.write(heard)
                await writer.drain()
            writer.write_eof()


@asynccontextmanager
async def relayed(server: Postgres) -> AsyncIterator[Relay]:
    """Run a relay in front of a server."""
    with tempfile.TemporaryDirectory(prefix="pk-") as folder:
        relay = Relay(server=server, folder=Path(folder))
        relay.mend()
        listening = await asyncio.start_unix_server(relay.serve, Path(folder) / SOCKET)
        try:
            yield relay
        finally:
            listening.close()
            await relay.close()
