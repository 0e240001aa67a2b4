"""Our intake of a member list, in a process of its own: what it costs beside plain fetching, and what it makes us grow.

`python -m bench.reading cpu|memory DATABASE`, with a line of `memberlist.Served` as standard input, prints one line.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson

from bench import yardstick
from bench.intake import build_intake, open_http
from bench.memberlist import Served
from bench.process import memory_kib
from bot.domain.model import Campaign, CampaignId, CredentialId, PatreonUserId, Secret, TokenPair
from bot.patreon.http import Http
from bot.patreon.protocol import requests_v2
from bot.runtime.clock import SystemClock
from bot.storage import Storage
from bot.storage.vault import Vault

ROUNDS = 4
KEY = Secret("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")  # invented; both processes must open the same database


class Cost(msgspec.Struct, frozen=True):
    """Seconds of CPU, the best of some runs each. The last two without the cyclic collector."""

    plain_seconds: float
    intake_seconds: float
    typed_seconds: float
    uncollected_seconds: float  # of the intake


class Growth(msgspec.Struct, frozen=True):
    """The most that the process ever held, before and after."""

    before_kib: int
    after_kib: int


class Reader:
    """Reads the served list: plainly, or as the bot does."""

    def __init__(self, served: Served, storage: Storage, http: Http, credential_id: CredentialId) -> None:
        self._served = served
        self._campaign_id = CampaignId(served.campaign_id)
        self._credential_id = credential_id
        self._http = http
        self._linked = frozenset(PatreonUserId(patron) for patron in served.linked)
        self._intake = build_intake(storage, http, url=served.url, clock=SystemClock())
        self.told: set[PatreonUserId] = set()

    async def plainly(self) -> None:
        """Fetch every page with the bot's own HTTP client and let orjson read it."""
        await self._fetch(lambda body: orjson.loads(body)["meta"])

    async def typed(self) -> None:
        """Fetch every page with the bot's own HTTP client and let msgspec read it into structs."""
        await self._fetch(lambda body: yardstick.decode(body).meta)

    async def _fetch(self, read: Callable[[bytes], dict[str, Any]]) -> None:
        cursor: str | None = None
        while True:
            request = requests_v2.page_request(self._campaign_id, cursor)
            meta = read(await self._http.fetch(self._served.url, request))
            cursor = meta["pagination"].get("cursors", {}).get("next")
            if cursor is None:
                return

    async def as_the_bot(self) -> None:
        """Take the list in."""
        read = await self._intake.read_campaign(
            self._campaign_id, self._credential_id, linked=self._linked, on_news=self._hear
        )
        if read.error is not None or not read.verdict.proves_absence:
            raise RuntimeError(f"the list was not read whole: {read.summary}, {read.error}")

    async def _hear(self, patrons: frozenset[PatreonUserId]) -> None:
        self.told |= patrons


async def open_reader(stack: AsyncExitStack, served: Served, database: str) -> Reader:
    """Open the database and the way to Patreon."""
    storage = await Storage.open(f"sqlite+aiosqlite:///{database}", Vault((KEY,)))
    stack.push_async_callback(storage.close)
    http = await stack.enter_async_context(open_http())
    await storage.campaigns.save(Campaign(campaign_id=CampaignId(served.campaign_id), name="Bench"))
    now = datetime.now(UTC)
    pair = TokenPair(access_token=KEY, refresh_token=KEY, expires_at=now + timedelta(days=30))
    seed = await storage.credentials.ensure_seed(pair, "bench", at=now)
    return Reader(served, storage, http, seed.credential_id)


async def measure_cost(served: Served, database: str) -> Cost:
    """Read the list once to know it, then again and again, plainly and as the bot does by turns."""
    async with AsyncExitStack() as stack:
        reader = await open_reader(stack, served, database)
        await reader.plainly()
        await reader.as_the_bot()
        reader.told.clear()
        runs = [
            (
                await _seconds(reader.plainly),
                await _seconds(reader.as_the_bot),
                await _seconds(reader.typed, is_collecting=False),
                await _seconds(reader.as_the_bot, is_collecting=False),
            )
            for _ in range(ROUNDS)
        ]
        if reader.told:
            raise RuntimeError(f"a list without changes brought news of {len(reader.told)} patrons")
    plain, intake, typed, uncollected = zip(*runs, strict=True)
    return Cost(min(plain), min(intake), min(typed), min(uncollected))


async def measure_growth(served: Served, database: str) -> Growth:
    """Read a list without changes as the first thing after a start."""
    async with AsyncExitStack() as stack:
        reader = await open_reader(stack, served, database)
        before = memory_kib("VmHWM")
        await reader.as_the_bot()
        if reader.told:
            raise RuntimeError(f"a list without changes brought news of {len(reader.told)} patrons")
        return Growth(before, memory_kib("VmHWM"))


async def _seconds(work: Callable[[], Awaitable[None]], *, is_collecting: bool = True) -> float:
    gc.collect()
    if not is_collecting:
        gc.disable()
    started = time.process_time()
    await work()
    seconds = time.process_time() - started
    gc.enable()
    return seconds


def main() -> None:
    """Measure what the arguments say."""
    what, database = sys.argv[1:]
    served = msgspec.json.decode(sys.stdin.readline(), type=Served)
    measure = {"cpu": measure_cost, "memory": measure_growth}[what]
    sys.stdout.write(msgspec.json.encode(asyncio.run(measure(served, database))).decode() + "\n")


if __name__ == "__main__":
    main()
