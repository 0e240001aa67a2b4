"""The files that a bot sends with its messages: kept here, and served to whoever opens one. The oldest go first."""

from urllib.parse import quote

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.discord.model import Json
from sandbox.discord.snowflakes import Snowflakes

MOST_BYTES_KEPT = 64 * 1024 * 1024
PATH = "/attachments/{id}/{name}"
# A file is somebody else's words: a browser shows text as text and runs nothing of it.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}
SHOWN_AS_TEXT = ("text/", "application/json")
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class Files:
    """Keeps what was uploaded, by the id of its attachment."""

    def __init__(self, ids: Snowflakes, clock: SandboxClock) -> None:
        self._ids = ids
        self._clock = clock
        self._kept: dict[str, tuple[str, bytes]] = {}
        self.url = ""

    def keep(self, filename: str, content_type: str, raw: bytes) -> Json:
        """Keep a file and return the attachment that it becomes."""
        file_id = self._ids.at(self._clock.now())
        self._kept[file_id] = content_type, raw
        while len(self._kept) > 1 and sum(len(kept) for _, kept in self._kept.values()) > MOST_BYTES_KEPT:
            del self._kept[next(iter(self._kept))]
        url = f"{self.url}/attachments/{file_id}/{quote(filename, safe='')}"
        return {
            "id": file_id,
            "filename": filename,
            "size": len(raw),
            "content_type": content_type,
            "url": url,
            "proxy_url": url,
        }

    def picture(self, file_id: str) -> tuple[str, bytes] | None:
        """Return a picture that is still kept, with its type."""
        kept = self._kept.get(file_id)
        return kept if kept is not None and kept[0] in IMAGES else None

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a file; what is neither text nor a picture is for saving."""
        kept = self._kept.get(request.match_info["id"])
        if kept is None:
            return web.Response(status=404, text="This content is no longer available.")
        content_type, raw = kept
        if content_type.startswith(SHOWN_AS_TEXT):
            return web.Response(body=raw, content_type="text/plain", charset="utf-8", headers=HEADERS)
        if content_type in IMAGES:
            return web.Response(body=raw, content_type=content_type, headers=HEADERS)
        return web.Response(body=raw, headers=HEADERS | {"Content-Disposition": "attachment"})
