"""Who waits is a stored fact: nobody need ring, and whoever waited when the bot was killed comes first afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.model import DiscordUserId, Link, LinkOrigin, PatreonUserId
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import Vault
from sandbox.main import Options
from tests.fakes.stage import Stage

PATRON, NAME = "hazel.hollow", "Gerda Nilsson"
REPORTED = "kestrel_kite"  # by Patreon, which the first round reads


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A bot whose rounds are too rare to help."""
    async with Stage(Options(interval=3600)) as stage:
        yield stage


@asynccontextmanager
async def another_process(stage: Stage) -> AsyncIterator[Storage]:
    told: dict[str, Any] = {name.lower(): value for name, value in stage.sandbox.bot.environment.items()}
    settings = Settings(**told)
    storage = await Storage.attach(settings.database_url, Vault(settings.encryption_keys))
    yield storage
    await storage.close()


def link_of(stage: Stage) -> Link:
    return Link(
        discord_user_id=DiscordUserId(int(stage.user_id(PATRON))),
        patreon_user_id=PatreonUserId(stage.patron_id(NAME)),
        patreon_name=NAME,
        origin=LinkOrigin.COMMAND,
        linked_at=datetime.now(UTC),
    )


def waiting(stage: Stage) -> list[int]:
    return [person for (person,) in stage.query("SELECT discord_user_id FROM due")]


@pytest.mark.parametrize("database", ["postgresql", "pgbouncer"], indirect=True)
async def test_what_another_process_stores_is_followed_though_nobody_rings(database: None, stage: Stage) -> None:
    await stage.add_rule()
    await stage.until(lambda: not waiting(stage), "everyone is planned")
    async with another_process(stage) as storage:
        await storage.links.complete_link(link_of(stage), [])
        await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role")
        await stage.until(lambda: not waiting(stage), "nobody waits any more")
        await storage.links.unlink(DiscordUserId(int(stage.user_id(PATRON))), at=datetime.now(UTC))
        await stage.until(lambda: "Gold" not in stage.roles(PATRON), "the role is gone")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
async def test_who_waits_when_the_bot_is_killed_waits_still(database: None, stage: Stage) -> None:
    await stage.add_rule()
    await stage.until_held("Gold", REPORTED)
    await stage.until(lambda: not waiting(stage), "nobody waits any more")
    stage.weather("discord", "/", "silent_looks")
    stage.weather("discord", "/members/", "500")
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url(PATRON), stage.patron_id(NAME))
    linking = asyncio.create_task(browser.send(page, "confirm"))
    person = int(stage.user_id(PATRON))
    await stage.until(lambda: stage.query("SELECT 1 FROM links WHERE discord_user_id = ?", person), "the link")
    await stage.sandbox.bot.kill()
    await asyncio.gather(linking, return_exceptions=True)
    assert waiting(stage) == [person]
    stage.sandbox.weather.clear()
    await stage.restart()
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role")
    await stage.until(lambda: not waiting(stage), "nobody waits any more")
