"""Journeys run the whole bot as a process, with real SQLite and real sockets, in the sandbox."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        yield stage
