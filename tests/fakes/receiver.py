"""A web server of somebody's own to which events are sent: it keeps what it gets, and answers as it is told."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Receiver:
    """What it got, and what it answers."""

    def __init__(self, status: int = 204, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        self.requests: list[tuple[web.BaseRequest, str]] = []
        self.refused: set[str] = set()  # people whose events it can't take
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/webhooks"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What it got, read."""
        return [msgspec.json.decode(body) for _, body in self.requests]

    @property
    def said(self) -> list[str]:
        """The types of what it got, and of whom each is."""
        return [f"{body['type']} {body['data'].get('discord_user_id', '')}".strip() for body in self.bodies]

    @property
    def ids(self) -> list[str]:
        """The ids of what it got."""
        return [request.headers["webhook-id"] for request, _ in self.requests]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep a request, and answer it."""
        self.requests.append((request, await request.text()))
        is_refused = self.bodies[-1]["data"].get("discord_user_id") in self.refused if self.refused else False
        return web.Response(status=503 if is_refused else self.status, headers=self.headers)


@contextlib.asynccontextmanager
async def serve(
    receiver: Receiver, answer: Answer | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Let it listen on loopback, at the port that it had before if it had one."""
    runner = web.ServerRunner(web.Server(answer or receiver.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", receiver.port, ssl_context=tls)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()
