"""One address before several web processes: each connection is passed on to the next of those that answer.

Bytes in, bytes out: it reads no request, as a balancer of TCP.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence

CHUNK_BYTES = 65_536


class Front:
    """Listens from `start` to `stop`; `find_ports` says who answers now."""

    def __init__(self, find_ports: Callable[[], Sequence[int]]) -> None:
        self._find_ports = find_ports
        self._turns = itertools.count()
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> None:
        """Listen on the loopback interface."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer), name="a connection through the front")
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(writer.close)
            found = await self._find_process()
            if found is not None:
                its_reader, its_writer = found
                stack.callback(its_writer.close)
                with contextlib.suppress(ConnectionError):
                    await asyncio.gather(_copy(reader, its_writer), _copy(its_reader, writer))

    async def _find_process(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Connect to the process whose turn it is, or else to another one."""
        ports, turn = self._find_ports(), next(self._turns)
        for at in range(len(ports)):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", ports[(turn + at) % len(ports)])
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on all that comes; its end alone ends one way, not both."""
    while chunk := await reader.read(CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()
