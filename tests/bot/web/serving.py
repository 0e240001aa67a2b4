"""The API on a real socket, with a bot that has read its campaign, and a program that asks it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from multidict import CIMultiDictProxy

from bot.domain.changes import Trigger
from bot.domain.model import Secret
from bot.sync.admin.api_tokens import NewToken
from bot.web.api import api_routes
from bot.web.openapi import describe_api
from bot.web.server import WebServer
from tests.fakes.scene import ADMIN, Scene


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Program:
    """Somebody's program, which has a token."""

    scene: Scene
    url: str
    session: aiohttp.ClientSession
    token: Secret = field(default_factory=lambda: Secret(""))

    async def get(self, path: str = "/api/v1/members", *, method: str = "GET", **headers: str) -> Got:
        """Ask with the token; `headers` are sent too, each line as one of its own, or ("") not sent."""
        wanted = {"Authorization": f"Bearer {self.token.reveal()}"}
        wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = [(name, line) for name, value in wanted.items() for line in value.splitlines()]
        async with self.session.request(method, f"{self.url}{path}", headers=sent) as answer:
            return Got(answer.status, answer.headers, await answer.read())

    async def make_token(self, label: str = "whitelist") -> NewToken:
        """Have an admin make a token."""
        made = await self.scene.app.token_editor.create(self.scene.guild_id, label, by=self.scene.person(ADMIN))
        self.token = made.shown
        return made

    async def see(self) -> None:
        """Let the bot store who is in the server."""
        app, guild_id = self.scene.app, self.scene.guild_id
        await app.observer.look(guild_id, await app.storage.links.people_of(guild_id))
        await app.member_presence.look(guild_id)


@contextlib.asynccontextmanager
async def serve_api(scene: Scene) -> AsyncIterator[Program]:
    """Serve the API to a program, which has a token."""
    app = scene.app
    await app.rounds.run(trigger=Trigger.SYNC)
    server = WebServer(
        linking=app.linking,
        connecting=app.connecting,
        health=app.health,
        public_url=app.settings.public_url,
        routes=api_routes(app.api_access, app.member_answers, description=describe_api(app.settings.public_url)),
    )
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        program = Program(scene, f"http://127.0.0.1:{server.port}", session)
        await program.make_token()
        await program.see()
        yield program
    await server.stop()
