"""A small Patreon on a real socket, with one creator, one client and a person who asks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from sandbox.clock import SandboxClock
from sandbox.patreon import Campaign, Client, Creator, PatreonStandIn, PatreonState, Patron, Person, Tier
from sandbox.weather import Fault, Weather

REDIRECT_URI = "http://127.0.0.1:9/oauth/callback"


@dataclass
class Shop:
    """A world to ask: Mira's campaign with Bronze and Gold, and Ada who has no membership yet."""

    clock: SandboxClock = field(default_factory=SandboxClock)
    weather: Weather = field(default_factory=Weather)
    api_version: int = 2

    def __post_init__(self) -> None:
        self.state = PatreonState(self.clock, seed=7)
        self.creator: Creator = self.state.add_creator("Mira Quill")
        self.campaign: Campaign = self.creator.campaign
        self.bronze: Tier = self.state.add_tier(self.campaign, "Bronze", 300)
        self.gold: Tier = self.state.add_tier(self.campaign, "Gold", 1000)
        self.client: Client = self.state.add_client([REDIRECT_URI], owner=self.creator, api_version=self.api_version)
        self.ada: Patron = self.state.add_patron("Ada Reed")
        self.standin = PatreonStandIn(self.state, clock=self.clock, weather=self.weather)

    def strike(self, fault: str, route: str = "", *, times: int | None = 1) -> None:
        self.weather.set(Fault("patreon", route, fault, times))


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any


class Asker:
    """A client of the stand-in, over the wire."""

    def __init__(self, shop: Shop, session: aiohttp.ClientSession) -> None:
        self.shop = shop
        self.session = session

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        url = path if path.startswith("http") else self.shop.standin.url + path
        async with self.session.request(method, url, allow_redirects=False, **options) as response:
            is_json = "json" in response.content_type and response.status != 204
            body = await response.json(content_type=None) if is_json else await response.text()
            return Answer(response.status, body, response.headers)

    async def get(self, path: str, token: str | None = None, **query: str) -> Answer:
        """Ask with a token, the creator's if none is given; `fields_member` means fields[member]."""
        token = self.shop.client.creator_access_token if token is None else token
        params = {_bracketed(key): value for key, value in query.items()}
        return await self.send("GET", path, params=params, headers={"Authorization": f"Bearer {token}"})

    def question(self, scope: str | None = "identity identity.memberships", **changes: str) -> dict[str, str]:
        client = self.shop.client
        asked = {"response_type": "code", "client_id": client.id, "redirect_uri": REDIRECT_URI, "state": "s 1"}
        return asked | ({} if scope is None else {"scope": scope}) | changes

    async def code(self, person: Person, scope: str | None = "identity identity.memberships") -> str:
        answer = await self.send(
            "POST",
            "/oauth2/authorize",
            params=self.question(scope),
            data={"user": person.id, "answer": "allow"},
        )
        return sent_back(answer)["code"]

    def exchange_form(self, code: str, **changes: str) -> dict[str, str]:
        client = self.shop.client
        return {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client.id,
            "client_secret": client.secret,
            "redirect_uri": REDIRECT_URI,
        } | changes

    def refresh_form(self, refresh_token: str, **changes: str) -> dict[str, str]:
        client = self.shop.client
        return {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": client.id,
            "client_secret": client.secret,
        } | changes

    async def pair(self, person: Person, scope: str | None = "identity identity.memberships") -> dict[str, Any]:
        form = self.exchange_form(await self.code(person, scope))
        answer = await self.send("POST", "/api/oauth2/token", data=form)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    async def token(self, person: Person, scope: str | None = "identity identity.memberships") -> str:
        return str((await self.pair(person, scope))["access_token"])


def sent_back(answer: Answer) -> dict[str, str]:
    """Return the query of the redirect."""
    assert answer.status == 302, answer.body
    assert answer.headers["Location"].startswith(REDIRECT_URI)
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def _bracketed(key: str) -> str:
    for prefix in ("fields_", "page_"):
        if key.startswith(prefix):
            return f"{prefix[:-1]}[{key.removeprefix(prefix)}]".replace("pledge_event", "pledge-event")
    return key


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def ask(shop: Shop) -> AsyncIterator[Asker]:
    await shop.standin.start()
    async with aiohttp.ClientSession() as session:
        yield Asker(shop, session)
    await shop.standin.stop()
