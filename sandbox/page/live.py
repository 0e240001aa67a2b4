"""Server-sent events: tell every open page that it is out of date. Carries no content; the page asks for that."""

import asyncio

from aiohttp import web

GATHER_SECONDS = 0.1
"""One act makes several changes; a page is told once."""
KEEP_ALIVE_SECONDS = 15.0


class Live:
    """All open pages, each with the event that wakes its stream."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Event] = set()
        self._closed = False

    def tell(self) -> None:
        """Tell every open page that something changed."""
        for woken in self._pages:
            woken.set()

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._closed = True
        self.tell()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /events until the page is closed."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        woken = asyncio.Event()
        self._pages.add(woken)
        try:
            await response.write(b"retry: 1000\n\n")
            while not self._closed:
                await response.write(await self._next_event(woken))
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._pages.discard(woken)
        return response

    async def _next_event(self, woken: asyncio.Event) -> bytes:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                await woken.wait()
        except TimeoutError:
            return b": still here\n\n"
        if not self._closed:
            await asyncio.sleep(GATHER_SECONDS)
        woken.clear()
        return b"event: change\ndata: \n\n"
