"""A sandbox on free ports, a script that talks to its page, and a bot of twenty lines that answers commands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from sandbox.main import Options, Sandbox

SOON = 40.0
Json = dict[str, Any]
INTENT_GUILDS = 1

COMMANDS = [
    {
        "name": "greet",
        "name_localizations": {"de": "grüßen"},
        "description": "Say hello",
        "description_localizations": {"de": "Sag hallo"},
        "options": [
            {"name": "tone", "description": "How", "type": 3, "required": True, "autocomplete": True},
            {"name": "times", "description": "How often", "description_localizations": {"de": "Wie oft"}, "type": 4},
            {"name": "loud", "description": "Shout", "type": 5},
            {"name": "role", "description": "Whom", "type": 8},
        ],
    },
    {
        "name": "keep",
        "description": "Keep things",
        "default_member_permissions": "268435456",
        "options": [{"name": "list", "description": "List them", "type": 1}],
    },
    {"name": "ask", "description": "Open a form"},
    {"name": "sleep", "description": "Never answers"},
    {"name": "think", "description": "Answers later"},
]
TONES: list[Json] = [
    {"name": "Warm and kind", "name_localizations": {"de": "Herzlich"}, "value": "warm-1"},
    {"name": "Cold", "value": "cold-2"},
]
BUTTONS = {
    "type": 1,
    "components": [
        {"type": 2, "style": 1, "label": "Yes", "custom_id": "confirm:1"},
        {"type": 2, "style": 5, "label": "Open", "url": "https://example.com/page"},
    ],
}
FORM = {
    "custom_id": "form",
    "title": "A form",
    "components": [
        {"type": 1, "components": [{"type": 4, "custom_id": "name", "label": "Your name", "style": 1}]},
    ],
}


class SmallBot:
    """A bot over real sockets: it registers COMMANDS and answers each interaction by the table in `answer`."""

    def __init__(self, sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.http = http
        self.seen: list[Json] = []
        self.ready = asyncio.Event()

    async def run(self) -> None:
        application = self.sandbox.discord.state.application.id
        headers = {"Authorization": f"Bot {self.sandbox.discord.state.bot_token}"}
        base = self.sandbox.discord.url
        async with self.http.put(f"{base}/applications/{application}/commands", json=COMMANDS, headers=headers) as put:
            assert put.status == 200, await put.text()
        async with self.http.get(f"{base}/gateway/bot", headers=headers) as answer:
            gateway = (await answer.json())["url"]
        async with self.http.ws_connect(f"{gateway}/?v=10&encoding=json") as socket:
            await self._serve(socket)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        token = self.sandbox.discord.state.bot_token
        properties = {"os": "linux", "browser": "small", "device": "small"}
        identify = {"token": token, "intents": INTENT_GUILDS, "properties": properties}
        await socket.send_json({"op": 2, "d": identify})
        async for frame in socket:
            event = frame.json()
            if event.get("t") == "READY":
                self.ready.set()
            if event.get("t") == "INTERACTION_CREATE":
                self.seen.append(event["d"])
                await self._answer(event["d"])

    async def _answer(self, interaction: Json) -> None:
        if interaction["data"].get("name") == "sleep":
            return
        address = f"{self.sandbox.discord.url}/interactions/{interaction['id']}/{interaction['token']}/callback"
        async with self.http.post(address, json=self.answer(interaction)) as answer:
            assert answer.status < 300, await answer.text()

    def answer(self, interaction: Json) -> Json:
        if interaction["type"] == 4:
            typed = next(o["value"] for o in interaction["data"]["options"] if o.get("focused"))
            fitting = [tone for tone in TONES if typed.lower() in tone["name"].lower()]
            return {"type": 8, "data": {"choices": fitting}}
        if interaction["type"] == 3:
            return {"type": 7, "data": {"content": "You said yes.", "components": []}}
        if interaction["type"] == 5:
            name = interaction["data"]["components"][0]["components"][0]["value"]
            return {"type": 4, "data": {"content": f"Hello {name}", "flags": 64}}
        if interaction["data"]["name"] == "ask":
            return {"type": 9, "data": FORM}
        if interaction["data"]["name"] == "think":
            return {"type": 5, "data": {"flags": 64}}
        return {"type": 4, "data": {"content": "**Hello** <script>", "components": [BUTTONS], "flags": 64}}


@asynccontextmanager
async def running_small_bot(sandbox: Sandbox) -> AsyncIterator[SmallBot]:
    """Run the small bot until the end of the block."""
    async with aiohttp.ClientSession() as session:
        bot = SmallBot(sandbox, session)
        running = asyncio.create_task(bot.run())
        waiting = asyncio.create_task(bot.ready.wait())
        done, _ = await asyncio.wait({running, waiting}, timeout=SOON, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            await running
        assert bot.ready.is_set()
        yield bot
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(Options(with_bot=False)) as running:
        yield running


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.page_url) as session:
        yield session


@pytest.fixture
async def small_bot(sandbox: Sandbox) -> AsyncIterator[SmallBot]:
    async with running_small_bot(sandbox) as bot:
        yield bot


@pytest.fixture
def member(sandbox: Sandbox) -> Callable[[str], str]:
    """Find a member's id by username."""

    def find(username: str) -> str:
        return next(m.id for m in sandbox.world.guild.members.values() if m.user.username == username)

    return find


@pytest.fixture
def role(sandbox: Sandbox) -> Callable[[str], str]:
    """Find a role's id by name."""

    def find(name: str) -> str:
        return next(role.id for role in sandbox.world.guild.roles.values() if role.name == name)

    return find
