"""Who refuses our client, what the log says of it, and what /healthz shows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import structlog

from bot.domain.errors import ClientRefused, CredentialsDead, PatreonCode
from bot.domain.model import Secret
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.clientwatch import ClientWatch
from bot.patreon.http import Http
from bot.patreon.oauth import OAuth, RegisteredClient
from bot.runtime.health import HealthBoard, Note
from sandbox.patreon import PatreonStandIn
from tests.bot.patreon.sandbox_world import REDIRECT, World

TOKEN = "POST /api/oauth2/token"


@pytest.fixture
async def world(http: Http) -> AsyncIterator[World]:
    built = World(PatreonApi.V2, http)
    await built.patreon.start()
    yield built
    await built.patreon.stop()


class Ours:
    """Our side of it, with a board that shows what was heard."""

    def __init__(self, world: World) -> None:
        self.board = HealthBoard(world.clock)
        self.watch = ClientWatch(world.clock, self.board)
        self._world = world

    def oauth(self, *, client_secret: str | None = None) -> OAuth:
        return OAuth(
            self._world.http,
            base_url=self._world.patreon.url,
            client=RegisteredClient(
                client_id=self._world.registered.id,
                client_secret=Secret(client_secret or self._world.registered.secret),
                redirect_uri=REDIRECT,
            ),
            clock=self._world.clock,
            watch=self.watch,
        )

    @property
    def client(self) -> PatreonClient:
        world = self._world
        return PatreonClient(world.http, api=world.api, base_url=world.patreon.url, clock=world.clock, watch=self.watch)

    @property
    def is_noted(self) -> bool:
        return self.board.report().notes == (Note.PATREON_CLIENT_REFUSED,)


@pytest.fixture
def ours(world: World) -> Ours:
    return Ours(world)


def exchanges(patreon: PatreonStandIn) -> int:
    return sum(call.route == TOKEN for call in patreon.calls)


@pytest.fixture
def lines() -> Any:
    with structlog.testing.capture_logs() as logs:
        yield logs


def told(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["log_level"] == "error"]


async def test_a_wrong_secret_is_noted_at_an_exchange(world: World, ours: Ours, lines: list[Any]) -> None:
    code = await world.consent(world.patron("Ada").id)
    with pytest.raises(ClientRefused):
        await ours.oauth(client_secret="wrong").exchange_code(code)
    assert ours.is_noted
    (line,) = told(lines)
    assert "PATREON_CLIENT_SECRET" in line["setting"]
    assert PatreonCode.CLIENT_REFUSED in line["why"]


async def test_a_wrong_secret_is_noted_at_a_refresh(world: World, ours: Ours) -> None:
    with pytest.raises(ClientRefused):
        await ours.oauth(client_secret="wrong").refresh(Secret(world.registered.creator_refresh_token))
    assert ours.is_noted


async def test_a_code_of_another_client_is_a_stranger_s_fault_and_not_ours(
    world: World, ours: Ours, lines: list[Any]
) -> None:
    ours_registered = world.registered
    world.registered = world.state.add_client([REDIRECT], owner=world.creator)
    code = await world.consent(world.patron("Mallory").id)
    world.registered = ours_registered
    with pytest.raises(CredentialsDead):
        await ours.oauth().exchange_code(code)
    assert exchanges(world.patreon) == 2  # the second with a code of our own
    assert not ours.is_noted
    assert told(lines) == []


async def test_a_client_of_the_other_version_is_noted_until_the_api_answers(
    world: World, ours: Ours, lines: list[Any]
) -> None:
    world.fault("other_api", "/identity", times=1)
    with pytest.raises(ClientRefused):
        await ours.client.fetch_identity(world.creator_token)
    assert ours.is_noted
    assert "PATREON_API_VERSION" in told(lines)[0]["setting"]
    await ours.oauth().exchange_code(await world.consent(world.patron("Ada").id))
    assert ours.is_noted  # the token endpoint takes us; the API has not yet
    await ours.client.fetch_identity(world.creator_token)
    assert not ours.is_noted


async def test_each_kind_is_told_once_an_hour(world: World, ours: Ours, lines: list[Any]) -> None:
    for _ in range(3):
        for word in ("invalid_scope", "invalid_request", "made-up", "made-up-too"):
            ours.watch.sent_back(word)
    assert [(line["error"], line["setting"]) for line in told(lines)] == [
        ("invalid_scope", "PATREON_API_VERSION"),
        ("invalid_request", "PUBLIC_URL"),
        ("another word", "PATREON_CLIENT_ID"),
    ]
    world.clock.move(timedelta(hours=1))
    ours.watch.sent_back("invalid_scope")
    assert len(told(lines)) == 4
    assert "made-up" not in repr(lines)
    assert not ours.is_noted


async def test_a_patreon_that_is_away_says_nothing_of_our_client(world: World, ours: Ours) -> None:
    world.fault("500", "/api/oauth2/token")
    with pytest.raises(Exception, match=PatreonCode.UNUSABLE):
        await ours.oauth().prove_client()
    assert not ours.is_noted
    await asyncio.sleep(0)
