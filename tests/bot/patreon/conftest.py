"""Recorded answers, a server on loopback that gives them, and a clock that stands still."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.patreon.http import Http
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
    async with Http(sleep=naps) as opened:
        yield opened
