"""What `status` says of a database with everything in it, on both kinds, beside a running bot."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.shards import Shards
from bot.ops.ownership import owned
from bot.ops.status import look
from bot.storage import Storage, migrations
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import campaign_of, populate
from tests.fakes.postgres import Postgres

VAULT = Vault((new_key(),))
KEYS = (
    *(
        "version",
        "database",
        "now",
        "schema",
        "steps_left",
        "is_bot_running",
        "processes",
        "leases",
        "shards",
        "free_shards",
        "live_credentials",
    ),
    *("dead_credentials", "links", "campaigns", "open_holds", "open_questions", "open_intents"),
    *("waiting_people", "waiting_seconds", "waiting_webhooks", "waiting_messages", "jobs"),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield server.url(request.getfixturevalue("emptied"))


async def test_it_counts_what_is_there_and_names_nobody(url: str) -> None:
    storage = await Storage.open(url, VAULT)
    await populate(storage)
    found = await look(url)
    counted = {}
    async with storage.database.read() as connection:
        for name, query in {
            "live": "SELECT COUNT(*) FROM credentials WHERE dead_at IS NULL",
            "dead": "SELECT COUNT(*) FROM credentials WHERE dead_at IS NOT NULL",
            "links": "SELECT COUNT(*) FROM links WHERE ended_at IS NULL",
            "holds": "SELECT COUNT(*) FROM holds WHERE closed_at IS NULL",
            "questions": "SELECT COUNT(*) FROM pendings WHERE status = 'pending'",
            "waiting": "SELECT COUNT(*) FROM due",
            "webhooks": "SELECT COUNT(*) FROM nudges",
            "messages": "SELECT COUNT(*) FROM messages",
            "intents": "SELECT COUNT(*) FROM grants WHERE state IN ('granting', 'revoking')",
        }.items():
            counted[name] = (await connection.execute(text(query))).scalar_one()
    await storage.close()
    assert counted == {
        "live": found.live_credentials,
        "dead": found.dead_credentials,
        "links": found.links,
        "holds": found.open_holds,
        "questions": found.open_questions,
        "waiting": found.waiting_people,
        "webhooks": found.waiting_webhooks,
        "messages": found.waiting_messages,
        "intents": found.open_intents,
    }
    assert found.live_credentials
    assert found.links
    assert found.waiting_people
    assert found.waiting_webhooks
    assert [(one.process_id, one.roles) for one in found.processes] == [("one", ("gateway", "web", "worker"))]
    assert found.schema == migrations.list_steps()[-1].number
    assert [lease.name for lease in found.leases] == ["bot", "shard:0"]
    assert 86_000 < found.leases[0].seconds_left <= 86_400
    printed = msgspec.json.encode(found).decode()
    for secret in ("access-", "refresh-", "Emberwood", "ada"):
        assert secret not in printed


async def test_whether_a_bot_runs_is_seen_beside_it(url: str) -> None:
    storage = await Storage.open(url, VAULT)
    async with owned(storage.database):
        assert (await look(url)).is_bot_running
    await storage.close()
    assert not (await look(url)).is_bot_running


async def test_the_newest_read_that_ended_is_told_with_what_was_doubted(url: str) -> None:
    storage = await Storage.open(url, VAULT)
    await storage.campaigns.save(campaign_of("Emberwood", "t-gold"))
    (unread,) = (await look(url)).campaigns
    assert (unread.last_read_at, unread.is_believed, unread.believed_at) == (None, False, None)
    for is_believed, anomalies, finished, started in (
        ("true", "[]", "10", 10),
        ("false", '["empty"]', "20", 20),
        ("false", "[]", "NULL", 30),
    ):
        async with storage.database.write() as connection:
            await connection.execute(
                text(
                    "INSERT INTO reads (campaign_id, kind, started_at, finished_at, is_complete, is_believed,"
                    f" anomalies, summary) VALUES (:campaign, 'bulk', {started}, {finished}, true, {is_believed},"
                    " :anomalies, '{}')"
                ),
                {"campaign": unread.campaign_id, "anomalies": anomalies},
            )
    (doubted,) = (await look(url)).campaigns
    await storage.close()
    assert (doubted.is_believed, doubted.doubts) == (False, ("empty",))
    assert doubted.last_read_at is not None
    assert doubted.believed_at is not None
    assert doubted.last_read_at > doubted.believed_at


async def test_its_keys_stay(url: str) -> None:
    await (await Storage.open(url, VAULT)).close()
    assert tuple(msgspec.to_builtins(await look(url))) == KEYS


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NeedsOwner, match=Setup.DATABASE_MISSING):
        await look(f"sqlite+aiosqlite:///{tmp_path / 'pledgekeeper.db'}")
    assert not is_anything_in(tmp_path)


def is_anything_in(folder: Path) -> bool:
    return any(folder.iterdir())


async def test_which_shards_are_nobodys(own_server: str) -> None:
    storage = await Storage.open(own_server, VAULT)
    assert (await look(own_server)).shards is None
    await storage.shards.settle(3)
    await storage.shards.claim(Shards((1,), 3), "one", timedelta(minutes=1))
    found = await look(own_server)
    assert (found.shards, found.free_shards) == (3, (0, 2))
    await storage.close()


@pytest.fixture
def own_server(postgres: Postgres, emptied: str) -> str:
    return postgres.url(emptied)
