"""What `check` finds in the database, of either kind, without disturbing it."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.findings import Found
from bot.ops.check.database import inspect_database
from bot.ops.ownership import owned
from bot.settings import Settings
from bot.storage import Storage, postgresql
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import NOW, pair_of
from tests.fakes.postgres import Postgres, let_in

KEY = new_key()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(request.getfixturevalue("emptied"))
    return settings_for(url)


def settings_for(url: str) -> Settings:
    known: dict[str, Any] = {
        "discord_token": "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.and-27-or-more-letters-after-it",
        "patreon_client_id": "id",
        "patreon_client_secret": "secret",
        "patreon_campaign_id": "1",
        "public_url": "https://pledges.example.org",
        "database_url": url,
        "encryption_keys": KEY.reveal(),
    }
    return Settings(**known)


async def found_in(settings: Settings) -> list[Found]:
    return [finding.code for finding in (await inspect_database(settings)).findings]


async def test_whether_a_bot_uses_it_and_whether_the_keys_open_it(settings: Settings) -> None:
    storage = await Storage.open(settings.database_url, Vault((KEY,)))
    bell = [Found.BELL_HEARD] if storage.database.is_shared else []
    async with owned(storage.database):
        assert await found_in(settings) == [Found.DATABASE_IN_USE, *bell, Found.KEYS_UNUSED]
    await storage.arrivals.keep(pair_of("one"), asked_at=NOW)
    await storage.close()
    assert await found_in(settings) == [Found.DATABASE_FREE, *bell, Found.KEYS_WORK]
    stranger = settings.model_copy(update={"encryption_keys": (new_key(),)})
    assert await found_in(stranger) == [Found.DATABASE_FREE, *bell, Found.KEYS_MISSING]


async def test_whether_the_bell_is_heard_by_the_address_that_is_set_for_it(
    postgres: Postgres, pgbouncer: Postgres, emptied: str, tmp_path: Path
) -> None:
    pooled = settings_for(let_in(pgbouncer.url(emptied)))
    assert Found.BELL_UNHEARD in await found_in(pooled)
    straight = pooled.model_copy(update={"database_listen_url": postgres.url(emptied)})
    assert Found.BELL_HEARD in await found_in(straight)
    wrong = pooled.model_copy(update={"database_listen_url": f"postgresql://me:MARKER@/x?host={tmp_path}"})
    report = await inspect_database(wrong)
    (finding,) = [one for one in report.findings if not one.is_fine]
    assert (finding.code, finding.facts["setting"]) == (Found.BELL_UNREACHED, "DATABASE_LISTEN_URL")
    assert "MARKER" not in str(finding)


async def test_one_without_tables_is_no_mistake(postgres: Postgres) -> None:
    name = postgres.create()
    report = await inspect_database(settings_for(postgres.url(name)))
    assert [finding.code for finding in report.findings] == [Found.DATABASE_EMPTY, Found.KEYS_UNUSED]
    assert all(finding.is_fine for finding in report.findings)
    postgres.drop(name)


async def test_a_server_that_does_not_answer_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "START_PATIENCE_SECONDS", 0)
    settings = settings_for(f"postgresql://somebody:MARKER@/bot?host={tmp_path}")
    report = await inspect_database(settings)
    (finding,) = report.findings
    assert finding.code is Found.DATABASE_UNUSABLE
    assert "MARKER" not in str(finding)
    assert str(tmp_path) in str(finding.facts["error"]), "where it was looked for"
    assert "MARKER" not in str(finding.facts["error"])
    assert "MARKER" not in repr(settings)
