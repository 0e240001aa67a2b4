"""The bell is heard straight from the server, not through a pooler, and again after whatever cut it off."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
import structlog

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Hint, PatreonUserId
from bot.runtime.clock import SystemClock
from bot.runtime.health import HealthBoard, Note
from bot.storage import Storage, messages, nudges, paces, pendings
from bot.storage import bell as bells
from bot.storage.bell import Bell, ring
from bot.storage.database import Database
from bot.storage.due import RUNG
from bot.storage.vault import Vault
from tests.fakes.postgres import Postgres

PATIENCE_SECONDS = 20


class Ear:
    """A bell that is listened to, and what it was heard to say."""

    def __init__(self, database: Database, url: str) -> None:
        self.health = HealthBoard(SystemClock())
        self.words: list[str] = []
        self.bell = Bell(database, url, health=self.health, on_ring=self.words.append)

    @property
    def is_noted(self) -> bool:
        return Note.BELL_UNHEARD in self.health.report().notes


@asynccontextmanager
async def listening(url: str, listen_url: str) -> AsyncIterator[tuple[Database, Ear]]:
    database = await Database.attach(url)
    ear = Ear(database, listen_url)
    task = asyncio.create_task(ear.bell.run())
    try:
        yield database, ear
    finally:
        task.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):  # it waits for nothing more
            with suppress(asyncio.CancelledError):
                await task
        await database.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "HEARD_WITHIN_SECONDS", 0.5)
    monkeypatch.setattr(bells, "TESTED_EVERY_SECONDS", 0.3)


async def test_whoever_a_fact_makes_due_is_rung_for_once_the_fact_is_stored(postgresql_url: str, vault: Vault) -> None:
    async with listening(postgresql_url, postgresql_url) as (_, ear):
        await until(lambda: ear.bell.is_heard)
        storage = await Storage.attach(postgresql_url, vault)
        await storage.due.add(GuildId(900), [DiscordUserId(11), DiscordUserId(12)], trigger=Trigger.LINK)
        await until(lambda: RUNG in ear.words)
        assert await storage.due.list_guild(GuildId(900))
        await storage.close()


async def test_a_rest_that_patreon_asks_for_is_rung_for_once_it_is_stored(postgresql_url: str, vault: Vault) -> None:
    async with listening(postgresql_url, postgresql_url) as (_, ear):
        await until(lambda: ear.bell.is_heard)
        storage = await Storage.attach(postgresql_url, vault)
        await storage.paces.rest("path", timedelta(minutes=1))
        await until(lambda: paces.RUNG in ear.words)
        await storage.close()


async def test_whoever_can_say_something_is_rung_for_once_it_is_stored(postgresql_url: str, vault: Vault) -> None:
    async with listening(postgresql_url, postgresql_url) as (_, ear):
        await until(lambda: ear.bell.is_heard)
        storage = await Storage.attach(postgresql_url, vault)
        await storage.messages.add(GuildId(900), "{}")
        await until(lambda: messages.RUNG in ear.words)
        await storage.nudges.add(CampaignId("700"), Hint(patreon_user_id=PatreonUserId("1")))
        await until(lambda: nudges.RUNG in ear.words)
        await storage.pendings.ring()
        await until(lambda: pendings.RUNG in ear.words)
        await storage.nudges.add(CampaignId("700"), Hint(patreon_user_id=PatreonUserId("p-ada")))
        await until(lambda: nudges.RUNG in ear.words)
        await storage.close()


async def test_what_another_process_rings_is_heard(postgresql_url: str) -> None:
    async with listening(postgresql_url, postgresql_url) as (_, ear):
        await until(lambda: ear.bell.is_heard)
        other = await Database.attach(postgresql_url)
        for word in ("one", "two", "three"):
            await ring(other, word)
        await other.close()
        await until(lambda: ear.words == ["", "one", "two", "three"])
        assert not ear.is_noted


async def test_how_others_try_whether_they_hear_rings_for_nobody(quick: None, postgresql_url: str) -> None:
    async with (
        listening(postgresql_url, postgresql_url) as (_, one),
        listening(postgresql_url, postgresql_url) as (_, two),
    ):
        await until(lambda: one.bell.is_heard and two.bell.is_heard)
        await asyncio.sleep(1)  # several tests of both
        assert {*one.words, *two.words} == {""}, "that is what is heard where it is heard anew"


async def test_through_a_pooler_it_is_not_heard_and_said_once(quick: None, pgbouncer_url: str) -> None:
    with structlog.testing.capture_logs() as logs:
        async with listening(pgbouncer_url, pgbouncer_url) as (_, ear):
            await until(lambda: ear.is_noted)
            await asyncio.sleep(2)  # long enough for a second try
            assert not ear.bell.is_heard
            assert ear.health.report().parts["database"].last_success is None, "no part is touched"
    (told,) = [line for line in logs if line["log_level"] == "warning"]
    assert "DATABASE_LISTEN_URL" in told["to_do"]


async def test_past_the_pooler_it_is_heard(pgbouncer_url: str, postgresql_url: str) -> None:
    async with listening(pgbouncer_url, postgresql_url) as (database, ear):
        await until(lambda: ear.bell.is_heard)
        await ring(database, "by the pooler")
        await until(lambda: ear.words == ["", "by the pooler"])


async def test_a_server_that_restarts_is_heard_again_and_what_was_missed_is_looked_for(
    quick: None, postgres: Postgres, postgresql_url: str
) -> None:
    async with listening(postgresql_url, postgresql_url) as (database, ear):
        await until(lambda: ear.bell.is_heard)
        postgres.stop()
        await until(lambda: ear.is_noted and not ear.bell.is_heard)
        postgres.start()  # in no thread: it ends with whoever started it
        await until(lambda: ear.bell.is_heard)
        assert not ear.is_noted
        await ring(database, "back")
        await until(lambda: "back" in ear.words)
        assert ear.words[:2] == ["", ""]


async def test_a_connection_that_says_nothing_any_more_is_replaced(
    quick: None, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(postgresql_url, postgresql_url) as (database, ear):
        await until(lambda: ear.bell.is_heard)
        (before,) = await sessions(database)
        silent = bells.ring

        async def lost(_database: Database, _word: str) -> None:
            monkeypatch.setattr(bells, "ring", silent)

        monkeypatch.setattr(bells, "ring", lost)
        await until(lambda: not ear.bell.is_heard)
        await until(lambda: ear.bell.is_heard)
        assert before not in await sessions(database)


async def sessions(database: Database) -> Sequence[int]:
    """List who listens."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
    async with database.read() as connection:
        return (await connection.exec_driver_sql(query)).scalars().all()
