"""Recorded answers, a server on loopback that gives them, and a clock that stands still."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bot.domain.model import Secret
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.patreon.oauth import OAuth, RegisteredClient
from bot.patreon.tokens import TokenKeeper
from bot.settings import USER_AGENT
from tests.bot.patreon.issuer import PAIR, Issuer, MemoryStore
from tests.bot.patreon.served import Loopback, Naps, Sample, StillClock, load


@pytest.fixture
def sample() -> Sample:
    return load


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def loopback() -> AsyncIterator[Loopback]:
    served = Loopback()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", served.handle)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    served.url = f"http://{host}:{port}"
    yield served
    await runner.cleanup()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def http(naps: Naps) -> AsyncIterator[Http]:
    async with Http(user_agent=USER_AGENT, limiter=Limiter(monotonic=naps.now, sleep=naps), sleep=naps) as opened:
        yield opened


@pytest.fixture
def store(clock: StillClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def issuer(store: MemoryStore, loopback: Loopback) -> Issuer:
    issuer = Issuer(store)
    loopback.answers = [issuer]
    return issuer


@pytest.fixture
def keeper(store: MemoryStore, http: Http, loopback: Loopback, clock: StillClock) -> TokenKeeper:
    oauth = OAuth(
        http,
        base_url=loopback.url,
        client=RegisteredClient(
            client_id="invented-client",
            client_secret=Secret("invented-secret"),
            redirect_uri="https://bot.example/oauth/callback",
        ),
        clock=clock,
    )
    return TokenKeeper(store=store, oauth=oauth, clock=clock)


@pytest.fixture
def used(keeper: TokenKeeper, issuer: Issuer) -> Callable[[], Awaitable[str]]:
    async def verb(token: Secret) -> str:
        return issuer.use(token)

    return lambda: keeper.call(PAIR, verb)
