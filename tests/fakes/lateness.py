"""Makes what answers late, now and then: what is asked of the database, and every request to Patreon and Discord.

On a quiet machine two things that are not ordered come in one order nearly always. Late answers show the other one,
so that a race fails here and not once in a hundred runs (`make races`). Knows nothing of who asks.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from discord.http import HTTPClient
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.patreon.http import Http
from bot.storage.database import Database

SETTING = "PLEDGEKEEPER_LATE_MS"
SHARE = 0.04  # of what is asked


def setting() -> dict[str, str]:
    """Return what another process is to be told."""
    return {SETTING: os.environ[SETTING]} if SETTING in os.environ else {}


def install() -> None:
    """Answer late from now on in this process, where the environment says by how many milliseconds at most."""
    most = int(os.environ.get(SETTING, "0")) / 1000
    if not most:
        return

    async def wait() -> None:
        if random.random() < SHARE:
            await asyncio.sleep(random.uniform(0, most))

    def late(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def carry_out(*args: Any, **options: Any) -> Any:
            await wait()
            try:
                return await call(*args, **options)
            finally:
                await wait()

        return carry_out

    read = Database.read

    @asynccontextmanager
    async def late_read(self: Database) -> AsyncIterator[AsyncConnection]:
        await wait()
        async with read(self) as connection:
            yield connection
        await wait()

    Database.read = late_read  # type: ignore[method-assign]
    Database.transact = late(Database.transact)  # type: ignore[assignment, method-assign]
    Database.execute = late(Database.execute)  # type: ignore[assignment, method-assign]
    Http.send = late(Http.send)  # type: ignore[assignment, method-assign]
    HTTPClient.request = late(HTTPClient.request)  # type: ignore[assignment, method-assign]
